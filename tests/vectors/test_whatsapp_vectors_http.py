"""WhatsApp's vectors through HTTP into the database, limits, repeats and large batches included."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from tests.standins.whatsapp.platform import WhatsAppPlatform
from tests.standins.whatsapp.webhooks import Callback, WebhookWriter
from tests.vectors.replay import DEFAULT_BODY_BYTES, Recorded, replay

VECTORS = json.loads(
    (Path(__file__).parents[1] / "fixtures" / "vectors" / "whatsapp.json").read_text("utf-8")
)
BY_ID = {case["id"]: case for case in VECTORS["valid"] + VECTORS["invalid"]}
CASES = list(BY_ID.values())
PEER_KIND = {"dm": "user", "group": "group"}
#: Notices that are no messages of ours but receipts, or reasons to keep nothing.
NO_MESSAGES = {"status", "unrouted", "phone_number_quality_update"}
ACCOUNT = BY_ID["wa-text"]["account_config"]
NOW_S = BY_ID["wa-text"]["now"]


def _recorded(case: dict[str, Any]) -> Recorded:
    request = case["request"]
    body = base64.b64decode(request["body_b64"])
    return Recorded(request["method"], request["query"], request["headers"], body)


def _posted(callback: Callback) -> Recorded:
    return Recorded("POST", "", callback.headers, callback.body)


def _writer() -> WebhookWriter:
    platform = WhatsAppPlatform(
        ACCOUNT["phone_number_id"], "", ACCOUNT["app_secret"], lambda: NOW_S
    )
    return WebhookWriter(platform)


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
async def test_vector_through_http_into_the_database(case: dict[str, Any], tmp_path: Path) -> None:
    limit = case.get("limits", {}).get("max_body_bytes", DEFAULT_BODY_BYTES)
    async with replay(tmp_path, "whatsapp", case["now"] * 1000, limit) as here:
        await here.add_account(case["account_config"])
        if earlier := case.get("sequence", {}).get("after"):
            assert (await here.post(_recorded(BY_ID[earlier])))[0] == 200
        before = len(await here.stored())

        status, body = await here.post(_recorded(case))

        expected = case["expect"]
        assert status == expected["http_status"]
        if "response_text" in expected:
            assert body.decode() == expected["response_text"]
        stored = await here.stored()
        rows = list(reversed(stored[: len(stored) - before]))
        texts = [row for row in rows if row.type != "event"]
        assert [row.platform_message_id for row in texts] == [
            message["message_id"] for message in expected["messages"]
        ]
        for row, message in zip(texts, expected["messages"], strict=True):
            chat = message["chat"]
            assert (row.peer_id, row.peer_kind) == (chat["id"], PEER_KIND[chat["type"]])
            assert (row.text, row.sender_id) == (message["text"], message["sender"]["id"])
        events = [one for one in expected["notices"] if one["event_type"] not in NO_MESSAGES]
        assert len(rows) - len(texts) == len(events)


async def test_a_repeat_gets_the_same_answer_and_is_stored_once(tmp_path: Path) -> None:
    case = BY_ID["wa-multi"]
    async with replay(tmp_path, "whatsapp", case["now"] * 1000) as here:
        await here.add_account(case["account_config"])

        first, second = await here.post(_recorded(case)), await here.post(_recorded(case))

        assert first == second == (200, b"")
        assert len(await here.stored()) == 3


async def test_a_body_of_three_megabytes_is_taken_in_and_a_larger_one_is_not(
    tmp_path: Path,
) -> None:
    large = _writer().write(*({"text": "x" * 40_000, "from": str(n)} for n in range(75)))
    assert 3_000_000 < len(large.body) <= 3 * 1_048_576
    async with replay(tmp_path, "whatsapp", NOW_S * 1000) as here:
        await here.add_account(ACCOUNT)

        assert await here.post(_posted(large)) == (200, b"")
        assert len(await here.stored()) == 50  # a page of the ledger
        too_large = Recorded("POST", "", large.headers, large.body + b" " * 200_000)
        assert (await here.post(too_large))[0] == 413


async def test_an_account_keeps_only_the_messages_of_its_own_number(tmp_path: Path) -> None:
    batch = _writer().write({"text": "ours"}, {"text": "theirs", "phone_number_id": "777"})
    async with replay(tmp_path, "whatsapp", NOW_S * 1000) as here:
        await here.add_account(ACCOUNT)

        assert await here.post(_posted(batch)) == (200, b"")
        assert [row.text for row in await here.stored()] == ["ours"]
