"""The real clock: the only place that reads wall time."""

import asyncio
import time

from wunder.model.ids import At


def wall_ms() -> int:
    """Return Unix milliseconds, UTC; for log lines, which have no clock handed to them."""
    return time.time_ns() // 1_000_000


class SystemClock:
    """Clock of the machine (port Clock)."""

    #: Seconds that never step, counted from nowhere in particular.
    monotonic = staticmethod(time.monotonic)

    def now(self) -> At:
        """Return Unix milliseconds, UTC. May step when the machine's time is set."""
        return At(wall_ms())

    async def sleep(self, seconds: float) -> None:
        """Return after `seconds`; at once, but after other tasks ran, where it is <= 0."""
        await asyncio.sleep(max(0.0, seconds))


class SharedClock(SystemClock):
    """The machine's clock until another one is heard that many nodes share; that one from then on.

    Between two hearings the monotonic clock carries the time on, so nobody who sets this machine's
    clock sets this one. Source: docs/adr/0062.
    """

    def __init__(self) -> None:
        self._zero_ms: float | None = None  # shared time when the monotonic clock showed 0

    def now(self) -> At:
        """Return Unix milliseconds, UTC. Steps only with the shared clock."""
        if self._zero_ms is None:
            return At(wall_ms())
        return At(int(self._zero_ms + self.monotonic() * 1000))

    def heard(self, shared: At, asked_s: float) -> None:
        """Learn what the shared clock showed at some moment since the monotonic one showed `asked_s`.

        The time is moved no further than that answer demands: it may have been long on its way.
        """
        earliest, latest = shared - self.monotonic() * 1000, shared + 1 - asked_s * 1000
        before = (earliest + latest) / 2 if self._zero_ms is None else self._zero_ms
        self._zero_ms = min(max(before, earliest), latest)
