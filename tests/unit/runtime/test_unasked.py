"""What a plugin says unasked ends up in its own log, whole and on one line."""

import json

from tests.fakes.clock import FakeClock
from wunder.runtime.policy import WirePolicy
from wunder.runtime.stderr import StderrRing
from wunder.runtime.unasked import Unasked


async def _nothing(method: str, params: bytes) -> object:
    return None


def heard(**params: object) -> list[str]:
    ring = StderrRing(WirePolicy())
    unasked = Unasked(ring, _nothing, FakeClock(), WirePolicy(), lambda errand: True)
    unasked.notification("log", json.dumps(params).encode())
    return ring.tail()


def test_a_log_line_keeps_its_fields():
    lines = heard(level="warning", message="slow", fields={"account_id": "shop", "took_ms": 7})
    assert lines == ["warning: slow account_id='shop' took_ms=7"]


def test_a_field_cannot_begin_a_line_of_its_own():
    (line,) = heard(message="x", fields={"a": "b\nerror: forged"})
    assert "\n" not in line


def test_a_log_line_of_any_length_is_cut():
    (line,) = heard(message="x", fields={"a": "b" * 100_000})
    assert len(line) < WirePolicy().stderr_line_bytes + 10
