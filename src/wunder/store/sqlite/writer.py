"""The one writer: units of work share a transaction and one fsync, and fail alone.

A batch runs without savepoints first, since nearly all succeed. When one unit fails, the batch is
rolled back and run again with a savepoint a unit, so that only the guilty one fails. Full disk: roll
back, free the ballast, run outcomes again, refuse intake. I/O error: fatal, nothing is tried again.
"""

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from wunder.errors import StoreBroken, StoreFull, WunderError
from wunder.model.ids import At
from wunder.observe.logs import get_logger
from wunder.store.disk import Disk
from wunder.store.hand_over import HandOver, Job
from wunder.store.policy import StorePolicy
from wunder.store.sqlite.counters import Counters
from wunder.store.sqlite.faults import Blame, blame, translate
from wunder.store.sqlite.life import Life
from wunder.store.sqlite.transaction import StepNumbers, Tx, finished
from wunder.store.unit import Transaction
from wunder.store.unit import Unit as SharedUnit

log = get_logger(__name__)
T = TypeVar("T")
Unit = Callable[[Tx], T]


class UnitJob(Job):
    """A unit, whether it is intake (refused when the disk is low), and how to save part of it."""

    __slots__ = ("is_intake", "salvage", "unit")

    def __init__(
        self,
        future: "asyncio.Future[Any]",
        unit: Unit[Any],
        is_intake: bool,
        salvage: Unit[Any] | None,
    ) -> None:
        super().__init__(future)
        self.unit = unit
        self.is_intake = is_intake
        self.salvage = salvage


class Writer:
    """Runs units in group commits on its own thread; `gate` lets a checkpoint have the file alone."""

    def __init__(
        self,
        conn: sqlite3.Connection,
        life: Life,
        disk: Disk,
        policy: StorePolicy,
        now: Callable[[], At],
    ) -> None:
        self._conn = conn
        self._life = life
        self._disk = disk
        self._now = now
        self.counters = Counters(conn)
        self.gate = threading.Lock()
        self.on_commit: Callable[[int], None] = _nothing
        self.on_ballast_freed: Callable[[], None] = _no_matter
        self.on_fatal: Callable[[StoreBroken], None] = _ignore
        self.ride_along: Callable[[Transaction], None] = _ignore  # queued events
        self.settled: Callable[[bool], None] = _ignore  # whether that batch was committed
        self.commits = 0
        self.units = 0
        self.rows = 0
        self._numbers = StepNumbers(life.epoch)
        self._broken: WunderError | None = None
        self._hand_over: HandOver[UnitJob] = HandOver(
            "store-writer", policy.max_queued_units, policy.max_batch_units, self._commit_batch
        )

    def start(self) -> None:
        """Start the thread."""
        self._hand_over.start()

    async def close(self) -> bool:
        """Finish what was submitted and close the connection; False when the store has failed."""
        await self._hand_over.close()
        self._conn.close()
        return self._broken is None

    def give_up(self, cause: BaseException) -> None:
        """Let nothing more through, from any thread: what reached the disk is not known."""
        if self._broken is None:
            self._broken = StoreBroken(getattr(cause, "detail", "") or translate(cause).detail)
            log.error("store_failed", detail=self._broken.detail)
            self.on_fatal(self._broken)

    @property
    def queued(self) -> int:
        """Units that wait."""
        return self._hand_over.waiting

    async def commit(
        self,
        unit: Unit[T],
        *,
        is_intake: bool = False,
        salvage: Unit[T] | None = None,
        patience_s: float = 0.0,
    ) -> T:
        """Run a unit in the next group commit; its result is durable when this returns.

        Args:
            unit: statements only; it may be run more than once, each time from the same state.
            is_intake: refused while the disk is low.
            salvage: run in its place when the unit failed by its own fault.
            patience_s: how long it may wait for other units to share their commit with.

        Raises:
            StoreUnavailable, StoreFull, StoreBroken, and whatever the unit raises.
        """
        if self._broken is not None:
            raise StoreBroken(self._broken.detail)
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._hand_over.submit(UnitJob(future, unit, is_intake, salvage), patience_s)
        return await future

    async def work(self, unit: SharedUnit[T], *, is_intake: bool = False) -> T:
        """Run a unit that is written once for both engines."""
        return await self.commit(lambda tx: finished(unit(tx)), is_intake=is_intake)

    # --- on the writer's thread ----------------------------------------------------------------

    def _commit_batch(self, jobs: list[UnitJob]) -> None:
        if self._broken is None:
            with self.gate:
                self._run_batch(self._admitted(jobs))
        if self._broken is None:
            return
        for job in jobs:
            job.error = StoreBroken(self._broken.detail)

    def _admitted(self, jobs: list[UnitJob]) -> list[UnitJob]:
        """Refuse intake while the disk is low."""
        if any(job.is_intake for job in jobs) and self._disk.is_low():
            return _refuse_intake(jobs, "the disk is nearly full")
        return jobs

    def _run_batch(self, jobs: list[UnitJob]) -> None:
        if not jobs:
            return
        cause = self._attempt(jobs, is_guarded=False)
        if cause is not None and blame(cause) is Blame.UNIT:
            cause = self._attempt(jobs, is_guarded=True)
        if cause is not None and blame(cause) is Blame.FULL:
            jobs = _refuse_intake(jobs, str(cause))
            if self._disk.free_ballast():
                self.on_ballast_freed()
            cause = self._attempt(jobs, is_guarded=True) if jobs else None
        if cause is None:
            return
        if blame(cause) is Blame.FATAL:
            self.give_up(cause)
        for job in jobs:
            job.error = translate(cause)

    def _attempt(self, jobs: list[UnitJob], is_guarded: bool) -> BaseException | None:
        """Run the batch and commit it; returns what stopped it, rolled back, or None."""
        conn = self._conn
        tx = Tx(conn, self._life.epoch, self._now(), self.counters.value)
        try:
            conn.execute("BEGIN IMMEDIATE")
            before = conn.total_changes
            self._life.check(conn)
            for job in jobs:
                if is_guarded:
                    self._run_guarded(tx, job)
                else:
                    job.result = job.unit(tx)
            self.ride_along(tx)
            tx.flush(self._numbers)
            self.counters.write(conn, tx.counts)
            rows = conn.total_changes - before
            conn.execute("COMMIT")
        except Exception as error:  # noqa: BLE001 - a unit may raise anything; `blame` says whose fault
            self._roll_back()
            self.settled(False)
            return error
        self.settled(True)
        self.counters.committed(tx.counts)
        self.commits += 1
        self.units += len(jobs)
        self.rows += rows
        self.on_commit(rows)
        return None

    def _run_guarded(self, tx: Tx, job: UnitJob) -> None:
        """Run one unit in a savepoint. Raises what is not the unit's own fault."""
        job.error = self._try(tx, job, job.unit)
        if job.salvage is not None and isinstance(job.error, _Refused):
            job.error = self._try(tx, job, job.salvage)

    def _try(self, tx: Tx, job: UnitJob, unit: Unit[Any]) -> WunderError | None:
        mark = tx.mark()
        self._conn.execute("SAVEPOINT unit")
        try:
            job.result = unit(tx)
        except Exception as error:
            if blame(error) is not Blame.UNIT:
                raise
            self._conn.execute("ROLLBACK TO unit")
            self._conn.execute("RELEASE unit")
            tx.back_to(mark)
            if isinstance(error, WunderError):
                return error
            log.exception("unit_refused", kind=type(error).__name__)
            return _Refused(f"the store refused this unit of work: {type(error).__name__}: {error}")
        self._conn.execute("RELEASE unit")
        return None

    def _roll_back(self) -> None:
        # After some errors SQLite has rolled back by itself.
        if self._conn.in_transaction:
            try:
                self._conn.execute("ROLLBACK")
            except sqlite3.Error as error:
                self.give_up(error)


class _Refused(WunderError):
    """The store refused this unit of work; look at the log line with this trace id."""


def _refuse_intake(jobs: list[UnitJob], why: str) -> list[UnitJob]:
    for job in jobs:
        if job.is_intake:
            job.error = StoreFull(f"{StoreFull().detail} ({why})")
    return [job for job in jobs if not job.is_intake]


def _nothing(_rows: int) -> None:
    return


def _ignore(_what: object) -> None:
    return


def _no_matter() -> None:
    return
