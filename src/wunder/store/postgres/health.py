"""What readiness, metrics and operators ask of the store."""

import asyncio
import os
import shutil
from pathlib import Path

from wunder.errors import Conflict, StoreUnavailable
from wunder.ports import StoreHealth
from wunder.store.events import SqlEventLog
from wunder.store.postgres.address import Address
from wunder.store.postgres.life import Life
from wunder.store.postgres.transaction import Tx
from wunder.store.postgres.writer import Writer

#: A row a node: probes of many nodes do not wait for each other.
_PROBE = """
INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value
"""


class PostgresHealth(StoreHealth):
    """Port StoreHealth."""

    def __init__(self, writer: Writer, events: SqlEventLog, life: Life, address: Address) -> None:
        self._writer = writer
        self._events = events
        self._life = life
        self._address = address

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
        """Have pg_dump write a consistent copy while serving.

        Raises:
            Conflict: `backup_exists`; `pg_dump_missing`, with what to run instead.
            StoreUnavailable: pg_dump gave up; its words are in the message.
        """
        path = Path(target)
        program = shutil.which("pg_dump")
        if program is None:
            raise Conflict(
                "pg_dump is not on this machine: run `pg_dump --format=custom` where it is;"
                " docs/operate has the page.",
                reason="pg_dump_missing",
            )
        partial = path.with_name(path.name + ".partial")
        fd = await asyncio.to_thread(_begin, path, partial)
        try:
            # The password goes by the environment: arguments are seen by everybody on this machine.
            process = await asyncio.create_subprocess_exec(
                program,
                "--format=custom",
                "--no-password",
                f"--dbname={self._address.without_password}",
                env=self._address.environment(),
                stdout=fd,
                stderr=asyncio.subprocess.PIPE,
            )
            _, words = await process.communicate()
        finally:
            os.close(fd)
        if process.returncode:
            partial.unlink(missing_ok=True)
            said = words.decode("utf-8", "replace").strip().splitlines()
            raise StoreUnavailable(f"pg_dump gave up: {said[-1] if said else process.returncode}")
        os.replace(partial, path)


def _begin(path: Path, partial: Path) -> int:
    if path.exists():
        raise Conflict(f"{path} exists; give another name.", reason="backup_exists")
    path.parent.mkdir(parents=True, exist_ok=True)
    return os.open(partial, os.O_CREAT | os.O_TRUNC | os.O_WRONLY | os.O_CLOEXEC, 0o600)
