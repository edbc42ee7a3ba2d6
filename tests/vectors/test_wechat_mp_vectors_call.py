"""What WeChat really sends to an official account, through `wunder plugin call`."""

import base64
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

import pytest

from tests.vectors.calls import STATUS_OF_KIND, Case, answers_of, call_line, cases_of

CASES = cases_of("wechat_mp")
TYPES = {"voice": "audio", "shortvideo": "video", "link": "text"}


def _line(number: int, case: Case) -> bytes:
    """The revision tells the vectors' accounts apart."""
    account = {"account_id": "bot", "rev": number, "config": case["account"]}
    query = parse_qsl(case["request"]["raw_query"], keep_blank_values=True)
    return call_line(
        case, account, query, base64.b64encode(case["request"]["body"].encode()).decode()
    )


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    out = tmp_path_factory.mktemp("vectors") / "out.jsonl"
    lines = [_line(number, case) for number, case in enumerate(CASES, 1)]
    return answers_of("builtin:wechat_mp", lines, CASES, out)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_the_built_in_answers_a_vector_as_expected(answers, case):
    answer, expected = answers[case["id"]], case["expected"]
    if "error" in answer:
        assert STATUS_OF_KIND[answer["error"]["data"]["kind"]] == expected["http"]["status"]
        assert expected["outcome"] == "rejected"
        return
    result = answer["result"]
    assert result["immediate_response"].get("status", 200) == expected["http"]["status"]
    body = base64.b64decode(result["immediate_response"]["body_b64"]).decode()
    assert body in (expected["http"].get("body_any") or [expected["http"]["body"]])
    messages = [one for one in result["messages"] if one["type"] != "event"]
    wanted = [expected["message"]] if expected["outcome"] == "message" else []
    assert [_as_vector(one) for one in messages] == [_wanted(one) for one in wanted]
    events = [one for one in result["messages"] if one["type"] == "event"]
    assert len(events) == (1 if expected["outcome"] == "event" else 0)
    for event in events:
        assert event["message_id"] in expected["event"]["dedupe_key"]
    assert all(one["channel"] == "wechat_mp" for one in result["messages"])


def _as_vector(message: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "message_id": message["message_id"],
        "kind": message["type"],
        "peer": (message["peer"]["kind"], message["peer"]["id"]),
        "sender": message["sender"]["id"],
        "text": message["text"],
        "mentions_bot": message["mentions_bot"],
        "attachments": [
            (one["kind"], one.get("media_id")) for one in message.get("attachments", ())
        ],
        "ts": message["ts"],
    }


def _wanted(vector: Mapping[str, Any]) -> dict[str, Any]:
    kind = vector["message_type"]
    return {
        "message_id": vector["message_id"],
        "kind": TYPES.get(kind, kind),
        "peer": ("user", vector["chat_id"]),
        "sender": vector["sender_id"],
        "text": vector["text"],
        "mentions_bot": vector["mentioned_bot"],
        "attachments": [(one["kind"], one["ref"]) for one in vector["attachments"]],
        "ts": vector["created_ms"],
    }
