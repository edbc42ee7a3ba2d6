"""What WeChat really sends to an official account, through `wunder plugin call`."""

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
VECTORS = json.loads((ROOT / "tests/fixtures/vectors/wechat_mp.json").read_text("utf-8"))
#: Vectors about repeats are the gateway's: they run over HTTP.
CASES = [one for one in (*VECTORS["valid"], *VECTORS["invalid"]) if "after" not in one]
TYPES = {"voice": "audio", "shortvideo": "video", "link": "text"}
STATUS_OF_KIND = {"signature_invalid": 401, "malformed_event": 400, "forbidden": 403}


def _line(number: int, case: Mapping[str, Any]) -> bytes:
    """A vector as one call; secrets stand in `config`, the revision tells the accounts apart."""
    request = case["request"]
    call = {
        "id": case["id"],
        "method": "channel.parse_inbound",
        "params": {
            "account": {"account_id": "bot", "rev": number, "config": case["account"]},
            "http": {
                "method": request["method"],
                "path": request["path"],
                "query": parse_qsl(request["raw_query"], keep_blank_values=True),
                "headers": list(request["headers"].items()),
                "body_b64": base64.b64encode(request["body"].encode()).decode(),
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
    lines = [_line(number, case) for number, case in enumerate(CASES, 1)]
    with path.open("w") as out, pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdout", out)
        run_plugin_call("builtin:wechat_mp", None, _Given(lines))
    said = [json.loads(line) for line in path.read_bytes().splitlines()]
    assert [answer["id"] for answer in said] == [case["id"] for case in CASES]
    return {answer["id"]: answer for answer in said}


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
