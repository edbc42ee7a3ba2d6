"""Group commit: one fsync for many, only the guilty unit fails, and what is fatal ends everything."""

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import msgspec
import pytest

from tests.fakes.clock import FakeClock
from wunder.errors import Conflict, StoreBroken, StoreFull, StoreUnavailable, WunderError
from wunder.store.disk import Disk
from wunder.store.policy import StorePolicy
from wunder.store.sqlite.connection import open_writer
from wunder.store.sqlite.life import begin
from wunder.store.sqlite.migrations import migrate
from wunder.store.sqlite.transaction import Tx
from wunder.store.sqlite.writer import Writer

POLICY = StorePolicy(ballast_bytes=0, busy_timeout_s=0.05)


class Trap(sqlite3.Connection):
    """A connection that fails where a test says: statement -> SQLite's error code."""

    faults: dict[str, int]

    def execute(self, sql: str, row=()) -> sqlite3.Cursor:  # type: ignore[override,no-untyped-def]
        for word, code in getattr(self, "faults", {}).items():
            if sql.startswith(word):
                error = sqlite3.OperationalError("disk I/O error")
                error.sqlite_errorcode = code
                raise error
        return super().execute(sql, row)


class TinyDisk(Disk):
    """A disk whose ballast is a number of pages of the database."""

    def __init__(self, path: Path, policy: StorePolicy) -> None:
        super().__init__(path, policy, lambda _path: 10**12)
        self.conn: sqlite3.Connection
        self.freed = 0

    def free_ballast(self) -> bool:
        self.freed += 1
        self.conn.execute("PRAGMA max_page_count = 100000")
        return True


class Bench:
    """A writer on its own file, without the doors."""

    def __init__(self, path: Path, policy: StorePolicy = POLICY) -> None:
        self.path = path / "w.db"
        self.policy = policy
        conn = open_writer(self.path, policy)
        migrate(conn)
        conn.execute("BEGIN")
        self.life = begin(conn, FakeClock().now())
        conn.execute("COMMIT")
        conn.close()
        self.conn = sqlite3.connect(
            self.path, isolation_level=None, check_same_thread=False, factory=Trap, timeout=0.05
        )
        self.conn.execute("PRAGMA journal_mode = WAL")
        self.disk = TinyDisk(path, policy)
        self.disk.conn = self.conn
        self.writer = Writer(self.conn, self.life, self.disk, policy, FakeClock().now)
        self.writer.start()

    def stored(self) -> list[str]:
        other = sqlite3.connect(self.path)
        try:
            rows = other.execute("SELECT key FROM meta WHERE key GLOB 'k*' ORDER BY key").fetchall()
        finally:
            other.close()
        return [row[0] for row in rows]


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    bench = Bench(tmp_path)
    yield bench
    await bench.writer.close()


def put(key: str) -> Callable[[Tx], str]:
    def unit(tx: Tx) -> str:
        tx.execute("INSERT INTO meta (key, value) VALUES (?, ?)", (key, "v"))
        tx.counts["puts"] += 1
        return key

    return unit


def fail(error: BaseException) -> Callable[[Tx], str]:
    def unit(tx: Tx) -> str:
        tx.execute("INSERT INTO meta (key, value) VALUES ('k-bad', 'v')")
        tx.counts["puts"] += 1
        raise error

    return unit


async def test_units_of_one_tick_share_one_commit(bench: Bench) -> None:
    results = await asyncio.gather(*(bench.writer.commit(put(f"k{n:02}")) for n in range(64)))
    assert results == [f"k{n:02}" for n in range(64)]
    assert bench.writer.commits == 1
    assert bench.writer.rows >= 64


async def test_what_returned_is_on_the_disk(bench: Bench) -> None:
    await bench.writer.commit(put("k1"))
    assert bench.stored() == ["k1"]


async def test_only_the_guilty_unit_fails(bench: Bench) -> None:
    units = [put("k1"), fail(Conflict("no")), put("k2"), put("k1"), put("k3")]
    results = await asyncio.gather(
        *(bench.writer.commit(unit) for unit in units), return_exceptions=True
    )
    assert [r for r in results if isinstance(r, str)] == ["k1", "k2", "k3"]
    assert isinstance(results[1], Conflict)
    assert isinstance(results[3], WunderError), "a row that SQLite refuses"
    assert bench.stored() == ["k1", "k2", "k3"]
    assert bench.writer.counters.value("puts") == 3


async def test_a_bug_in_a_unit_is_told_to_its_caller_and_nobody_else(bench: Bench) -> None:
    results = await asyncio.gather(
        bench.writer.commit(put("k1")),
        bench.writer.commit(fail(AttributeError("bug"))),
        return_exceptions=True,
    )
    assert results[0] == "k1"
    assert isinstance(results[1], WunderError)
    assert "AttributeError" in str(results[1])


async def test_a_salvage_runs_in_place_of_a_unit_that_was_refused(bench: Bench) -> None:
    unit = fail(sqlite3.IntegrityError("bad row"))
    assert await bench.writer.commit(unit, salvage=put("k-saved")) == "k-saved"
    with pytest.raises(Conflict):
        await bench.writer.commit(fail(Conflict("no")), salvage=put("k-not"))
    assert bench.stored() == ["k-saved"]


async def test_when_too_much_waits_callers_are_told_to_come_again(tmp_path: Path) -> None:
    bench = Bench(tmp_path, msgspec.structs.replace(POLICY, max_queued_units=4))
    results = await asyncio.gather(
        *(bench.writer.commit(put(f"k{n}")) for n in range(9)), return_exceptions=True
    )
    assert [type(r) for r in results] == [str] * 4 + [StoreUnavailable] * 5
    await bench.writer.close()


async def test_a_caller_who_left_changes_nothing(bench: Bench) -> None:
    task = asyncio.create_task(bench.writer.commit(put("k1")))
    await asyncio.sleep(0)
    task.cancel()
    await bench.writer.commit(put("k2"))
    assert "k2" in bench.stored()


async def test_what_was_submitted_is_committed_at_close(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    tasks = [asyncio.create_task(bench.writer.commit(put(f"k{n}"))) for n in range(5)]
    await asyncio.sleep(0)
    await bench.writer.close()
    assert [await task for task in tasks] == [f"k{n}" for n in range(5)]
    with pytest.raises(StoreUnavailable):
        await bench.writer.commit(put("late"))


async def test_a_lock_of_another_program_is_unavailable_and_safe_to_repeat(bench: Bench) -> None:
    other = sqlite3.connect(bench.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailable) as told:
        await bench.writer.commit(put("k1"))
    assert told.value.retry == "later"
    other.execute("ROLLBACK")
    other.close()
    assert await bench.writer.commit(put("k1")) == "k1"


async def test_a_read_only_file_is_unavailable(bench: Bench) -> None:
    bench.conn.execute("PRAGMA query_only = ON")
    with pytest.raises(StoreUnavailable):
        await bench.writer.commit(put("k1"))
    bench.conn.execute("PRAGMA query_only = OFF")
    await bench.writer.commit(put("k1"))


@pytest.mark.parametrize("statement", ["COMMIT", "BEGIN", "INSERT"])
@pytest.mark.parametrize("code", [sqlite3.SQLITE_IOERR_FSYNC, sqlite3.SQLITE_IOERR_WRITE])
async def test_an_io_error_is_fatal_and_never_tried_again(
    tmp_path: Path, statement: str, code: int
) -> None:
    bench = Bench(tmp_path)
    told = threading.Event()
    bench.writer.on_fatal = lambda _error: told.set()
    bench.conn.faults = {statement: code}  # type: ignore[attr-defined]
    results = await asyncio.gather(
        *(bench.writer.commit(put(f"k{n}")) for n in range(3)), return_exceptions=True
    )
    assert [type(r) for r in results] == [StoreBroken] * 3
    assert told.is_set()
    bench.conn.faults = {}  # type: ignore[attr-defined]
    with pytest.raises(StoreBroken):
        await bench.writer.commit(put("k9"))
    await bench.writer.close()
    assert bench.stored() == []


async def test_a_full_disk_refuses_intake_and_frees_the_ballast_for_outcomes(bench: Bench) -> None:
    pages = bench.conn.execute("PRAGMA page_count").fetchone()[0]
    bench.conn.execute(f"PRAGMA max_page_count = {pages}")

    def big(tx: Tx) -> str:
        tx.execute("INSERT INTO meta (key, value) VALUES ('k-big', ?)", ("x" * 100_000,))
        return "big"

    with pytest.raises(StoreFull) as told:
        await bench.writer.commit(big, is_intake=True)
    assert told.value.status == 503
    bench.disk.freed = 0
    bench.conn.execute(f"PRAGMA max_page_count = {pages}")
    results = await asyncio.gather(
        bench.writer.commit(put("k-intake"), is_intake=True),
        bench.writer.commit(big),
        return_exceptions=True,
    )
    assert isinstance(results[0], StoreFull)
    assert (results[1], bench.disk.freed) == ("big", 1)
    assert bench.stored() == ["k-big"]


async def test_a_disk_still_full_without_ballast_is_no_catastrophe(bench: Bench) -> None:
    bench.disk.free_ballast = lambda: False  # type: ignore[method-assign]
    bench.conn.faults = {"INSERT": sqlite3.SQLITE_FULL}  # type: ignore[attr-defined]
    with pytest.raises(StoreFull):
        await bench.writer.commit(put("k1"))
    bench.conn.faults = {}  # type: ignore[attr-defined]
    assert await bench.writer.commit(put("k1")) == "k1"


async def test_a_second_life_of_the_store_ends_the_first(bench: Bench) -> None:
    other = sqlite3.connect(bench.path, isolation_level=None)
    other.execute("UPDATE meta SET value = value + 1 WHERE key = 'epoch'")
    other.close()
    with pytest.raises(StoreBroken):
        await bench.writer.commit(put("k1"))
    assert bench.stored() == []
