"""What readiness, metrics and operators ask of the database."""

from collections.abc import Callable
from pathlib import Path

from wunder.model.ids import At
from wunder.store.events import SqlEventLog
from wunder.store.health import SqlHealth
from wunder.store.postgres.address import Address
from wunder.store.postgres.archiving import write_backup
from wunder.store.postgres.life import Life
from wunder.store.postgres.writer import Writer


class PostgresHealth(SqlHealth):
    """Port StoreHealth. A probe's row is of its node: probes of many do not wait for each other."""

    def __init__(
        self,
        writer: Writer,
        events: SqlEventLog,
        life: Life,
        address: Address,
        now: Callable[[], At],
    ) -> None:
        super().__init__(writer, events, f"probed_at.{life.node_id}", lambda: life.epoch)
        self._life = life
        self._address = address
        self._now = now

    def _own(self) -> dict[str, float]:
        return {"nodes": float(self._life.peers + 1)}

    async def backup(self, target: str) -> None:
        """Write an archive and its manifest while serving. Raises: Conflict, StoreFull."""
        await write_backup(self._address, Path(target), self._now(), lambda _words: None)
