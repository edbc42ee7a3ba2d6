"""What readiness, metrics and operators ask of the file."""

import asyncio
from pathlib import Path

from wunder.ports import Clock
from wunder.store.events import SqlEventLog
from wunder.store.health import SqlHealth
from wunder.store.policy import StorePolicy
from wunder.store.sqlite.backup import write_backup
from wunder.store.sqlite.checkpoints import Checkpoints
from wunder.store.sqlite.life import Life
from wunder.store.sqlite.writer import Writer


class SqliteHealth(SqlHealth):
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
        super().__init__(writer, events, "probed_at", lambda: life.epoch)
        self._checkpoints = checkpoints
        self._db_file = db_file
        self._clock = clock
        self.policy = StorePolicy()

    def _own(self) -> dict[str, float]:
        return {
            "wal_bytes": float(self._checkpoints.wal_bytes()),
            "checkpoints": float(self._checkpoints.done),
        }

    async def backup(self, target: str) -> None:
        """Write a consistent copy and its manifest while serving. Raises: Conflict, StoreFull."""
        await asyncio.to_thread(
            write_backup, self._db_file, Path(target), self._clock.now(), self.policy
        )
