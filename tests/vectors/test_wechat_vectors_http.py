"""WeCom's vectors through HTTP into the database, sequences included."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.vectors.replay import Recorded, replay

VECTORS = json.loads(
    (Path(__file__).parents[1] / "fixtures" / "vectors" / "wecom.json").read_text("utf-8")
)
CASES = VECTORS["valid"] + VECTORS["invalid"]
BY_ID = {case["id"]: case for case in CASES}
CHANNEL = "wechat"
PEER_KIND = {"p2p": "user", "group": "group"}


#: The vectors name their account in the query: `/wunder/channel/wechat/webhook?account_id=..`.
def _recorded(case: dict[str, Any]) -> Recorded:
    request = case["request"]
    body = (request.get("body") or "").encode()
    return Recorded(request["method"], request["raw_query"], request["headers"], body)


def _config(case: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in case["account"].items() if key != "account_id"}


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
async def test_vector_through_http_into_the_database(case: dict[str, Any], tmp_path: Path) -> None:
    async with replay(tmp_path, CHANNEL, case["now"] * 1000) as here:
        await here.add_account(_config(case), case["account"]["account_id"])
        for earlier in case.get("after", ()):
            await here.post(_recorded(BY_ID[earlier]), "")
        before = len(await here.stored())
        status, body = await here.post(_recorded(case), "")
        expected = case["expected"]
        assert status == expected["http"]["status"]
        if status == 200:
            assert body.decode() in expected["http"].get("body_any", [expected["http"]["body"]])
        rows = (await here.stored())[before:]
        texts = [row for row in rows if row.type != "event"]
        wanted = [expected["message"]] if expected["outcome"] == "message" else []
        assert len(texts) == len(wanted)
        for row, message in zip(texts, wanted, strict=True):
            assert row.platform_message_id == message["message_id"]
            assert (row.peer_id, row.peer_kind) == (
                message["chat_id"],
                PEER_KIND[message["chat_type"]],
            )
            assert (row.text, row.sender_id) == (message["text"], message["sender_id"])
        assert len(rows) - len(texts) == (1 if expected["outcome"] == "event" else 0)


@pytest.mark.parametrize(
    "case_id",
    ["wecom-v06-text-special", "wecom-v18-aibot-single-text", "wecom-v26-aibot-enter-chat"],
)
async def test_a_repeat_gets_the_same_answer_and_is_stored_once(
    case_id: str, tmp_path: Path
) -> None:
    case = BY_ID[case_id]
    async with replay(tmp_path, CHANNEL, case["now"] * 1000) as here:
        await here.add_account(_config(case), case["account"]["account_id"])
        first = await here.post(_recorded(case), "")
        assert await here.post(_recorded(case), "") == first
        assert len(await here.stored()) == 1


async def test_a_callback_at_the_shared_url_finds_its_company(tmp_path: Path) -> None:
    case = BY_ID["wecom-v06-text-special"]
    recorded = _recorded(case)
    _, _, query = recorded.query.partition("&")
    assert "account_id" not in query
    async with replay(tmp_path, CHANNEL, case["now"] * 1000) as here:
        await here.add_account(_config(BY_ID["wecom-v01-verify-official"]), "other")
        await here.add_account(_config(case), "main")
        status, _ = await here.post(replace(recorded, query=query), "")
        assert status == 200
        assert [row.account_id for row in await here.stored()] == ["main"]
