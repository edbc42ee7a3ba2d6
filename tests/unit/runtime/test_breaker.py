"""The breaker, without a clock or a call."""

from hypothesis import given
from hypothesis import strategies as st

from wunder.model.fault import FaultKind
from wunder.runtime.breaker import SAYS_NOTHING, TRIPS, Breaker, BreakerState
from wunder.runtime.policy import BreakerPolicy

POLICY = BreakerPolicy()


def opened(at: float = 0.0) -> Breaker:
    breaker = Breaker(POLICY)
    for _ in range(POLICY.failures_in_row):
        breaker.settle(breaker.admit(at), FaultKind.TIMEOUT, at, 0.0)
    assert breaker.state is BreakerState.OPEN
    return breaker


def test_it_opens_at_the_fifth_failure_in_a_row_and_not_before():
    breaker = Breaker(POLICY)
    changes = [breaker.settle(breaker.admit(0.0), FaultKind.INTERNAL, 0.0, 0.0) for _ in range(5)]
    assert changes == [False, False, False, False, True]


def test_a_success_between_failures_starts_the_count_again():
    breaker = Breaker(POLICY)
    for fault in [FaultKind.TIMEOUT] * 4 + [None] + [FaultKind.TIMEOUT] * 4:
        breaker.settle(breaker.admit(0.0), fault, 0.0, 0.0)
    assert breaker.state is BreakerState.CLOSED


def test_it_opens_when_half_of_twenty_calls_in_the_window_failed():
    breaker = Breaker(POLICY)
    for number in range(19):
        breaker.settle(breaker.admit(1.0), None if number % 2 else FaultKind.TIMEOUT, 1.0, 0.0)
    assert breaker.settle(breaker.admit(1.0), FaultKind.TIMEOUT, 1.0, 0.0)
    assert breaker.state is BreakerState.OPEN


def test_failures_older_than_the_window_do_not_count():
    breaker = Breaker(POLICY)
    for number in range(18):
        breaker.settle(breaker.admit(0.0), None if number % 2 else FaultKind.TIMEOUT, 0.0, 0.0)
    for fault in (FaultKind.TIMEOUT, FaultKind.TIMEOUT):
        breaker.settle(breaker.admit(31.0), fault, 31.0, 0.0)
    assert breaker.state is BreakerState.CLOSED


def test_half_open_lets_exactly_one_call_through():
    breaker = opened()
    assert breaker.admit(9.9) == 0
    probe = breaker.admit(10.0)
    assert probe
    assert [breaker.admit(10.0 + wait) for wait in (0, 1, 1_000)] == [0, 0, 0]
    assert breaker.settle(probe, None, 11.0, 0.0)
    assert breaker.state is BreakerState.CLOSED


def test_each_failed_probe_doubles_the_wait_up_to_five_minutes():
    breaker, waits = opened(), []
    for _ in range(8):
        waits.append(breaker.open_until)
        now = breaker.open_until
        breaker.settle(breaker.admit(now), FaultKind.TIMEOUT, now, 0.0)
        waits[-1] = breaker.open_until - now
    assert waits == [20, 40, 80, 160, 300, 300, 300, 300]


def test_a_probe_that_says_nothing_is_followed_by_another():
    breaker = opened()
    breaker.settle(breaker.admit(10.0), FaultKind.PLUGIN_CRASHED, 10.0, 0.0)
    assert breaker.state is BreakerState.OPEN
    assert breaker.admit(10.0)


def test_a_call_admitted_before_it_opened_is_no_probe():
    breaker = Breaker(POLICY)
    early = breaker.admit(0.0)
    for _ in range(5):
        breaker.settle(breaker.admit(0.0), FaultKind.TIMEOUT, 0.0, 0.0)
    probe = breaker.admit(10.0)
    assert not breaker.settle(early, None, 10.0, 0.0)
    assert breaker.state is BreakerState.HALF_OPEN
    assert breaker.settle(probe, FaultKind.TIMEOUT, 10.0, 0.0)


def test_a_rejection_by_the_platform_proves_that_the_way_is_open():
    breaker = opened()
    breaker.settle(breaker.admit(10.0), FaultKind.RECIPIENT_UNREACHABLE, 10.0, 0.0)
    assert breaker.state is BreakerState.CLOSED


@given(
    st.lists(
        st.tuples(
            st.floats(0, 60),
            st.sampled_from([None, *FaultKind]),
            st.floats(0, 1, exclude_max=True),
        ),
        max_size=200,
    )
)
def test_whatever_comes_no_verdict_but_a_tripping_one_opens_it_and_probes_stay_single(steps):
    breaker, now, out = Breaker(POLICY), 0.0, 0
    for wait_s, fault, roll in steps:
        now += wait_s
        before = breaker.state
        ticket = breaker.admit(now)
        if not ticket:
            assert now < breaker.open_until
            continue
        if breaker.state is BreakerState.HALF_OPEN:
            assert breaker.admit(now) == 0
        breaker.settle(ticket, fault, now, roll)
        out += 1
        if breaker.state is BreakerState.OPEN and before is BreakerState.CLOSED:
            assert fault in TRIPS
        assert breaker.open_until <= now + POLICY.open_cap_s * 1.2
        assert breaker.state is not BreakerState.HALF_OPEN
    assert TRIPS.isdisjoint(SAYS_NOTHING)
