"""What readiness and metrics ask of a store; the same on both engines, but for an engine's own figures."""

from collections.abc import Callable
from typing import Protocol

from wunder.store.events import Carries, SqlEventLog
from wunder.store.unit import Transaction

_PROBE = """
INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value
"""


class Figures(Protocol):
    """Kept counters."""

    def snapshot(self) -> dict[str, float]:
        """All figures."""


class Counting(Carries, Protocol):
    """A writer, and what it has done."""

    commits: int
    units: int
    rows: int

    @property
    def counters(self) -> Figures:
        """Kept counters."""

    @property
    def queued(self) -> int:
        """Units that wait."""


class SqlHealth:
    """Port StoreHealth, without what an engine does in its own way."""

    def __init__(
        self, writer: Counting, events: SqlEventLog, probe_key: str, epoch: Callable[[], int]
    ) -> None:
        self._writer = writer
        self._events = events
        self._probe_key = probe_key
        self._epoch = epoch

    async def probe(self) -> None:
        """Write and commit one row, as intake would. Raises: StoreUnavailable, StoreFull, StoreBroken."""

        async def unit(tx: Transaction) -> None:
            await tx.run(_PROBE, (self._probe_key, str(tx.now)))

        await self._writer.work(unit, is_intake=True)

    def figures(self) -> dict[str, float]:
        """Kept counters, and this process's own work; nothing is counted for this call."""
        return {
            **self._writer.counters.snapshot(),
            "commits": float(self._writer.commits),
            "units": float(self._writer.units),
            "rows": float(self._writer.rows),
            "queue": float(self._writer.queued),
            "epoch": float(self._epoch()),
            "events_dropped": float(self._events.dropped),
            **self._own(),
        }

    def _own(self) -> dict[str, float]:
        raise NotImplementedError
