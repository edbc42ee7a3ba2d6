"""What Feishu really sends, through `wunder plugin call`."""

import base64
import json
from collections.abc import Mapping
from typing import Any

import pytest

from tests.vectors.calls import STATUS_OF_KIND, Case, answers_of, call_line, cases_of

CASES = cases_of("feishu")
PEER_KIND = {"p2p": "user", "group": "group"}


def _line(number: int, case: Case) -> bytes:
    """The revision tells the vectors' accounts apart."""
    account = {"account_id": "bot", "rev": number, "config": case["account"]}
    query = list(case["request"]["query"].items())
    return call_line(
        case, account, query, base64.b64encode(case["request"]["body"].encode()).decode()
    )


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    out = tmp_path_factory.mktemp("vectors") / "out.jsonl"
    lines = [_line(number, case) for number, case in enumerate(CASES, 1)]
    return answers_of("builtin:feishu", lines, CASES, out)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_the_built_in_answers_a_vector_as_expected(answers, case):
    answer, expected = answers[case["id"]], case["expected"]
    if "error" in answer:
        assert STATUS_OF_KIND[answer["error"]["data"]["kind"]] == expected["http"]["status"]
        assert expected["outcome"] == "rejected"
        return
    result = answer["result"]
    assert result["immediate_response"].get("status", 200) == expected["http"]["status"]
    body = json.loads(base64.b64decode(result["immediate_response"]["body_b64"]))
    assert body == expected["http"]["json"]
    wanted = [expected["message"]] if expected["outcome"] == "message" else []
    assert [_as_vector(one) for one in result["messages"]] == [_wanted(one) for one in wanted]
    assert all(one["channel"] == "feishu" for one in result["messages"])


def _as_vector(message: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "message_id": message["message_id"],
        "peer": (message["peer"]["kind"], message["peer"]["id"]),
        "sender": message["sender"]["id"],
        "text": message["text"],
        "mentions": [one["id"] for one in message.get("mentions", ())],
        "mentions_bot": message["mentions_bot"],
        "attachments": [
            one["media_id"].rpartition("/")[2] for one in message.get("attachments", ())
        ],
        "reply_to": message.get("reply_to"),
        "thread": message.get("thread", {}).get("id"),
        "ts": message["ts"],
    }


def _wanted(vector: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "message_id": vector["message_id"],
        "peer": (PEER_KIND[vector["chat_type"]], vector["chat_id"]),
        "sender": vector["sender_id"],
        "text": vector["text"],
        "mentions": [one["id"] for one in vector["mentions"]],
        "mentions_bot": vector["mentioned_bot"],
        "attachments": [one["ref"] for one in vector["attachments"]],
        "reply_to": vector["reply_to"],
        "thread": vector["thread_id"],
        "ts": vector["created_ms"],
    }
