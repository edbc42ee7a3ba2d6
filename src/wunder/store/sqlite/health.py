"""What readiness, metrics and operators ask of the store."""

import asyncio
from pathlib import Path

from wunder.ports import Clock
from wunder.store.events import SqlEventLog
from wunder.store.policy import StorePolicy
from wunder.store.sqlite.backup import write_backup
from wunder.store.sqlite.checkpoints import Checkpoints
from wunder.store.sqlite.life import Life
from wunder.store.sqlite.transaction import Tx
from wunder.store.sqlite.writer import Writer

_PROBE = """
INSERT INTO meta (key, value) VALUES ('probed_at', ?)
ON CONFLICT (key) DO UPDATE SET value = excluded.value
"""


class SqliteHealth:
    """Port StoreHealth."""

    def __init__(
        self,
        writer: Writer,
        checkpoints: Checkpoints,
        events: SqlEventLog,
        life: Life,
        db_file: Path,
        clock: Clock,
    ) -> None:
        self._writer = writer
        self._checkpoints = checkpoints
        self._events = events
        self._life = life
        self._db_file = db_file
        self._clock = clock
        self.policy = StorePolicy()

    async def probe(self) -> None:
        """Write and commit one row, as intake would. Raises: StoreUnavailable, StoreFull, StoreBroken."""

        def unit(tx: Tx) -> None:
            tx.execute(_PROBE, (str(tx.now),))

        await self._writer.commit(unit, is_intake=True)

    def figures(self) -> dict[str, float]:
        """Kept counters; nothing is counted for this call."""
        return {
            **self._writer.counters.snapshot(),
            "commits": float(self._writer.commits),
            "units": float(self._writer.units),
            "rows": float(self._writer.rows),
            "queue": float(self._writer.queued),
            "epoch": float(self._life.epoch),
            "wal_bytes": float(self._checkpoints.wal_bytes()),
            "checkpoints": float(self._checkpoints.done),
            "events_dropped": float(self._events.dropped),
        }

    async def backup(self, target: str) -> None:
        """Write a consistent copy and its manifest while serving. Raises: Conflict, StoreFull."""
        await asyncio.to_thread(
            write_backup, self._db_file, Path(target), self._clock.now(), self.policy
        )
