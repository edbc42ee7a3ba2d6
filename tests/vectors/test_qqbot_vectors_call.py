"""Row N7, promise P8: what QQ really sends, through `wunder plugin call`, built in and as a plugin."""

import base64
import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from wunder.cli.call.calling import run_plugin_call

ROOT = Path(__file__).resolve().parents[2]
VECTORS = json.loads((ROOT / "tests/fixtures/vectors/qqbot.json").read_text("utf-8"))
#: Vectors about body limits and repeats are the gateway's: they run over HTTP.
GATEWAYS = ("limits", "sequence", "after")
CASES = [
    one
    for one in (*VECTORS["valid"], *VECTORS["invalid"])
    if not any(key in one for key in GATEWAYS)
]
PEER_KINDS = {"dm": "user", "group": "group", "channel": "channel"}
STATUS_OF_KIND = {"signature_invalid": 401, "malformed_event": 400, "forbidden": 403}


def _line(case: Mapping[str, Any]) -> bytes:
    """A vector as one call; secrets stand in `config`, and all share account and revision."""
    request = case["request"]
    call = {
        "id": case["id"],
        "method": "channel.parse_inbound",
        "params": {
            "account": {"account_id": "bot", "rev": 1, "config": case["account_config"]},
            "http": {
                "method": request["method"],
                "path": request["path"],
                "query": [],
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
def answers_of_builtin(tmp_path_factory) -> dict[str, Any]:
    path = tmp_path_factory.mktemp("vectors") / "out.jsonl"
    with path.open("w") as out, pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdout", out)
        run_plugin_call("builtin:qqbot", None, _Given([_line(case) for case in CASES]))
    return _by_id(path.read_bytes())


@pytest.fixture(scope="module")
def answers_of_plugin() -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "wunder.cli.main", "plugin", "call", "plugins/channel-qq"],
        input=b"\n".join(_line(case) for case in CASES),
        capture_output=True,
        cwd=ROOT,
        timeout=50,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    return _by_id(done.stdout)


def _by_id(lines: bytes) -> dict[str, Any]:
    answers = [json.loads(line) for line in lines.splitlines()]
    assert [answer["id"] for answer in answers] == [case["id"] for case in CASES]
    return {answer["id"]: answer for answer in answers}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_the_built_in_answers_a_vector_as_expected(answers_of_builtin, case):
    _require(answers_of_builtin[case["id"]], case, "qqbot")


@pytest.mark.process
@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_the_plugin_answers_a_vector_as_expected(answers_of_plugin, case):
    _require(answers_of_plugin[case["id"]], case, "qq")


@pytest.mark.process
def test_plugin_and_built_in_say_the_same_but_for_their_id(answers_of_builtin, answers_of_plugin):
    def without_channel(answers: dict[str, Any]) -> dict[str, Any]:
        for answer in answers.values():
            for message in answer.get("result", {}).get("messages", ()):
                message.pop("channel", None)
        return answers

    assert without_channel(answers_of_plugin) == without_channel(answers_of_builtin)


def _require(answer: Mapping[str, Any], case: Mapping[str, Any], channel: str) -> None:
    expected = case["expect"]
    if "error" in answer:
        assert STATUS_OF_KIND[answer["error"]["data"]["kind"]] == expected["http_status"]
        assert not expected["messages"]
        return
    result = answer["result"]
    assert result["immediate_response"].get("status", 200) == expected["http_status"]
    body = json.loads(base64.b64decode(result["immediate_response"]["body_b64"]))
    assert body == expected["response_json"]
    messages = [one for one in result["messages"] if one["type"] != "event"]
    assert [_as_vector(one) for one in messages] == [_wanted(one) for one in expected["messages"]]
    assert len(result["messages"]) - len(messages) == len(expected["notices"])
    assert all(one["channel"] == channel for one in result["messages"])


def _as_vector(message: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "message_id": message["message_id"],
        "kind": message["type"],
        "peer": (message["peer"]["kind"], message["peer"]["id"]),
        "sender": message["sender"]["id"],
        "text": message.get("text") or "",
        "mentions": [one["id"] for one in message.get("mentions", ())],
        "mentions_bot": message.get("mentions_bot"),
        "attachments": [
            (one["kind"], one.get("mime"), one.get("url")) for one in message.get("attachments", ())
        ],
        "reply_to": message.get("reply_to"),
        "ts": message["ts"],
    }


def _wanted(vector: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "message_id": vector["message_id"],
        "kind": vector["kind"],
        "peer": (PEER_KINDS[vector["chat"]["type"]], vector["chat"]["id"]),
        "sender": vector["sender"]["id"],
        "text": vector["text"] or "",
        "mentions": [one["id"] for one in vector["mentions"]],
        "mentions_bot": vector["mentions_bot"],
        "attachments": [(one["kind"], one["mime"], one["url"]) for one in vector["attachments"]],
        "reply_to": vector["reply_to_message_id"],
        "ts": vector["timestamp_ms"],
    }
