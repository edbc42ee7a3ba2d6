"""Row C4 and delivery semantics: what becomes of a delivery after a failed attempt."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wunder.model.conversation import Conversation
from wunder.model.delivery import DELIVERY_MOVES, ClaimedDelivery, DeliveryState, ReleaseRef
from wunder.model.fault import OUTAGES, PERMANENT, Fault, FaultKind
from wunder.model.message import OutboundMessage
from wunder.outbound.retry import Circumstances, RetryPolicy, after_fault

POLICY = RetryPolicy()
NOW = 1_700_000_000_000


def delivery(**changes) -> ClaimedDelivery:
    message = OutboundMessage("m1", Conversation("u1", "user", "p1"), "any", "main", "hello")
    plain = ClaimedDelivery(
        delivery_id="d1",
        attempt_id="a1",
        attempt_no=1,
        fence=1,
        message=message,
        root_message_id="m0",
        reply_ordinal=1,
        part=0,
        part_state=None,
        retries_used=0,
        collisions=0,
        first_sending_at=NOW,
        queued_at=NOW,
        expires_at=NOW + 86_400_000,
        release=ReleaseRef("any", "1.0.0"),
        begun_by=None,
        had_unknown=False,
    )
    return msgspec.structs.replace(plain, **changes)


def given_now(**changes) -> Circumstances:
    usual = Circumstances(now=NOW, jitter=0.999999, idempotency_window_s=None)
    return msgspec.structs.replace(usual, **changes)


@pytest.mark.parametrize(("used", "wait_s"), [(0, 2), (1, 4), (2, 8), (3, 16), (4, 32)])
def test_retries_double_from_two_seconds(used: int, wait_s: int) -> None:
    fault = Fault(FaultKind.INTERNAL, is_retryable=True)
    verdict = after_fault(fault, delivery(retries_used=used), given_now(), POLICY)
    assert verdict.state is DeliveryState.PENDING
    assert verdict.uses_retry
    assert verdict.retry_at - NOW == pytest.approx(wait_s * 1000, abs=2)


def test_backoff_is_capped_at_a_minute() -> None:
    fault = Fault(FaultKind.INTERNAL)
    many = RetryPolicy(retries=50)
    verdict = after_fault(fault, delivery(retries_used=20), given_now(), many)
    assert verdict.retry_at - NOW <= 60_000


def test_the_sixth_failure_is_final_and_kept_for_replay() -> None:
    fault = Fault(FaultKind.INTERNAL)
    verdict = after_fault(fault, delivery(retries_used=5), given_now(), POLICY)
    assert verdict.state is DeliveryState.FAILED


def test_what_may_have_arrived_before_the_last_failure_is_parked_and_not_failed() -> None:
    fault = Fault(FaultKind.INTERNAL)
    verdict = after_fault(fault, delivery(retries_used=5, had_unknown=True), given_now(), POLICY)
    assert (verdict.state, verdict.outcome) == (DeliveryState.UNKNOWN, "not_sent")


@pytest.mark.parametrize("kind", sorted(OUTAGES))
def test_outages_use_up_no_retry(kind: FaultKind) -> None:
    verdict = after_fault(Fault(kind), delivery(retries_used=5), given_now(), POLICY)
    assert verdict.state is DeliveryState.PENDING
    assert not verdict.uses_retry


@pytest.mark.parametrize("kind", sorted(PERMANENT))
def test_permanent_faults_fail_at_once(kind: FaultKind) -> None:
    assert after_fault(Fault(kind), delivery(), given_now(), POLICY).state is DeliveryState.FAILED


def test_a_platform_that_says_when_is_believed_within_an_hour() -> None:
    fault = Fault(FaultKind.RATE_LIMITED, retry_after_s=7.0)
    assert after_fault(fault, delivery(), given_now(), POLICY).retry_at == NOW + 7000
    absurd = Fault(FaultKind.RATE_LIMITED, retry_after_s=1e12)
    assert after_fault(absurd, delivery(), given_now(), POLICY).retry_at == NOW + 3_600_000


@pytest.mark.parametrize(
    "kind",
    [
        FaultKind.TIMEOUT,
        FaultKind.PLUGIN_CRASHED,
        FaultKind.WRITE_STALLED,
        FaultKind.OUTCOME_UNKNOWN,
    ],
)
def test_unknown_is_parked_where_the_platform_folds_no_repeats(kind: FaultKind) -> None:
    verdict = after_fault(Fault(kind, outcome="unknown"), delivery(), given_now(), POLICY)
    assert verdict.state is DeliveryState.UNKNOWN


def test_unknown_is_repeated_with_the_same_key_inside_the_platforms_window() -> None:
    fault = Fault(FaultKind.TIMEOUT, outcome="unknown")
    verdict = after_fault(fault, delivery(), given_now(idempotency_window_s=300), POLICY)
    assert verdict.state is DeliveryState.PENDING
    assert verdict.uses_retry
    assert not verdict.new_ordinal


def test_the_window_counts_from_the_first_sending() -> None:
    fault = Fault(FaultKind.TIMEOUT, outcome="unknown")
    old = delivery(first_sending_at=NOW - 299_000)
    verdict = after_fault(fault, old, given_now(idempotency_window_s=300), POLICY)
    assert verdict.state is DeliveryState.UNKNOWN


def test_unknown_with_no_retries_left_is_parked() -> None:
    fault = Fault(FaultKind.TIMEOUT, outcome="unknown")
    spent = delivery(retries_used=5)
    verdict = after_fault(fault, spent, given_now(idempotency_window_s=300), POLICY)
    assert verdict.state is DeliveryState.UNKNOWN


def test_retry_once_repeats_an_unknown_exactly_once() -> None:
    fault = Fault(FaultKind.TIMEOUT, outcome="unknown")
    once = given_now(on_unknown="retry_once")
    assert after_fault(fault, delivery(), once, POLICY).state is DeliveryState.PENDING
    again = delivery(had_unknown=True, retries_used=1)
    assert after_fault(fault, again, once, POLICY).state is DeliveryState.UNKNOWN


def test_duplicate_after_an_unknown_attempt_means_it_had_arrived() -> None:
    fault = Fault(FaultKind.DUPLICATE)
    verdict = after_fault(fault, delivery(had_unknown=True, attempt_no=2), given_now(), POLICY)
    assert verdict.state is DeliveryState.SENT


def test_a_duplicate_part_that_had_arrived_is_followed_by_the_next_part() -> None:
    fault = Fault(FaultKind.DUPLICATE, next_state={"at": 4})
    verdict = after_fault(fault, delivery(had_unknown=True), given_now(), POLICY)
    assert (verdict.state, verdict.next_state) == (DeliveryState.SENDING, {"at": 4})


def test_duplicate_on_the_first_attempt_is_a_collision_and_takes_a_new_ordinal() -> None:
    verdict = after_fault(Fault(FaultKind.DUPLICATE), delivery(), given_now(), POLICY)
    assert verdict.state is DeliveryState.PENDING
    assert verdict.new_ordinal
    assert not verdict.uses_retry


def test_a_second_collision_fails() -> None:
    twice = delivery(collisions=1, attempt_no=2)
    verdict = after_fault(Fault(FaultKind.DUPLICATE), twice, given_now(), POLICY)
    assert verdict.state is DeliveryState.FAILED


faults = st.builds(
    Fault,
    kind=st.sampled_from(FaultKind),
    outcome=st.sampled_from(["not_sent", "sent", "unknown"]),
    is_retryable=st.booleans(),
    retry_after_s=st.none() | st.floats(allow_nan=False),
)
deliveries = st.builds(
    delivery,
    retries_used=st.integers(0, 9),
    collisions=st.integers(0, 2),
    attempt_no=st.integers(1, 10**6),
    had_unknown=st.booleans(),
    first_sending_at=st.integers(NOW - 10**9, NOW),
)
circumstances = st.builds(
    Circumstances,
    now=st.just(NOW),
    jitter=st.floats(0, 1, exclude_max=True),
    idempotency_window_s=st.none() | st.integers(0, 10**6),
    on_unknown=st.sampled_from(["park", "retry_once"]),
)


@given(faults, deliveries, circumstances)
def test_every_verdict_is_a_legal_move_with_a_bounded_wait(fault, tried, given_that) -> None:
    verdict = after_fault(fault, tried, given_that, POLICY)
    assert verdict.state in DELIVERY_MOVES[DeliveryState.SENDING]
    assert (verdict.retry_at is not None) == (verdict.state is DeliveryState.PENDING)
    if verdict.retry_at is not None:
        assert NOW <= verdict.retry_at <= NOW + 3_600_000


@given(faults, deliveries, circumstances)
def test_what_may_have_arrived_is_never_blindly_repeated(fault, tried, given_that) -> None:
    verdict = after_fault(fault, tried, given_that, POLICY)
    if fault.outcome == "unknown" and verdict.state is DeliveryState.PENDING:
        folds = given_that.idempotency_window_s is not None
        is_asked_for = given_that.on_unknown == "retry_once" and not tried.had_unknown
        is_collision = fault.kind is FaultKind.DUPLICATE
        assert folds or is_asked_for or is_collision


@pytest.mark.parametrize(
    ("began_ms", "state"),
    [(NOW - 1_000, DeliveryState.PENDING), (NOW + 3_600_000, DeliveryState.UNKNOWN)],
)
def test_a_window_that_seems_to_begin_in_the_future_counts_as_over(
    began_ms: int, state: DeliveryState
) -> None:
    """The clock was set back meanwhile: how long ago it really began, nobody knows."""
    fault = Fault(FaultKind.TIMEOUT, outcome="unknown")
    given = given_now(idempotency_window_s=300)
    verdict = after_fault(fault, delivery(first_sending_at=began_ms), given, POLICY)
    assert verdict.state is state
