"""Row N7: what Meta really sends, through `wunder plugin call builtin:whatsapp`."""

import base64
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

import pytest

from tests.vectors.calls import STATUS_OF_KIND, Case, answers_of, call_line, cases_of

CASES = cases_of("whatsapp")
PEER_KINDS = {"dm": "user", "group": "group"}
#: Notices that are no messages of ours but receipts, or reasons to keep nothing.
NO_MESSAGES = {"status", "unrouted", "phone_number_quality_update"}
TYPES = {"document": "file", "interactive": "text"}


def _line(case: Case) -> bytes:
    account = {"account_id": "main", "rev": 1, "config": case["account_config"]}
    query = parse_qsl(case["request"]["query"], keep_blank_values=True)
    return call_line(case, account, query, case["request"]["body_b64"])


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    out = tmp_path_factory.mktemp("vectors") / "out.jsonl"
    lines = [_line(case) for case in CASES]
    return answers_of("builtin:whatsapp", lines, CASES, out)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_the_built_in_answers_a_vector_as_expected(answers: dict[str, Any], case: Any) -> None:
    answer, expected = answers[case["id"]], case["expect"]
    if "error" in answer:
        assert STATUS_OF_KIND[answer["error"]["data"]["kind"]] == expected["http_status"]
        assert not expected["messages"]
        return
    result = answer["result"]
    assert result["immediate_response"].get("status", 200) == expected["http_status"]
    body = base64.b64decode(result["immediate_response"].get("body_b64", ""))
    assert body.decode() == expected["response_text"]
    said = result.get("messages", [])
    messages = [one for one in said if one.get("type", "text") != "event"]
    assert [_as_vector(one) for one in messages] == [_wanted(one) for one in expected["messages"]]
    events = [one for one in expected["notices"] if one["event_type"] not in NO_MESSAGES]
    assert len(said) - len(messages) == len(events)
    statuses = [one for one in expected["notices"] if one["event_type"] == "status"]
    assert [one["provider_message_id"] for one in result.get("receipts", [])] == [
        one["provider_message_id"] for one in statuses
    ]


def _as_vector(message: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "message_id": message["message_id"],
        "type": message.get("type", "text"),
        "peer": (message["peer"]["kind"], message["peer"]["id"]),
        "sender": message["sender"]["id"],
        "text": message.get("text") or "",
        "mentions_bot": message.get("mentions_bot"),
        "attachments": [
            (one["kind"], one.get("mime"), one.get("media_id"))
            for one in message.get("attachments", ())
        ],
        "reply_to": message.get("reply_to"),
        "ts": message["ts"],
    }


def _wanted(vector: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "message_id": vector["message_id"],
        "type": TYPES.get(vector["kind"], vector["kind"]),
        "peer": (PEER_KINDS[vector["chat"]["type"]], vector["chat"]["id"]),
        "sender": vector["sender"]["id"],
        "text": vector["text"] or "",
        "mentions_bot": vector["mentions_bot"],
        "attachments": [(one["kind"], one["mime"], one["media_id"]) for one in vector["attachments"]],
        "reply_to": vector["reply_to_message_id"],
        "ts": vector["timestamp_ms"],
    }  # fmt: skip
