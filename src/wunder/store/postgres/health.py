"""What readiness, metrics and operators ask of the store."""

from collections.abc import Callable
from pathlib import Path

from wunder.model.ids import At
from wunder.store.events import SqlEventLog
from wunder.store.postgres.address import Address
from wunder.store.postgres.archiving import write_backup
from wunder.store.postgres.life import Life
from wunder.store.postgres.transaction import Tx
from wunder.store.postgres.writer import Writer
from wunder.upkeep.doors import StoreHealth

#: A row a node: probes of many nodes do not wait for each other.
_PROBE = """
INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value
"""


class PostgresHealth(StoreHealth):
    """Port StoreHealth."""

    def __init__(
        self,
        writer: Writer,
        events: SqlEventLog,
        life: Life,
        address: Address,
        now: Callable[[], At],
    ) -> None:
        self._writer = writer
        self._events = events
        self._life = life
        self._address = address
        self._now = now

    async def probe(self) -> None:
        """Write and commit one row, as intake would. Raises: StoreUnavailable, StoreFull, StoreBroken."""

        async def unit(tx: Tx) -> None:
            await tx.execute(_PROBE, (f"probed_at.{self._life.node_id}", str(tx.now)))

        await self._writer.commit(unit, is_intake=True)

    def figures(self) -> dict[str, float]:
        """Kept counters over all nodes, and this node's own work."""
        return {
            **self._writer.counters.snapshot(),
            "commits": float(self._writer.commits),
            "units": float(self._writer.units),
            "rows": float(self._writer.rows),
            "queue": float(self._writer.queued),
            "epoch": float(self._life.epoch),
            "nodes": float(self._life.peers + 1),
            "events_dropped": float(self._events.dropped),
        }

    async def backup(self, target: str) -> None:
        """Write an archive and its manifest while serving. Raises: Conflict, StoreFull."""
        await write_backup(self._address, Path(target), self._now(), lambda _words: None)
