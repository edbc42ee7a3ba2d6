"""When calls for one account stop for a while: decided from what came back, no I/O."""

import sys
from enum import StrEnum

from wunder.model.fault import FaultKind
from wunder.runtime.policy import BreakerPolicy

_K = FaultKind
#: Failures that speak against the plugin or its platform (protocol 1, table of errors).
TRIPS = frozenset(
    {
        _K.BAD_FRAME,
        _K.BAD_REQUEST,
        _K.BAD_PARAMS,
        _K.INTERNAL,
        _K.DEADLINE,
        _K.TIMEOUT,
        _K.PROVIDER_UNAVAILABLE,
        _K.OUTCOME_UNKNOWN,
    }
)
#: Nobody was asked, or the process itself fell: restarts have their own wait. A probe that ends
#: so has told nothing and may be repeated.
SAYS_NOTHING = frozenset(
    {
        _K.BUSY,
        _K.SHUTTING_DOWN,
        _K.CANCELLED,
        _K.NOT_READY,
        _K.BREAKER_OPEN,
        _K.PLUGIN_CRASHED,
        _K.WRITE_STALLED,
    }
)


class BreakerState(StrEnum):
    """`half_open`: one call is on its way to find out."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class Breaker:
    """One (plugin, account). Times are monotonic seconds; `roll` is a random number in [0, 1)."""

    _SLICES = 6  # of the window: old calls leave it a slice at a time

    def __init__(self, policy: BreakerPolicy) -> None:
        self._policy = policy
        self.state = BreakerState.CLOSED
        self.open_until = 0.0
        self._era = 1  # counts changes of state
        self._openings = 0  # since it last closed
        self._in_row = 0
        self._slices: list[tuple[int, int, int]] = []  # (which slice, calls, failures)

    def admit(self, now: float) -> int:
        """Return a ticket for one call, 0 where it must not go out.

        The first call after the wait is the probe: exactly one.
        """
        if self.state is BreakerState.OPEN and now >= self.open_until:
            self._become(BreakerState.HALF_OPEN)
            return self._era
        return self._era if self.state is BreakerState.CLOSED else 0

    def room(self, now: float) -> int:
        """How many calls would be admitted now: all, one or none."""
        if self.state is BreakerState.CLOSED:
            return sys.maxsize
        return int(self.state is BreakerState.OPEN and now >= self.open_until)

    def settle(self, ticket: int, fault: FaultKind | None, now: float, roll: float) -> bool:
        """Take in how an admitted call ended; True where that changed the state.

        Any answer but a tripping one proves the way is open, a rejection too. Calls that were
        admitted before the state last changed do not count.
        """
        if ticket != self._era:
            return False
        is_probe = self.state is BreakerState.HALF_OPEN
        if fault is not None and fault in SAYS_NOTHING:
            if is_probe:
                self._become(BreakerState.OPEN)
                self.open_until = now
            return False
        has_failed = fault is not None and fault in TRIPS
        if is_probe and not has_failed:
            self._become(BreakerState.CLOSED)
            self._openings = 0
            return True
        self._count(has_failed, now)
        if has_failed and (is_probe or self._is_too_much()):
            self._open(now, roll)
        return ticket != self._era

    def _count(self, has_failed: bool, now: float) -> None:
        self._in_row = self._in_row + 1 if has_failed else 0
        current = int(now / self._policy.window_s * self._SLICES)
        if self._slices and self._slices[-1][0] == current:
            _, calls, failures = self._slices[-1]
            self._slices[-1] = (current, calls + 1, failures + has_failed)
            return
        self._slices = [part for part in self._slices if part[0] > current - self._SLICES]
        self._slices.append((current, 1, int(has_failed)))

    def _is_too_much(self) -> bool:
        if self._in_row >= self._policy.failures_in_row:
            return True
        calls = sum(part[1] for part in self._slices)
        failures = sum(part[2] for part in self._slices)
        share = self._policy.window_failed_share
        return calls >= self._policy.window_calls and failures >= share * calls

    def _open(self, now: float, roll: float) -> None:
        # Up to a fifth longer, so that breakers which opened together do not probe together.
        wait_s = min(self._policy.open_cap_s, self._policy.open_s * 2**self._openings)
        self._openings = min(self._openings + 1, 30)
        self._become(BreakerState.OPEN)
        self.open_until = now + wait_s * (1 + roll / 5)

    def _become(self, state: BreakerState) -> None:
        self.state = state
        self._era += 1
        self._in_row = 0
        self._slices = []
