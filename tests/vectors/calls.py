"""Vectors as lines of `wunder plugin call`, and what the command answers them."""

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from wunder.cli.call.calling import run_plugin_call

ROOT = Path(__file__).resolve().parents[2]
STATUS_OF_KIND = {"signature_invalid": 401, "malformed_event": 400, "forbidden": 403}
#: Vectors about body limits and repeats are the gateway's: they run over HTTP.
GATEWAYS = ("limits", "sequence", "after")
Case = Mapping[str, Any]


def cases_of(name: str) -> list[Case]:
    vectors = json.loads((ROOT / f"tests/fixtures/vectors/{name}.json").read_text("utf-8"))
    both = (*vectors["valid"], *vectors["invalid"])
    return [one for one in both if not any(key in one for key in GATEWAYS)]


def call_line(case: Case, account: Mapping[str, Any], query: Sequence[Any], body_b64: str) -> bytes:
    """A vector as one call; secrets stand in the account's `config`."""
    request = case["request"]
    http = {
        "method": request["method"],
        "path": request["path"],
        "query": query,
        "headers": list(request["headers"].items()),
        "body_b64": body_b64,
        "remote_addr": "203.0.113.7",
        "received_ms": case["now"] * 1000,
    }
    params = {"account": account, "http": http}
    call = {"id": case["id"], "method": "channel.parse_inbound", "params": params}
    return json.dumps(call, ensure_ascii=False).encode()


class _Given:
    """Lines in memory."""

    def __init__(self, lines: Sequence[bytes]) -> None:
        self._lines = iter(lines)

    async def next(self) -> bytes | None:
        return next(self._lines, None)


def said_by(target: str, lines: Sequence[bytes], out_file: Path) -> bytes:
    """What the command prints, given these lines."""
    with out_file.open("w") as out, pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdout", out)
        run_plugin_call(target, None, _Given(lines))
    return out_file.read_bytes()


def answers_of(
    target: str, lines: Sequence[bytes], cases: Sequence[Case], out_file: Path
) -> dict[str, Any]:
    """What the command says to each line, by the id of its vector."""
    return by_id(said_by(target, lines, out_file), cases)


def by_id(said: bytes, cases: Sequence[Case]) -> dict[str, Any]:
    answers = [json.loads(line) for line in said.splitlines()]
    assert [answer["id"] for answer in answers] == [case["id"] for case in cases]
    return {answer["id"]: answer for answer in answers}
