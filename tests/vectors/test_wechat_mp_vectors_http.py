"""The official accounts' vectors through HTTP into the database, repeats included."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.vectors.replay import Recorded, replay

VECTORS = json.loads(
    (Path(__file__).parents[1] / "fixtures" / "vectors" / "wechat_mp.json").read_text("utf-8")
)
BY_ID = {case["id"]: case for case in VECTORS["valid"] + VECTORS["invalid"]}
#: What an account of ours is called is not one of its fields.
NOT_OURS = {"account_id"}


def _account(case: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in case["account"].items() if key not in NOT_OURS}


def _recorded(case: dict[str, Any]) -> Recorded:
    request = case["request"]
    # The recorded query names the account of the recording; ours is in the path.
    own = f"account_id={case['account']['account_id']}"
    query = "&".join(part for part in request["raw_query"].split("&") if part != own)
    return Recorded(request["method"], query, request["headers"], request["body"].encode())


@pytest.mark.parametrize("case", BY_ID.values(), ids=BY_ID)
async def test_vector_through_http_into_the_database(case: dict[str, Any], tmp_path: Path) -> None:
    async with replay(tmp_path, "wechat_mp", case["now"] * 1000) as here:
        await here.add_account(_account(case))
        for earlier in case.get("after", ()):
            assert (await here.post(_recorded(BY_ID[earlier])))[0] == 200
        before = len(await here.stored())

        status, body = await here.post(_recorded(case))

        expected = case["expected"]
        assert status == expected["http"]["status"]
        if status == 200 and "body" in expected["http"]:
            accepted = expected["http"].get("body_any") or [expected["http"]["body"]]
            assert body.decode() in accepted
        rows = (await here.stored())[: -before or None]
        wanted = [expected["message"]] if expected["outcome"] == "message" else []
        texts = [row for row in rows if row.type != "event"]
        assert [row.platform_message_id for row in texts] == [one["message_id"] for one in wanted]
        for row, message in zip(texts, wanted, strict=True):
            assert (row.peer_id, row.peer_kind) == (message["chat_id"], "user")
            assert (row.text, row.sender_id) == (message["text"], message["sender_id"])
        assert len(rows) - len(texts) == (1 if expected["outcome"] == "event" else 0)


async def test_a_repeat_gets_the_same_answer_and_is_stored_once(tmp_path: Path) -> None:
    case = BY_ID["wechat_mp-v06-text-safe"]
    async with replay(tmp_path, "wechat_mp", case["now"] * 1000) as here:
        await here.add_account(_account(case))
        first, second = await here.post(_recorded(case)), await here.post(_recorded(case))

        assert first == second == (200, b"success")
        assert len(await here.stored()) == 1


async def test_a_url_for_all_accounts_finds_the_account_by_its_original_id(tmp_path: Path) -> None:
    case = BY_ID["wechat_mp-v06-text-safe"]
    async with replay(tmp_path, "wechat_mp", case["now"] * 1000) as here:
        await here.add_account(_account(case))
        other = {**_account(case), "app_id": "wxfedcba0987654321", "original_id": "gh_other"}
        await here.add_account(other, "second")

        assert await here.post(_recorded(case), "") == (200, b"success")
        assert [row.account_id for row in await here.stored()] == ["main"]
