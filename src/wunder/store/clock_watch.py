"""Notices a step of the wall clock, and lets expiry rest until the time may be trusted again.

Source: delivery semantics, Time. SQLite has one process whose claims end only by their owner, so there
is nothing to steal; what a wrong clock can do is expire deliveries too soon or postpone retries too far.
"""

from wunder.ports import Clock
from wunder.store.policy import StorePolicy


class ClockWatch:
    """Compares wall with monotonic time since it last looked."""

    def __init__(self, clock: Clock, policy: StorePolicy) -> None:
        self._clock = clock
        self._policy = policy
        self._wall_ms = float(clock.now())
        self._monotonic_s = clock.monotonic()
        self._frozen_until_s = float("-inf")
        self._stepped_ms = 0.0

    @property
    def is_frozen(self) -> bool:
        """True while nothing may expire; looks at the clocks first."""
        self._look()
        return self._clock.monotonic() < self._frozen_until_s

    def take_step_ms(self) -> int:
        """How far the wall clock was set since this was last asked, whoever noticed it first."""
        self._look()
        stepped_ms, self._stepped_ms = self._stepped_ms, 0.0
        return int(stepped_ms)

    def _look(self) -> None:
        wall_ms, monotonic_s = float(self._clock.now()), self._clock.monotonic()
        step_ms = (wall_ms - self._wall_ms) - (monotonic_s - self._monotonic_s) * 1000
        self._wall_ms, self._monotonic_s = wall_ms, monotonic_s
        if abs(step_ms) > self._policy.clock_step_s * 1000:
            self._frozen_until_s = monotonic_s + self._policy.freeze_s
            self._stepped_ms += step_ms
