"""When to try a delivery again and when to stop: one table for built-ins and plugins (pure).

Source: delivery semantics, "Retry, and what does not use up retries"; row C4.
"""

from typing import Any, Literal

import msgspec

from wunder.model.delivery import ClaimedDelivery, DeliveryState
from wunder.model.fault import MAX_RETRY_AFTER_S, OUTAGES, PERMANENT, Fault, FaultKind
from wunder.model.ids import At

#: A smaller difference is no step of the clock (store/policy.py).
_CLOCK_STEP_MS = 5_000


class RetryPolicy(msgspec.Struct, frozen=True):
    """Row C4's numbers: base 2 s, cap 60 s, 5 retries; the rest as delivery semantics has them."""

    retries: int = 5
    base_s: float = 2.0
    cap_s: float = 60.0
    busy_s: float = 0.25
    rate_limited_s: float = 3.0
    tombstone_s: float = 60.0  # how long a call may run on after its time-out


class Circumstances(msgspec.Struct, frozen=True):
    """What the verdict depends on besides the delivery and the fault.

    `idempotency_window_s` is None where the platform folds no repeats of this delivery.
    `jitter` is a random number in [0, 1): full jitter in [half, whole].
    """

    now: At
    jitter: float
    idempotency_window_s: int | None
    on_unknown: Literal["park", "retry_once"] = "park"


class Verdict(msgspec.Struct, frozen=True):
    """What becomes of a delivery after a failed attempt.

    `lane_until` keeps its lane shut although it was parked: its call may still be running.
    """

    state: DeliveryState
    outcome: Literal["sent", "not_sent", "unknown"]
    retry_at: At | None = None
    uses_retry: bool = False
    new_ordinal: bool = False
    next_state: dict[str, Any] | None = None
    lane_until: At | None = None


def after_fault(
    fault: Fault, delivery: ClaimedDelivery, given: Circumstances, policy: RetryPolicy
) -> Verdict:
    """Decide what a failed attempt means for its delivery."""
    if fault.kind is FaultKind.DUPLICATE:
        return _after_duplicate(fault, delivery, given)
    if fault.outcome == "sent":
        return Verdict(DeliveryState.SENT, "sent")
    if fault.outcome == "unknown":
        return _after_unknown(fault, delivery, given, policy)
    if fault.kind in OUTAGES:
        wait_s = _outage_wait_s(fault, delivery, given, policy)
        return Verdict(DeliveryState.PENDING, "not_sent", _in(given.now, wait_s))
    if fault.kind in PERMANENT or not _is_worth_a_retry(fault):
        return Verdict(DeliveryState.FAILED, "not_sent")
    if delivery.retries_used >= policy.retries:
        # What may have arrived at an earlier try has not failed: a person who repeats it should know.
        state = DeliveryState.UNKNOWN if delivery.had_unknown else DeliveryState.FAILED
        return Verdict(state, "not_sent")
    wait_s = max(_backoff_s(delivery.retries_used, given, policy), _asked_wait_s(fault))
    return Verdict(DeliveryState.PENDING, "not_sent", _in(given.now, wait_s), uses_retry=True)


def _after_duplicate(fault: Fault, delivery: ClaimedDelivery, given: Circumstances) -> Verdict:
    """An earlier attempt may have arrived: then it did. Else the key is somebody else's."""
    if delivery.had_unknown:
        if fault.next_state is not None:
            return Verdict(DeliveryState.SENDING, "sent", next_state=fault.next_state)
        return Verdict(DeliveryState.SENT, "sent")
    if delivery.collisions == 0:
        return Verdict(DeliveryState.PENDING, "not_sent", given.now, new_ordinal=True)
    return Verdict(DeliveryState.FAILED, "not_sent")


def _after_unknown(
    fault: Fault, delivery: ClaimedDelivery, given: Circumstances, policy: RetryPolicy
) -> Verdict:
    # Nobody heard how a timed-out call ended: the next message must not overtake it.
    rests = _in(given.now, policy.tombstone_s) if fault.kind is FaultKind.TIMEOUT else None
    parked = Verdict(DeliveryState.UNKNOWN, "unknown", lane_until=rests)
    if delivery.retries_used >= policy.retries:
        return parked
    retry_at = _in(given.now, _backoff_s(delivery.retries_used, given, policy))
    if given.idempotency_window_s is not None:
        closes_at = delivery.first_sending_at + given.idempotency_window_s * 1000
        # From the future: the clock was set back, and how long ago it really was nobody knows.
        if delivery.first_sending_at - _CLOCK_STEP_MS <= given.now and retry_at < closes_at:
            return Verdict(DeliveryState.PENDING, "unknown", retry_at, uses_retry=True)
    if given.on_unknown == "retry_once" and not delivery.had_unknown:
        return Verdict(DeliveryState.PENDING, "unknown", retry_at, uses_retry=True)
    return parked


def _is_worth_a_retry(fault: Fault) -> bool:
    return fault.is_retryable or fault.kind in (
        FaultKind.INTERNAL,
        FaultKind.BAD_FRAME,
        FaultKind.PLUGIN_CRASHED,
        FaultKind.TIMEOUT,
        FaultKind.DEADLINE,
        FaultKind.CANCELLED,
        FaultKind.WRITE_STALLED,
        FaultKind.OUTCOME_UNKNOWN,
    )


def _outage_wait_s(
    fault: Fault, delivery: ClaimedDelivery, given: Circumstances, policy: RetryPolicy
) -> float:
    if fault.retry_after_s is not None:
        return _asked_wait_s(fault)
    if fault.kind is FaultKind.BUSY:
        return policy.busy_s
    if fault.kind is FaultKind.SHUTTING_DOWN:
        return 0.0
    if fault.kind is FaultKind.RATE_LIMITED:
        return policy.rate_limited_s
    return _backoff_s(delivery.attempt_no - 1, given, policy)


def _asked_wait_s(fault: Fault) -> float:
    return min(max(fault.retry_after_s or 0.0, 0.0), MAX_RETRY_AFTER_S)


def _backoff_s(tries_before: int, given: Circumstances, policy: RetryPolicy) -> float:
    whole_s = min(policy.cap_s, policy.base_s * 2.0 ** min(tries_before, 30))
    return float(whole_s * (0.5 + 0.5 * given.jitter))


def _in(now: At, seconds: float) -> At:
    return At(now + int(seconds * 1000))
