"""Row N7, promise P8: what QQ really sends, through `wunder plugin call`, built in and as a plugin."""

import base64
import json
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

import pytest

from tests.vectors.calls import ROOT, STATUS_OF_KIND, Case, answers_of, by_id, call_line, cases_of

CASES = cases_of("qqbot")
PEER_KINDS = {"dm": "user", "group": "group", "channel": "channel"}


def _line(case: Case) -> bytes:
    account = {"account_id": "bot", "rev": 1, "config": case["account_config"]}
    return call_line(case, account, [], case["request"]["body_b64"])


@pytest.fixture(scope="module")
def answers_of_builtin(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    out = tmp_path_factory.mktemp("vectors") / "out.jsonl"
    lines = [_line(case) for case in CASES]
    return answers_of("builtin:qqbot", lines, CASES, out)


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
    return by_id(done.stdout, CASES)


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
