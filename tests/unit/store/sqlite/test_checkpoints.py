"""The log is moved into the database beside the commits, and never grows for ever."""

import asyncio
import sqlite3
from pathlib import Path

import msgspec
import pytest

from tests.contracts.store_world import POLICY, World, open_sqlite
from tests.fakes.clock import FakeClock
from tests.unit.store.sqlite.test_writer import Trap
from tests.waiting import until
from wunder.errors import StoreBroken

SMALL = msgspec.structs.replace(
    POLICY, checkpoint_wal_bytes=200_000, checkpoint_rows=500, restart_wal_bytes=500_000
)


async def busy(tmp_path: Path, truncate_bytes: int) -> tuple[World, int]:
    """A store that took 60 batches in; and the longest its log ever was."""
    world = World(open_sqlite, tmp_path / "data", FakeClock())
    world.policy = msgspec.structs.replace(SMALL, truncate_wal_bytes=truncate_bytes)
    await world.open()
    longest = 0
    for n in range(60):
        await asyncio.gather(*(world.take(world.new("x" * 500, f"p{n}-{m}")) for m in range(20)))
        longest = max(longest, int(world.store.health.figures()["wal_bytes"]))
    return world, longest


async def test_checkpoints_happen_while_messages_are_taken_in(tmp_path: Path) -> None:
    world, longest = await busy(tmp_path, 10**9)
    assert world.store.health.figures()["checkpoints"] >= 1
    assert longest < 8_000_000
    await world.store.close()
    await world.open()
    assert world.store.health.figures()["channel_messages_received"] == 1_200
    await world.store.close()


async def test_a_log_that_grew_too_long_is_cut(tmp_path: Path) -> None:
    world, _ = await busy(tmp_path, 600_000)
    checkpoints = world.store._checkpoints
    await asyncio.to_thread(checkpoints.checkpoint)
    await asyncio.to_thread(checkpoints.checkpoint)
    assert checkpoints.restarts >= 1
    assert checkpoints.wal_bytes() < 600_000
    await world.store.close()


async def test_a_closed_store_leaves_no_log(tmp_path: Path) -> None:
    world, _ = await busy(tmp_path, 10**9)
    await world.store.close()
    wal = world.dir / "wunder.db-wal"
    assert not wal.exists() or wal.stat().st_size == 0


async def test_a_checkpoint_that_fails_is_fatal_and_leaves_the_log(tmp_path: Path) -> None:
    """A page that did not reach the disk counts as clean to the next sync: nothing may try again."""
    world, _ = await busy(tmp_path, 10**9)
    told: list[StoreBroken] = []
    world.store.on_fatal(told.append)
    path = world.dir / "wunder.db"
    trap = sqlite3.connect(path, isolation_level=None, check_same_thread=False, factory=Trap)
    trap.faults = {"PRAGMA wal_checkpoint": sqlite3.SQLITE_IOERR_FSYNC}
    checkpoints = world.store._checkpoints
    sound, checkpoints._conn = checkpoints._conn, trap
    checkpoints._wake.set()
    async with asyncio.timeout(20):
        await until(lambda: told)
    with pytest.raises(StoreBroken):
        await world.take(world.new("hello"))
    log = path.with_name("wunder.db-wal").read_bytes()
    await world.store.close()
    assert path.with_name("wunder.db-wal").read_bytes() == log, "closing moved nothing"
    trap.close()
    sound.close()


async def test_figures_are_read_while_the_writer_adds_one(tmp_path: Path) -> None:
    class Figure(int):
        """Its reading gives the writer's thread a turn, as any bytecode may."""

        def __float__(self) -> float:
            counters.committed({"channel_messages_failed": 1})
            return float(int(self))

    world = await World(open_sqlite, tmp_path / "data", FakeClock()).open()
    counters = world.store._writer.counters
    counters._values = {"channel_messages_received": Figure(1), "channel_outbox_sent": 2}
    assert world.store.health.figures()["channel_outbox_sent"] == 2
    await world.store.close()
