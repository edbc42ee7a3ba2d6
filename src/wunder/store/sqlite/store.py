"""The store in one SQLite file, opened under the lock of its data directory: every door in one place."""

import asyncio
import contextlib
import sqlite3
from collections.abc import Callable
from pathlib import Path

from wunder.errors import ConfigInvalid, StoreBroken, StoreUnavailable
from wunder.observe.logs import get_logger
from wunder.ports import Clock
from wunder.store.clock_watch import ClockWatch
from wunder.store.data_dir import DirLock, prepare_dir
from wunder.store.disk import Disk
from wunder.store.doors import SharedDoors, Under
from wunder.store.file_shelf import FileShelf
from wunder.store.hand_over import on_loop
from wunder.store.machine import Machine
from wunder.store.nodes import SqlNodes
from wunder.store.policy import StorePolicy
from wunder.store.recovered import Recovered
from wunder.store.sqlite import integrity
from wunder.store.sqlite.backup import DB_FILE
from wunder.store.sqlite.checkpoints import Checkpoints
from wunder.store.sqlite.connection import OLDEST_SQLITE, open_writer
from wunder.store.sqlite.counters import Counters
from wunder.store.sqlite.faults import Blame, blame, translate
from wunder.store.sqlite.health import SqliteHealth
from wunder.store.sqlite.held import LANES
from wunder.store.sqlite.intake import SqliteIntake
from wunder.store.sqlite.life import Life, begin
from wunder.store.sqlite.migrations import migrate
from wunder.store.sqlite.moves import MOVES
from wunder.store.sqlite.outbox import SqliteOutbox
from wunder.store.sqlite.reader import Reader
from wunder.store.sqlite.recovery import recover
from wunder.store.sqlite.streams import streams
from wunder.store.sqlite.transaction import StepNumbers, Tx
from wunder.store.sqlite.turns import SqliteTurns
from wunder.store.sqlite.writer import Writer
from wunder.store.sweep import Sweep, steps_of
from wunder.store.unit import Transaction, Unit

log = get_logger(__name__)


class SqliteStore(SharedDoors):
    """All table doors over one database file. Made by `open_store`."""

    def __init__(self, opened: "_Opened", clock: Clock, policy: StorePolicy) -> None:
        self._opened = opened
        self.recovered = opened.recovered
        self.life = opened.life
        path, conn = opened.path, opened.conn
        watch = ClockWatch(clock, policy)
        self._writer = writer = Writer(conn, opened.life, opened.disk, policy, clock.now)
        self._quick = quick = Reader("store-reader", path, policy)
        self._slow = slow = Reader("store-ledger", path, policy)
        self._checkpoints = Checkpoints(open_writer(path, policy), path, writer.gate, policy)
        writer.on_commit = self._checkpoints.committed
        writer.on_ballast_freed = self._checkpoints.ballast_freed
        self._checkpoints.has_ballast = opened.has_ballast
        self._checkpoints.on_fatal = writer.give_up
        figure = writer.counters.value
        under = Under(writer, quick, slow, MOVES, figure, "local", "LIKE")
        super().__init__(under, clock, policy)
        self.intake = SqliteIntake(writer, quick, policy)
        self.turns = SqliteTurns(writer, quick, policy)
        self.outbox = SqliteOutbox(writer, quick, policy, watch)
        self.streams = streams(writer, policy)
        self.shelf = FileShelf(opened.path.parent)
        self.nodes = SqlNodes(writer, quick, "local")
        self.health = SqliteHealth(writer, self._checkpoints, self.events, opened.life, path, clock)
        steps = (*steps_of(LANES, watch, policy), _restore_ballast(opened.disk, self._checkpoints))
        self._sweep = Sweep(writer, self.events, watch, clock, policy, steps)
        for part in (writer, quick, slow, self._checkpoints):
            part.start()

    async def run(self) -> None:
        """Keep house until cancelled: expiry, old keys, receipts and events, the ballast.

        A file that was too large to check at open is checked beside it; damage is fatal.
        """
        async with asyncio.TaskGroup() as tg:
            tg.create_task(self._sweep.run(), name="store sweep")
            if not self._opened.is_checked:
                tg.create_task(self._check_beside(), name="store check")

    async def _check_beside(self) -> None:
        try:
            await integrity.check_beside(self._opened.path)
        except StoreBroken as error:
            self._writer.give_up(error)

    async def sweep(self) -> int:
        """One round of housekeeping now; how many rows ended or went."""
        return await self._sweep.sweep()

    async def close(self) -> None:
        """Commit what was submitted, close every connection, give the data directory back."""
        try:
            with contextlib.suppress(StoreUnavailable, StoreBroken):
                await self.events.flush()
            is_sound = await self._writer.close()
            await self._quick.close()
            await self._slow.close()
            # The last connection to close moves the log. After a failed fsync nobody may.
            await asyncio.to_thread(self._checkpoints.close, is_sound)
        finally:
            self._opened.lock.release()

    def on_fatal(self, tell: Callable[[StoreBroken], None]) -> None:
        """Have `tell` called, on the event loop, when the store has failed for good."""
        self._writer.on_fatal = on_loop(tell)


def _restore_ballast(disk: Disk, checkpoints: Checkpoints) -> Unit[int]:
    """A step of the sweep: on the writer's thread, like every use of the ballast."""

    async def unit(_tx: Transaction) -> int:
        checkpoints.has_ballast = disk.restore_ballast()
        return 0

    return unit


class _Opened:
    """What `open_store` made in its thread."""

    def __init__(self, lock: DirLock, path: Path, conn: sqlite3.Connection, disk: Disk) -> None:
        self.lock = lock
        self.path = path
        self.conn = conn
        self.disk = disk
        self.life = Life(0, "")
        self.recovered = Recovered()
        self.is_checked = True
        self.has_ballast = True


async def open_store(
    data_dir: Path,
    clock: Clock,
    policy: StorePolicy = StorePolicy(),  # noqa: B008 - frozen
    on_fatal: Callable[[StoreBroken], None] | None = None,
    machine: Machine = Machine(),  # noqa: B008 - without state
) -> SqliteStore:
    """Open or make the store of a data directory, and put right what its last life left.

    Args:
        data_dir: made where it is missing, mode 0700; locked until `close`.
        clock: for rows and housekeeping.
        policy: limits.
        on_fatal: called on the loop when the store has failed; the process must end.
        machine: file system and free space.

    Raises:
        DataDirRefused: another process holds it, it is on a network file system, or not writable.
        StoreBroken: damaged or newer than this program; it was left as it is.
        StoreUnavailable: locked by another program, or the disk is full.
    """
    opened = await asyncio.to_thread(_open, data_dir, clock, policy, machine)
    store = SqliteStore(opened, clock, policy)
    if on_fatal is not None:
        store.on_fatal(on_fatal)
    return store


def _open(data_dir: Path, clock: Clock, policy: StorePolicy, machine: Machine) -> _Opened:
    if sqlite3.sqlite_version_info < OLDEST_SQLITE:
        raise ConfigInvalid(f"SQLite {sqlite3.sqlite_version} is too old: 3.37 or newer is needed.")
    prepare_dir(data_dir, machine.file_system)
    lock = DirLock(data_dir)
    lock.take()
    conn: sqlite3.Connection | None = None
    try:
        path = data_dir / DB_FILE
        is_checked = _check(path, policy)
        conn = open_writer(path, policy)
        migrate(conn)
        disk = Disk(data_dir, policy, machine.free)
        disk.restore_ballast()
        opened = _Opened(lock, path, conn, disk)
        opened.is_checked = is_checked
        try:
            _begin(opened, clock, policy)
        except sqlite3.OperationalError as error:
            # A start on a full disk is an outcome too: what was under way must be put right.
            if blame(error) is not Blame.FULL or not disk.free_ballast():
                raise
            _begin(opened, clock, policy)
        opened.has_ballast = disk.restore_ballast()
    except BaseException as error:
        if conn is not None:
            conn.close()
        lock.release()
        if isinstance(error, sqlite3.Error):
            raise translate(error) from error
        raise
    return opened


def _check(path: Path, policy: StorePolicy) -> bool:
    """Refuse a damaged file without touching it; False when it is too large to check now."""
    if not path.exists() or path.stat().st_size == 0:
        if path.with_name(path.name + "-wal").exists():
            raise StoreBroken(f"{path} is missing but its log is there: restore a backup.")
        return True
    if path.stat().st_size <= policy.check_at_open_up_to_bytes:
        integrity.check(path)
        return True
    return False


def _begin(opened: _Opened, clock: Clock, policy: StorePolicy) -> None:
    """Raise the epoch and recover, in one transaction."""
    conn, now = opened.conn, clock.now()
    if conn.in_transaction:
        conn.execute("ROLLBACK")
    conn.execute("BEGIN IMMEDIATE")
    opened.life = begin(conn, now)
    tx = Tx(conn, opened.life.epoch, now)
    opened.recovered = recover(tx, policy)
    # The writer begins at the first number of this epoch; these few come before it.
    tx.flush(StepNumbers(opened.life.epoch, is_opening=True))
    Counters(conn).write(conn, tx.counts)
    conn.execute("COMMIT")
    found = opened.recovered
    log.info(
        "store_opened",
        epoch=opened.life.epoch,
        turns_again=len(found.again),
        poisoned=len(found.poisoned),
        resent=len(found.resent),
        unknown=len(found.unknown),
    )
