"""Row N7: what Meta really sends, through `wunder plugin call builtin:whatsapp`."""

import base64
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest

from wunder.cli.call.calling import run_plugin_call

ROOT = Path(__file__).resolve().parents[2]
VECTORS = json.loads((ROOT / "tests/fixtures/vectors/whatsapp.json").read_text("utf-8"))
#: Vectors about body limits and repeats are the gateway's: they run over HTTP.
GATEWAYS = ("limits", "sequence", "after")
CASES = [
    one
    for one in (*VECTORS["valid"], *VECTORS["invalid"])
    if not any(key in one for key in GATEWAYS)
]
STATUS_OF_KIND = {"signature_invalid": 401, "malformed_event": 400, "forbidden": 403}
PEER_KINDS = {"dm": "user", "group": "group"}
#: Notices that are no messages of ours but receipts, or reasons to keep nothing.
NO_MESSAGES = {"status", "unrouted", "phone_number_quality_update"}
TYPES = {"document": "file", "interactive": "text"}


def _line(case: Mapping[str, Any]) -> bytes:
    """A vector as one call; secrets stand in `config`, and all share account and revision."""
    request = case["request"]
    call = {
        "id": case["id"],
        "method": "channel.parse_inbound",
        "params": {
            "account": {"account_id": "main", "rev": 1, "config": case["account_config"]},
            "http": {
                "method": request["method"],
                "path": request["path"],
                "query": parse_qsl(request["query"], keep_blank_values=True),
                "headers": list(request["headers"].items()),
                "body_b64": request["body_b64"],
                "remote_addr": "203.0.113.7",
                "received_ms": case["now"] * 1000,
            },
        },
    }
    return json.dumps(call, ensure_ascii=False).encode()


class _Given:
    """Lines in memory."""

    def __init__(self, lines: list[bytes]) -> None:
        self._lines = iter(lines)

    async def next(self) -> bytes | None:
        return next(self._lines, None)


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    path = tmp_path_factory.mktemp("vectors") / "out.jsonl"
    with path.open("w") as out, pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdout", out)
        run_plugin_call("builtin:whatsapp", None, _Given([_line(case) for case in CASES]))
    found = [json.loads(line) for line in path.read_bytes().splitlines()]
    assert [answer["id"] for answer in found] == [case["id"] for case in CASES]
    return {answer["id"]: answer for answer in found}


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
