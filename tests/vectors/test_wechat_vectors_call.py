"""Row N7: what WeCom really sends, through `wunder plugin call` of the built-in channel."""

import base64
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

import pytest

from tests.vectors.calls import STATUS_OF_KIND, Case, answers_of, call_line, cases_of

CASES = cases_of("wecom")
TYPE_OF_VECTOR = {"link": "text", "voice": "audio"}


def _line(case: Case) -> bytes:
    account = {"account_id": "main", "rev": 1, "config": case["account"]}
    query = parse_qsl(case["request"]["raw_query"], keep_blank_values=True)
    return call_line(
        case,
        account,
        query,
        base64.b64encode((case["request"].get("body") or "").encode()).decode(),
    )


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    out = tmp_path_factory.mktemp("vectors") / "out.jsonl"
    lines = [_line(case) for case in CASES]
    return answers_of("builtin:wechat", lines, CASES, out)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_the_built_in_answers_a_vector_as_expected(answers, case):
    answer, expected = answers[case["id"]], case["expected"]
    if "error" in answer:
        assert STATUS_OF_KIND[answer["error"]["data"]["kind"]] == expected["http"]["status"]
        assert expected["outcome"] == "rejected"
        return
    result = answer["result"]
    assert result["immediate_response"].get("status", 200) == expected["http"]["status"]
    body = base64.b64decode(result["immediate_response"].get("body_b64", "")).decode()
    assert body in expected["http"].get("body_any", [expected["http"]["body"]])
    messages = [one for one in result["messages"] if one["type"] != "event"]
    wanted = [expected["message"]] if expected["message"] else []
    assert [_as_vector(one) for one in messages] == [_wanted(one, case) for one in wanted]
    events = len(result["messages"]) - len(messages)
    assert events == (1 if expected["outcome"] == "event" else 0)
    assert all(one["channel"] == "wechat" for one in result["messages"])


def _as_vector(message: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "message_id": message["message_id"],
        "type": message["type"],
        "peer": (message["peer"]["kind"], message["peer"]["id"]),
        "sender": message["sender"]["id"],
        "text": message["text"],
        "mentions_bot": message["mentions_bot"],
        "attachments": [
            (one["kind"], one.get("media_id") or one.get("url"))
            for one in message.get("attachments", ())
        ],
        "ts": message["ts"],
    }


def _wanted(vector: Mapping[str, Any], case: Mapping[str, Any]) -> dict[str, Any]:
    kind = vector["message_type"]
    return {
        "message_id": vector["message_id"],
        "type": TYPE_OF_VECTOR.get(kind, kind),
        "peer": ({"p2p": "user", "group": "group"}[vector["chat_type"]], vector["chat_id"]),
        "sender": vector["sender_id"],
        "text": vector["text"],
        "mentions_bot": vector["mentioned_bot"],
        "attachments": [(one["kind"], one["ref"]) for one in vector["attachments"]],
        "ts": vector["created_ms"] or case["now"] * 1000,
    }
