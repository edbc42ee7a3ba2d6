"""Feishu's vectors through HTTP into the database, repeats included."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.vectors.replay import Recorded, replay

VECTORS = json.loads(
    (Path(__file__).parents[1] / "fixtures" / "vectors" / "feishu.json").read_text("utf-8")
)
BY_ID = {case["id"]: case for case in VECTORS["valid"] + VECTORS["invalid"]}
CASES = list(BY_ID.values())
PEER_KIND = {"p2p": "user", "group": "group"}
#: What an account of ours is called is not one of its fields.
NOT_OURS = {"account_id"}


def _account(case: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in case["account"].items() if key not in NOT_OURS}


def _recorded(case: dict[str, Any]) -> Recorded:
    request = case["request"]
    # The recorded query names the account of the recording; ours is in the path.
    return Recorded(request["method"], "", request["headers"], request["body"].encode())


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
async def test_vector_through_http_into_the_database(case: dict[str, Any], tmp_path: Path) -> None:
    limit = case.get("limits", {}).get("max_body_bytes", 5 * 1_048_576)
    async with replay(tmp_path, "feishu", case["now"] * 1000, limit) as here:
        await here.add_account(_account(case))
        for earlier in case.get("after", ()):
            assert (await here.post(_recorded(BY_ID[earlier])))[0] == 200
        before = len(await here.stored())

        status, body = await here.post(_recorded(case))

        expected = case["expected"]
        assert status == expected["http"]["status"]
        if "json" in expected["http"]:
            assert json.loads(body) == expected["http"]["json"]
        rows = (await here.stored())[: -before or None]
        wanted = [expected["message"]] if expected["outcome"] == "message" else []
        assert [row.platform_message_id for row in rows if row.type != "event"] == [
            message["message_id"] for message in wanted
        ]
        for row, message in zip(rows, wanted, strict=True):
            kind = PEER_KIND[message["chat_type"]]
            assert (row.peer_id, row.peer_kind) == (message["chat_id"], kind)
            assert (row.text, row.sender_id) == (message["text"], message["sender_id"])


async def test_a_repeat_gets_the_same_answer_and_is_stored_once(tmp_path: Path) -> None:
    case = BY_ID["feishu-v06-group-at-bot"]
    async with replay(tmp_path, "feishu", case["now"] * 1000) as here:
        await here.add_account(_account(case))
        first, second = await here.post(_recorded(case)), await here.post(_recorded(case))

        assert first == second
        assert len(await here.stored()) == 1


async def test_a_url_for_all_accounts_finds_the_app_of_an_event_in_the_clear(
    tmp_path: Path,
) -> None:
    case = BY_ID["feishu-v01-challenge-plain"]
    event = {
        "schema": "2.0",
        "header": {"event_id": "e1", "event_type": "im.message.receive_v1", "app_id": "cli_second",
                   "token": case["account"]["verification_token"]},
        "event": {"message": {"message_id": "om_1", "chat_id": "oc_1", "chat_type": "p2p",
                              "message_type": "text", "content": '{"text":"hi"}'}},
    }  # fmt: skip
    async with replay(tmp_path, "feishu", case["now"] * 1000) as here:
        await here.add_account(_account(case))
        await here.add_account({**_account(case), "app_id": "cli_second"}, "second")

        recorded = Recorded("POST", "", {}, json.dumps(event).encode())
        status, _ = await here.post(recorded, "")

        (row,) = await here.stored()
        assert (status, row.account_id, row.text) == (200, "second", "hi")
