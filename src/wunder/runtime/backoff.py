"""When a plugin that fell is started again, and when not: decided from its history, no I/O."""

from enum import StrEnum

import msgspec

from wunder.runtime.policy import LifePolicy


class Fall(StrEnum):
    """How a life ended that should have gone on."""

    CRASHED = "crashed"  # after it was ready: exit, no answer to probes, stalled, too much memory
    NOT_STARTED = "not_started"  # before
    INCURABLE = "incurable"  # a restart cannot help: wrong id, wrong protocol, cannot be executed
    EXCUSED = "excused"  # by the one call it was alone with, which is quarantined for it


class FallHistory(msgspec.Struct, frozen=True):
    """What earlier lives of one release left behind. Times are monotonic seconds."""

    crashes_at: tuple[float, ...] = ()
    failed_starts: int = 0  # in a row
    in_row: int = 0  # falls since it was last settled: doubles the wait
    was_half_open: bool = False  # its one late start is used up


class Verdict(msgspec.Struct, frozen=True):
    """`wait_s` None: no more starts until a person or a new release asks for one."""

    is_broken: bool
    wait_s: float | None


def after_fall(
    before: FallHistory, fall: Fall, now: float, ready_for_s: float, policy: LifePolicy, roll: float
) -> tuple[FallHistory, Verdict]:
    """Return what to remember and whether, and when, to start again.

    Args:
        before: the history of earlier lives.
        fall: how this one ended.
        now: monotonic seconds.
        ready_for_s: how long it was ready; 0 where it never was.
        policy: the limits.
        roll: random, in [0, 1).
    """
    history = FallHistory() if ready_for_s >= policy.settled_after_s else before
    if fall is Fall.INCURABLE:
        return history, Verdict(True, None)
    since = now - policy.crash_window_s
    crashes = tuple(at for at in history.crashes_at if at > since)
    history = FallHistory(
        crashes_at=(*crashes, now) if fall is Fall.CRASHED else crashes,
        failed_starts=history.failed_starts + 1 if fall is Fall.NOT_STARTED else 0,
        in_row=history.in_row + 1,
        was_half_open=history.was_half_open,
    )
    is_broken = fall is not Fall.EXCUSED and (
        history.was_half_open
        or len(history.crashes_at) > policy.crashes_allowed
        or history.failed_starts >= policy.failed_starts_allowed
    )
    if not is_broken:
        return history, Verdict(False, wait_s(history.in_row, policy, roll))
    if history.was_half_open:
        return history, Verdict(True, None)
    return msgspec.structs.replace(history, was_half_open=True), Verdict(
        True, policy.half_open_after_s
    )


def wait_s(in_row: int, policy: LifePolicy, roll: float) -> float:
    """Return how long to wait after the `in_row`-th fall: in [d/2, d], d doubling to the cap."""
    doublings = min(max(in_row - 1, 0), 30)
    longest: float = min(policy.backoff_cap_s, policy.backoff_first_s * 2**doublings)
    return longest * (0.5 + roll / 2)
