"""Lock-out: how long who has to wait."""

from wunder.people import throttle
from wunder.people.policy import PeoplePolicy
from wunder.people.throttle import Throttle

A, B = "192.0.2.1", "192.0.2.2"


def failed(kept: Throttle, times: int, source: str = A, name: str = "ann", at: float = 0.0) -> None:
    for _ in range(times):
        kept.failed(source, name, at)


def test_a_few_wrong_passwords_are_nothing() -> None:
    kept = Throttle(PeoplePolicy())
    failed(kept, 4)
    assert kept.wait_s(A, "ann", 0.0) == 0


def test_each_further_lock_lasts_twice_as_long_up_to_a_limit() -> None:
    kept, now, spans = Throttle(PeoplePolicy()), 0.0, []
    for _ in range(7):
        failed(kept, 5, at=now)
        spans.append(kept.wait_s(A, "ann", now) - 1)
        now += spans[-1]
    assert spans == [30, 60, 120, 240, 480, 900, 900]


def test_another_name_and_another_source_are_not_locked() -> None:
    kept = Throttle(PeoplePolicy())
    failed(kept, 5)
    assert kept.wait_s(A, "bob", 0.0) == kept.wait_s(B, "ann", 0.0) == 0


def test_a_source_that_tries_many_names_is_locked_for_all() -> None:
    kept = Throttle(PeoplePolicy())
    for number in range(30):
        kept.failed(A, f"name-{number}", 0.0)
    assert kept.wait_s(A, "somebody", 0.0) > 0
    assert kept.wait_s(B, "somebody", 0.0) == 0


def test_success_forgets_the_name_and_many_successes_lock_nobody() -> None:
    kept = Throttle(PeoplePolicy())
    failed(kept, 4)
    for _ in range(100):
        kept.failed(A, "ann", 0.0)
        kept.succeeded(A, "ann")
    failed(kept, 4)
    assert kept.wait_s(A, "ann", 0.0) == 0


def test_quiet_time_is_forgiven() -> None:
    kept = Throttle(PeoplePolicy())
    failed(kept, 4)
    failed(kept, 4, at=901.0)
    assert kept.wait_s(A, "ann", 901.0) == 0


def test_what_is_kept_is_bounded(monkeypatch) -> None:
    monkeypatch.setattr(throttle, "MAX_KEPT", 10)
    kept = Throttle(PeoplePolicy())
    for number in range(50):
        kept.failed(f"2001:db8::{number}", "ann", 0.0)
    assert len(kept._records) <= 10
