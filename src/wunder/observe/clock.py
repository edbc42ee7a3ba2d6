"""The real clock: the only place that reads wall time."""

import asyncio
import time

from wunder.model.ids import At


def wall_ms() -> int:
    """Return Unix milliseconds, UTC; for log lines, which have no clock handed to them."""
    return time.time_ns() // 1_000_000


class SystemClock:
    """Clock of the machine (port Clock)."""

    def now(self) -> At:
        """Return Unix milliseconds, UTC. May step when the machine's time is set."""
        return At(wall_ms())

    def monotonic(self) -> float:
        """Return seconds that never step, counted from nowhere in particular."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Return after `seconds`; at once, but after other tasks ran, where it is <= 0."""
        await asyncio.sleep(max(0.0, seconds))
