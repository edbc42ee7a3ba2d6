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


class Told:
    """What a plugin's account_status notifications come to."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.changes: list[tuple[str, str]] = []
        ring = StderrRing(WirePolicy())
        self._unasked = Unasked(ring, _nothing, self.clock, WirePolicy(), lambda errand: True)
        self._unasked.on_status = lambda account_id, state: self.changes.append((account_id, state))

    def hear(self, account_id: str, state: str) -> None:
        params = json.dumps({"account_id": account_id, "state": state}).encode()
        self._unasked.notification("channel.account_status", params)


def test_an_account_that_flaps_does_not_push_everybody_elses_events_out():
    """Events are kept by number: without a bound, one plugin's would be all of them in a minute."""
    told = Told()
    for turn in range(10_000):
        told.hear("shop", ("up", "down")[turn % 2])
    assert len(told.changes) == 1_000
    told.clock.advance(1)
    told.hear("shop", "gone")
    told.hear("shop", "up")
    assert told.changes[1_000:] == [("shop", "gone")]


def test_of_accounts_without_number_the_first_are_heard_again():
    told = Told()
    for number in range(2_000):
        told.hear(f"a{number}", "up")
    told.clock.advance(1)
    told.hear("a7", "down")
    assert (len(told.changes), told.changes[-1]) == (1_001, ("a7", "down"))
