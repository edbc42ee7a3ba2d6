"""Time: wall time for rows, monotonic time for durations."""

from typing import Protocol

from wunder.model.ids import At


class Clock(Protocol):
    """Wall time for rows, monotonic time for durations; tests advance it by hand."""

    def now(self) -> At:
        """Unix milliseconds, UTC."""

    def monotonic(self) -> float:
        """Seconds that never step back."""

    async def sleep(self, seconds: float) -> None:
        """Wait; a test decides how long that is."""
