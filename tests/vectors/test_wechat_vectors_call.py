"""Row N7: what WeCom really sends, through `wunder plugin call` of the built-in channel."""

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
VECTORS = json.loads((ROOT / "tests/fixtures/vectors/wecom.json").read_text("utf-8"))
CASES = [one for one in (*VECTORS["valid"], *VECTORS["invalid"]) if "after" not in one]
STATUS_OF_KIND = {"signature_invalid": 401, "malformed_event": 400, "forbidden": 403}
TYPE_OF_VECTOR = {"link": "text", "voice": "audio"}


def _line(case: Mapping[str, Any]) -> bytes:
    """A vector as one call; secrets stand in `config`, and all share account and revision."""
    request = case["request"]
    call = {
        "id": case["id"],
        "method": "channel.parse_inbound",
        "params": {
            "account": {"account_id": "main", "rev": 1, "config": case["account"]},
            "http": {
                "method": request["method"],
                "path": request["path"],
                "query": parse_qsl(request["raw_query"], keep_blank_values=True),
                "headers": list(request["headers"].items()),
                "body_b64": base64.b64encode((request.get("body") or "").encode()).decode(),
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
def answers(tmp_path_factory) -> dict[str, Any]:
    path = tmp_path_factory.mktemp("vectors") / "out.jsonl"
    with path.open("w") as out, pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdout", out)
        run_plugin_call("builtin:wechat", None, _Given([_line(case) for case in CASES]))
    found = [json.loads(line) for line in path.read_bytes().splitlines()]
    assert [answer["id"] for answer in found] == [case["id"] for case in CASES]
    return {answer["id"]: answer for answer in found}


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
