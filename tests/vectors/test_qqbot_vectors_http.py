"""QQ's vectors through HTTP into the database, limits and sequences included."""

import asyncio
import base64
import json
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from tests.fakes.clock import FakeClock
from wunder.accounts.drafts import AccountDraft
from wunder.accounts.keyring import Keyring
from wunder.app.gateway import Gateway
from wunder.config import Config
from wunder.model.account import AccessRules
from wunder.store.sqlite.store import open_store
from wunder.upkeep.ledger import MessageFilter

VECTORS = json.loads(
    (Path(__file__).parents[1] / "fixtures" / "vectors" / "qqbot.json").read_text("utf-8")
)
CASES = VECTORS["valid"] + VECTORS["invalid"]
#: Fields of the vectors' accounts that our schema does not have.
NOT_OURS = {"sandbox"}
PEER_KIND = {"dm": "user", "group": "group", "channel": "channel"}


@asynccontextmanager
async def gateway(data_dir: Path, case: dict):
    clock = FakeClock(case["now"] * 1000)
    limit = case.get("limits", {}).get("max_body_bytes", 5 * 1_048_576)
    config = msgspec.convert(
        {
            "gateway": {"data_dir": str(data_dir), "max_body_bytes": limit},
            "api": {"access_log": "off"},
        },
        Config,
    )
    store = await open_store(data_dir, clock)
    try:
        here = Gateway(config, store, Keyring(bytes(32)), clock)
        await here.load()
        yield here
    finally:
        await store.close()


async def post(app, case: dict, account: str) -> tuple[int, bytes]:
    """Speak ASGI to the gateway's front door, as uvicorn would."""
    body = base64.b64decode(case["request"]["body_b64"])
    headers = [
        (name.lower().encode(), value.encode("latin-1"))
        for name, value in case["request"]["headers"].items()
    ]
    headers.append((b"content-length", str(len(body)).encode()))
    path = f"/wunder/channel/qqbot/{account}/webhook"
    scope = {
        "type": "http",
        "method": case["request"]["method"],
        "path": path,
        "raw_path": path.encode(),
        "query_string": case["request"]["query"].encode(),
        "headers": headers,
        "client": ("127.0.0.1", 1),
        "extensions": {},
    }
    said: list[dict] = []
    parts = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> dict:
        return parts.pop(0) if parts else await asyncio.Future()

    async def send(message: dict) -> None:
        said.append(message)

    await app(scope, receive, send)
    return said[0]["status"], b"".join(one.get("body", b"") for one in said[1:])


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
async def test_vector_through_http_into_the_database(case: dict, tmp_path: Path) -> None:
    async with gateway(tmp_path, case) as here:
        account = {k: v for k, v in case["account_config"].items() if k not in NOT_OURS}
        draft = AccountDraft(
            channel="qqbot",
            account_id="main",
            provider_config=account,
            access=AccessRules(groups="all"),
        )
        await here.desks.accounts.create(draft, "test")
        status, body = await post(here.app, case, "main")
        expected = case["expect"]
        assert status == expected["http_status"]
        if "response_json" in expected:
            assert json.loads(body) == expected["response_json"]
        page = await here.store.ledger.messages(MessageFilter(direction="in"), 50, "")
        texts = [row for row in page.items if row.type != "event"]
        events = [row for row in page.items if row.type == "event"]
        assert [row.platform_message_id for row in texts] == [
            message["message_id"] for message in expected["messages"]
        ]
        for row, message in zip(texts, expected["messages"], strict=True):
            assert (row.peer_id, row.peer_kind) == (
                message["chat"]["id"],
                PEER_KIND[message["chat"]["type"]],
            )
            assert (row.text, row.sender_id) == (message["text"], message["sender"]["id"])
        assert len(events) == len(expected["notices"])


async def test_a_repeat_gets_the_same_answer_and_is_stored_once(tmp_path: Path) -> None:
    case = next(case for case in CASES if case["id"] == "qq-c2c-minimal")
    async with gateway(tmp_path, case) as here:
        account = {k: v for k, v in case["account_config"].items() if k not in NOT_OURS}
        draft = AccountDraft(channel="qqbot", account_id="main", provider_config=account)
        await here.desks.accounts.create(draft, "test")
        first, second = await post(here.app, case, "main"), await post(here.app, case, "main")
        assert first == second
        page = await here.store.ledger.messages(MessageFilter(), 50, "")
        assert len(page.items) == 1
