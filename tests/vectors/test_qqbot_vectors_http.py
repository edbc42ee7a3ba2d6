"""QQ's vectors through HTTP into the database, limits and sequences included."""

import base64
import json
from pathlib import Path

import pytest

from tests.vectors.replay import DEFAULT_BODY_BYTES, Recorded, replay

VECTORS = json.loads(
    (Path(__file__).parents[1] / "fixtures" / "vectors" / "qqbot.json").read_text("utf-8")
)
CASES = VECTORS["valid"] + VECTORS["invalid"]
#: Fields of the vectors' accounts that our schema does not have.
NOT_OURS = {"sandbox"}
PEER_KIND = {"dm": "user", "group": "group", "channel": "channel"}


def recorded(case: dict) -> Recorded:
    asked = case["request"]
    body = base64.b64decode(asked["body_b64"])
    return Recorded(asked["method"], asked["query"], asked["headers"], body)


def account_of(case: dict) -> dict:
    return {name: value for name, value in case["account_config"].items() if name not in NOT_OURS}


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
async def test_vector_through_http_into_the_database(case: dict, tmp_path: Path) -> None:
    limit = case.get("limits", {}).get("max_body_bytes", DEFAULT_BODY_BYTES)
    async with replay(tmp_path, "qqbot", case["now"] * 1000, limit) as here:
        await here.add_account(account_of(case))
        status, body = await here.post(recorded(case))
        expected = case["expect"]
        assert status == expected["http_status"]
        if "response_json" in expected:
            assert json.loads(body) == expected["response_json"]
        stored = await here.stored()
        texts = [row for row in stored if row.type != "event"]
        events = [row for row in stored if row.type == "event"]
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
    async with replay(tmp_path, "qqbot", case["now"] * 1000) as here:
        await here.add_account(account_of(case))
        first, second = await here.post(recorded(case)), await here.post(recorded(case))
        assert first == second
        assert len(await here.stored()) == 1
