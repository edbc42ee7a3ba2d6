"""Delivery semantics: when refused credentials park an account."""

from wunder.outbound.parking import (
    ParkingPolicy,
    Standing,
    after_failure,
    after_probe_left,
    may_try,
)

POLICY = ParkingPolicy()
T0 = 1_700_000_000_000


def test_one_failure_does_not_park() -> None:
    assert not after_failure(Standing(), 1, T0, POLICY).is_parked


def test_two_failures_close_together_do_not_park() -> None:
    first = after_failure(Standing(), 1, T0, POLICY)
    assert not after_failure(first, 1, T0 + 29_999, POLICY).is_parked


def test_two_failures_thirty_seconds_apart_park_and_one_probe_follows_in_a_quarter() -> None:
    first = after_failure(Standing(), 1, T0, POLICY)
    parked = after_failure(first, 1, T0 + 30_000, POLICY)
    assert parked.is_parked
    assert not may_try(parked, 1, T0 + 30_000 + 899_999)
    assert may_try(parked, 1, T0 + 30_000 + 900_000)


def test_a_probe_under_way_pushes_the_next_one_away() -> None:
    parked = Standing(first_failure_at=T0, probe_at=T0, rev=1)
    assert may_try(parked, 1, T0)
    left = after_probe_left(parked, T0, POLICY)
    assert not may_try(left, 1, T0 + 899_999)
    assert may_try(left, 1, T0 + 900_000)


def test_a_changed_configuration_is_tried_at_once() -> None:
    parked = Standing(first_failure_at=T0, probe_at=T0 + 900_000, rev=1)
    assert may_try(parked, 2, T0)
    assert not after_failure(parked, 2, T0 + 60_000, POLICY).is_parked
