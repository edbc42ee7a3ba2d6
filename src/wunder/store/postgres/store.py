"""The store in a PostgreSQL database that many nodes share: every door in one place."""

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path

import asyncpg

from wunder.errors import StoreBroken, StoreUnavailable
from wunder.observe.logs import get_logger
from wunder.ports import Clock
from wunder.store.clock_watch import ClockWatch
from wunder.store.data_dir import DirLock, prepare_dir
from wunder.store.disk import Disk
from wunder.store.doors import SharedDoors, Under
from wunder.store.hand_over import on_loop
from wunder.store.machine import Machine
from wunder.store.nodes import SqlNodes
from wunder.store.policy import StorePolicy
from wunder.store.postgres.address import Address
from wunder.store.postgres.counters import ALL_COUNTERS, Counters
from wunder.store.postgres.faults import Blame, blame, translate
from wunder.store.postgres.health import PostgresHealth
from wunder.store.postgres.held import LANES
from wunder.store.postgres.intake import PostgresIntake
from wunder.store.postgres.leases import LeaseKeeper
from wunder.store.postgres.life import DB_NOW, Life, hear_the_time, node_id_of
from wunder.store.postgres.migrations import migrate
from wunder.store.postgres.moves import MOVES
from wunder.store.postgres.news import WORK, Ear
from wunder.store.postgres.outbox import PostgresOutbox
from wunder.store.postgres.reader import Reader
from wunder.store.postgres.receipts import join_missed
from wunder.store.postgres.recovery import end_leases, recover
from wunder.store.postgres.rounds import alone
from wunder.store.postgres.session import Line, Session
from wunder.store.postgres.shelf import PostgresShelf
from wunder.store.postgres.streams import streams
from wunder.store.postgres.tenure import Heard, Tenure, unheard
from wunder.store.postgres.transaction import Tx
from wunder.store.postgres.turns import PostgresTurns
from wunder.store.postgres.writer import Writer
from wunder.store.recovered import Recovered
from wunder.store.sweep import Sweep, steps_of
from wunder.store.unit import Rows

log = get_logger(__name__)
#: Whether a commit that was answered lasts over a power cut.
_LASTS = "SELECT current_setting('fsync') = 'on' AND current_setting('synchronous_commit') <> 'off'"
#: How often a start is held up by other nodes before it gives up.
_TRIES = 4


class PostgresStore(SharedDoors):
    """All table doors over one database. Made by `open_store`.

    Four connections a node: one writes, two read, one listens; a fifth once large bytes move.
    """

    def __init__(self, opened: "_Opened", address: Address, clock: Clock) -> None:
        policy = address.policy
        self._opened = opened
        self.recovered = opened.recovered
        self.life = life = opened.life
        watch = ClockWatch(clock, policy)
        line = Line(address, "writer", clock.monotonic, is_writer=True)
        self._writer = writer = Writer(line, life, opened.disk, policy, clock.now)
        writer.counters.load(opened.counters)
        self._quick = quick = _reader("store-reader", address, clock)
        self._slow = slow = _reader("store-ledger", address, clock)
        figure = writer.counters.value
        under = Under(writer, quick, slow, MOVES, figure, life.node_id, "ILIKE")
        super().__init__(under, clock, policy)
        self.intake = PostgresIntake(writer, quick, policy)
        self.turns = PostgresTurns(writer, quick, policy)
        self.outbox = PostgresOutbox(writer, quick, policy, watch)
        self.streams = streams(writer, policy, life.tenure.holds)
        self._bulk = bulk = _reader("store-bulk", address, clock)
        self.shelf = PostgresShelf(bulk, clock.now)
        self.nodes = _nodes(writer, quick, life, policy)
        self.health = PostgresHealth(writer, self.events, life, address, clock.now)
        self._lease_keeper = LeaseKeeper(writer, life, clock, policy)
        steps = (*steps_of(LANES, watch, policy), join_missed(policy))
        self._sweep = Sweep(writer, self.events, watch, clock, policy, steps)
        self._ear = Ear(Line(address, "ear", clock.monotonic), life, clock, policy)
        for part in (writer, quick, slow, bulk):
            part.start()

    async def run(self) -> None:
        """Keep the lease and the house, and listen to other nodes, until cancelled."""
        async with asyncio.TaskGroup() as tg:
            tg.create_task(self._lease_keeper.run(), name="store lease")
            tg.create_task(self._sweep.run(), name="store sweep")
            tg.create_task(self._ear.run(), name="store ear")

    async def sweep(self) -> int:
        """One round of housekeeping now; how many rows ended or went."""
        return await self._sweep.sweep()

    async def look_after_leases(self) -> None:
        """Renew this node's lease and take over from the dead, now."""
        await self._lease_keeper.look_after_leases()

    def on_news(self, tell: Callable[[str], None]) -> None:
        """Have `tell` called, on the event loop, when other nodes changed something.

        With "work" where claims wait, with the name of a table that administrators keep, and with ""
        where anything may have been missed.
        """
        self._ear.on_news = tell
        self._lease_keeper.on_taken_over = lambda: tell(WORK)

    def on_suspects(self, tell: Callable[[], None]) -> None:
        """Have `tell` called, on the event loop, when a dead node left messages that must run alone."""
        self._lease_keeper.on_suspects = tell

    def on_fatal(self, tell: Callable[[StoreBroken], None]) -> None:
        """Have `tell` called, on the event loop, when the store has failed for good."""
        self._writer.on_fatal = on_loop(tell)

    async def close(self) -> None:
        """Commit what was submitted, give up the lease, close every connection."""
        try:
            with contextlib.suppress(StoreUnavailable, StoreBroken):
                await self.events.flush()
                await self._writer.commit(self.life.release)
            await self._writer.close()
            await self._quick.close()
            await self._slow.close()
            await self._bulk.close()
        finally:
            self._opened.lock.release()


class _Opened:
    """What `open_store` found and put right before the threads start."""

    def __init__(self, lock: DirLock, life: Life, disk: Disk) -> None:
        self.lock = lock
        self.life = life
        self.disk = disk
        self.recovered = Recovered()
        self.counters: Rows = Rows((), 0)


async def open_store(
    address: Address,
    data_dir: Path,
    clock: Clock,
    on_fatal: Callable[[StoreBroken], None] | None = None,
    machine: Machine = Machine(),  # noqa: B008 - without state
    on_time: Heard = unheard,
) -> PostgresStore:
    """Join the database as a node, and put right what lives that ended left.

    Args:
        address: the database, and the limits.
        data_dir: this node's own: name, key, plugins, attachments; made where it is missing; locked.
        clock: for rows and housekeeping; leases go by the database's.
        on_fatal: called on the loop when the store has failed; the process must end.
        machine: file system and free space.
        on_time: told, from any thread, what the database's clock shows; see observe/clock.py.

    Raises:
        DataDirRefused: another process holds the directory, or it cannot be used.
        StoreBroken: the schema is newer than this program; it was left as it is.
        StoreUnavailable: the server does not answer, or another node migrates for too long.
    """
    await asyncio.to_thread(prepare_dir, data_dir, machine.file_system)
    lock = DirLock(data_dir)
    lock.take()
    try:
        policy = address.policy
        tenure = Tenure(policy.lease_s, clock.monotonic)
        tenure.heard = on_time
        node_id = await asyncio.to_thread(node_id_of, data_dir)
        life = Life(node_id, policy.lease_s, tenure)
        opened = _Opened(lock, life, Disk(data_dir, policy, machine.free))
        await _join_patiently(opened, address, clock)
    except BaseException as error:
        lock.release()
        if isinstance(error, OSError | asyncpg.PostgresError | asyncpg.InterfaceError):
            raise address.said(translate(error)) from error
        raise
    store = PostgresStore(opened, address, clock)
    if on_fatal is not None:
        store.on_fatal(on_fatal)
    return store


async def _join_patiently(opened: _Opened, address: Address, clock: Clock) -> None:
    """Join; a node that puts right what a dead one left may hold it up for longer than a limit."""
    was_there = False
    for tries_left in reversed(range(_TRIES)):
        try:
            conn = await address.connect("opening")
            was_there = True
            return await _join(conn, opened, address, clock)
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            # A server that is away is said at once; one that was there may have ended a slow session.
            if blame(error) not in (Blame.AGAIN, Blame.AWAY) or not (was_there and tries_left):
                raise
            log.warning("start_was_held_up", why=type(error).__name__)
    return None


async def _join(
    conn: "asyncpg.Connection[asyncpg.Record]", opened: _Opened, address: Address, clock: Clock
) -> None:
    try:
        await migrate(conn)
        if not await conn.fetchval(_LASTS):
            log.error("database_does_not_keep_commits", database=address.shown)
        session, life = Session(conn), opened.life
        await hear_the_time(session, life.tenure)
        async with conn.transaction():
            await life.begin(session, clock.now())
            tx = Tx(life.epoch, clock.now())
            ended = await alone(session, end_leases(tx, life.lease_name))
            opened.recovered = await alone(session, recover(tx, address.policy, ended))
            counters = Counters(life.node_id)
            counters.load(await session.fetch(ALL_COUNTERS))
            await tx.flush(session, counters.changed)
            opened.counters = await session.fetch(ALL_COUNTERS)
    except BaseException:
        conn.terminate()
        raise
    await conn.close()
    found = opened.recovered
    log.info(
        "store_opened",
        engine="postgresql",
        epoch=life.epoch,
        turns_again=len(found.again),
        poisoned=len(found.poisoned),
        resent=len(found.resent),
        unknown=len(found.unknown),
    )


def _nodes(writer: Writer, reader: Reader, life: Life, policy: StorePolicy) -> SqlNodes:
    alive = f"coalesce(l.lease_until >= {DB_NOW}, FALSE)"
    seen = f"greatest(n.seen_at, l.lease_until - {int(policy.lease_s * 1000)})"
    return SqlNodes(writer, reader, life.node_id, is_alive=alive, seen_at=seen)


def _reader(role: str, address: Address, clock: Clock) -> Reader:
    return Reader(role, Line(address, role, clock.monotonic), address.policy)
