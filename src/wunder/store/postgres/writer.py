"""The one writer of a node: units of work share a transaction and its commit, and fail alone.

Its thread has one connection and an event loop of its own. A batch runs in waves: units of different
conversations side by side, the next of the same conversation after them. When one unit fails, the
batch is rolled back and run again with a savepoint a unit. When the connection is lost, the work is
done again on a new one; when it is lost in the COMMIT, the server is asked what became of it, and
nothing else is written before it has said so.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine, Iterable, Sequence
from typing import Any, TypeVar

import uvloop

from wunder.errors import StoreBroken, StoreFull, StoreUnavailable, WunderError
from wunder.model.ids import At
from wunder.observe.logs import get_logger
from wunder.store.disk import Disk
from wunder.store.hand_over import HandOver, Job
from wunder.store.policy import StorePolicy
from wunder.store.postgres.counters import ALL_COUNTERS, COMMITS, Counters
from wunder.store.postgres.doubt import Doubt, claims_in
from wunder.store.postgres.faults import Blame, blame, translate
from wunder.store.postgres.lane_book import LaneKey
from wunder.store.postgres.life import Life
from wunder.store.postgres.news import telling
from wunder.store.postgres.rounds import alone, side_by_side
from wunder.store.postgres.session import Line, Session
from wunder.store.postgres.statements import Parts
from wunder.store.postgres.transaction import Tx
from wunder.store.unit import Transaction
from wunder.store.unit import Unit as SharedUnit

log = get_logger(__name__)
T = TypeVar("T")
Unit = Callable[[Tx], Coroutine[Any, Any, T]]
#: Two nodes that meet in a ring are told by the server; one of them does its work again.
_TRIES = 4


class UnitJob(Job):
    """A unit, the lanes it works on, and how to save part of it."""

    __slots__ = ("is_intake", "lanes", "salvage", "unit")

    def __init__(
        self,
        future: "asyncio.Future[Any]",
        unit: Unit[Any],
        lanes: Sequence[LaneKey] | None,
        is_intake: bool,
        salvage: Unit[Any] | None,
    ) -> None:
        super().__init__(future)
        self.unit = unit
        self.lanes = lanes
        self.is_intake = is_intake
        self.salvage = salvage


class _Attempt:
    """One run of a batch: what is known of its commit when it is cut off."""

    def __init__(self, tx: Tx) -> None:
        self.tx = tx
        self.commits = 0  # of this node, once it is committed
        self.is_committing = False
        self.rows = 0


class Writer:
    """Runs units in group commits on its own thread."""

    def __init__(
        self, line: Line, life: Life, disk: Disk, policy: StorePolicy, now: Callable[[], At]
    ) -> None:
        self._line = line
        self._life = life
        self._disk = disk
        self._policy = policy
        self._now = now
        self.counters = Counters(life.node_id)
        self.on_fatal: Callable[[StoreBroken], None] = _ignore
        self.on_new_life: Callable[[], None] = _nothing
        self.ride_along: Callable[[Transaction], None] = _ignore  # queued events
        self.settled: Callable[[bool], None] = _ignore  # whether that batch was committed
        self.commits = 0
        self.units = 0
        self.rows = 0
        self._broken: WunderError | None = None
        self._doubt: Doubt | None = None
        self._loop = uvloop.new_event_loop()
        self._hand_over: HandOver[UnitJob] = HandOver(
            "store-writer", policy.max_queued_units, policy.max_batch_units, self._commit_batch
        )

    def start(self) -> None:
        """Start the thread."""
        self._hand_over.start()

    async def close(self) -> None:
        """Finish what was submitted and close the connection."""
        await self._hand_over.close()
        await asyncio.get_running_loop().run_in_executor(None, self._end)

    def _end(self) -> None:
        self._loop.run_until_complete(self._line.close())
        self._loop.close()

    @property
    def queued(self) -> int:
        """Units that wait."""
        return self._hand_over.waiting

    def waiting(self, figure: str) -> int:
        """How many rows a figure counts; 1 where other nodes write, whose rows nobody here has counted."""
        return 1 if self._life.peers else self.counters.value(figure)

    async def commit(
        self,
        unit: Unit[T],
        *,
        lanes: Sequence[LaneKey] | None = None,
        is_intake: bool = False,
        salvage: Unit[T] | None = None,
        patience_s: float = 0.0,
    ) -> T:
        """Run a unit in the next group commit; its result is durable when this returns.

        Args:
            unit: awaits statements only; it may be run more than once, each time from the same state.
            lanes: all that it works on, locked beforehand; None: it has the transaction to itself.
            is_intake: refused while the disk is low.
            salvage: run in its place when the unit failed by its own fault.
            patience_s: how long it may wait for other units to share their commit with.

        Raises:
            StoreUnavailable, StoreFull, StoreBroken, and whatever the unit raises.
        """
        if self._broken is not None:
            raise StoreBroken(self._broken.detail)
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._hand_over.submit(UnitJob(future, unit, lanes, is_intake, salvage), patience_s)
        return await future

    async def work(self, unit: SharedUnit[T], *, is_intake: bool = False) -> T:
        """Run a unit that is written once for both engines."""
        return await self.commit(unit, is_intake=is_intake)

    # --- on the writer's thread ----------------------------------------------------------------

    def _commit_batch(self, jobs: list[UnitJob]) -> None:
        if self._broken is None:
            self._loop.run_until_complete(self._run_batch(self._admitted(jobs)))
        if self._broken is None:
            return
        for job in jobs:
            job.error = StoreBroken(self._broken.detail)

    def _admitted(self, jobs: list[UnitJob]) -> list[UnitJob]:
        """Refuse intake while the disk of this node, where attachments go, is low."""
        if any(job.is_intake for job in jobs) and self._disk.is_low():
            return _refuse_intake(jobs, "the disk is nearly full")
        return jobs

    async def _run_batch(self, jobs: list[UnitJob]) -> None:
        if not jobs:
            return
        cause: BaseException | None = None
        is_guarded = False
        for attempt_no in range(_TRIES):
            cause = await self._attempt(jobs, is_guarded, at_once=attempt_no > 0)
            if cause is None:
                return
            match blame(cause):
                case Blame.UNIT if not is_guarded:
                    is_guarded = True
                case Blame.FULL if any(job.is_intake for job in jobs):
                    jobs = _refuse_intake(jobs, "the database server's disk is full")
                    if not jobs:
                        return
                case Blame.AGAIN:
                    pass
                case Blame.AWAY if attempt_no == 0 and not isinstance(cause, StoreUnavailable):
                    # A connection that was idle may have ended long ago: once more on a new one.
                    pass
                case _:
                    break
        self._fail(jobs, cause or StoreUnavailable())

    def _fail(self, jobs: list[UnitJob], cause: BaseException) -> None:
        if blame(cause) is Blame.FATAL and self._broken is None:
            self._broken = StoreBroken(translate(cause).detail)
            log.error("store_failed", detail=self._broken.detail)
            self.on_fatal(self._broken)
        for job in jobs:
            job.error = translate(cause)

    async def _attempt(
        self, jobs: list[UnitJob], is_guarded: bool, at_once: bool
    ) -> BaseException | None:
        """Run the batch and commit it; returns what stopped it, rolled back, or None."""
        attempt = _Attempt(Tx(self._life.epoch, self._now(), self.counters.value))
        try:
            session = await self._line.session(at_once=at_once)
            await self._resolve_doubt(session)
            await self._transact(session, jobs, attempt, is_guarded)
        except Exception as error:  # noqa: BLE001 - a unit may raise anything; `blame` says whose fault
            if attempt.is_committing and await self._was_committed(attempt, jobs):
                self._done(jobs, attempt)
                return None
            self.settled(False)
            await self._roll_back(error)
            return error
        self._done(jobs, attempt)
        return None

    async def _transact(
        self, session: Session, jobs: list[UnitJob], attempt: _Attempt, is_guarded: bool
    ) -> None:
        tx, before = attempt.tx, session.touched
        await session.plain("BEGIN")
        await self._open(session, tx, () if is_guarded else _lanes_of(jobs))
        if is_guarded:
            for job in jobs:
                await self._run_guarded(session, tx, job)
        else:
            await self._run_waves(session, tx, jobs)
        self.ride_along(tx)
        lease, asked_s = self._life.prolonging(), self._life.tenure.monotonic()

        def figures(counts: Counter[str]) -> Parts:
            if tx.has_gathered or session.touched > before or any(counts.values()):
                counts[COMMITS] += 1
            attempt.commits = self.counters.own(COMMITS) + counts[COMMITS]
            return [*self.counters.changed(counts), *telling(self._life, tx.topics), *lease]

        await tx.flush(session, figures)
        attempt.rows = session.touched - before
        attempt.is_committing = True
        await session.plain("COMMIT")
        if lease:
            self._life.tenure.granted(tx.epoch, asked_s)

    async def _open(self, session: Session, tx: Tx, lanes: Sequence[LaneKey]) -> None:
        """Check this life and lock the lanes; begin another life where this one was ended."""
        is_alive, _ = await side_by_side(session, [self._life.check(), tx.lanes.lock(lanes)])
        tx.spool_waits = self._life.spool_waits
        if is_alive:
            return
        await self._life.begin_anew(session)
        tx.epoch = self._life.epoch
        self.counters.load(await session.fetch(ALL_COUNTERS))
        log.error("node_was_taken_over", epoch=self._life.epoch)
        self.on_new_life()
        await alone(session, self._life.check())

    async def _run_waves(self, session: Session, tx: Tx, jobs: list[UnitJob]) -> None:
        for number, wave in enumerate(_waves(jobs)):
            if number:
                await alone(session, tx.settle_down())
            results = await side_by_side(session, [job.unit(tx) for job in wave])
            for job, result in zip(wave, results, strict=True):
                job.result = result

    async def _run_guarded(self, session: Session, tx: Tx, job: UnitJob) -> None:
        """Run one unit in a savepoint. Raises what is not the unit's own fault."""
        job.error = await self._try(session, tx, job, job.unit)
        if job.salvage is not None and isinstance(job.error, _Refused):
            job.error = await self._try(session, tx, job, job.salvage)

    async def _try(
        self, session: Session, tx: Tx, job: UnitJob, unit: Unit[Any]
    ) -> WunderError | None:
        mark = tx.mark()
        await session.plain("SAVEPOINT unit")
        try:
            job.result = await alone(session, unit(tx))
            await alone(session, tx.settle_down())
        except Exception as error:
            if blame(error) is not Blame.UNIT:
                raise
            await session.plain("ROLLBACK TO unit; RELEASE unit")
            tx.forget_later()
            tx.back_to(mark)
            if isinstance(error, WunderError):
                return error
            broken = str(getattr(error, "constraint_name", None) or "")
            log.exception("unit_refused", kind=type(error).__name__, constraint=broken)
            return _Refused(f"the store refused this unit of work: {type(error).__name__}")
        await session.plain("RELEASE unit")
        return None

    def _done(self, jobs: list[UnitJob], attempt: _Attempt) -> None:
        self.settled(True)
        self.counters.committed(attempt.tx.counts)
        self.commits += 1
        self.units += len(jobs)
        self.rows += attempt.rows

    async def _roll_back(self, cause: BaseException) -> None:
        self._line.drop_if_lost(cause)
        try:
            session = self._line.current
            if session is not None and session.conn.is_in_transaction():
                await session.plain("ROLLBACK")
        except Exception as error:  # noqa: BLE001 - whatever it is, this connection is of no use
            log.warning("rollback_failed", kind=type(error).__name__)
            self._line.drop()

    # --- a COMMIT whose answer was lost ------------------------------------------------------------

    async def _was_committed(self, attempt: _Attempt, jobs: Sequence[UnitJob]) -> bool:
        """Ask the server what became of a transaction; while it does not say, remember the doubt."""
        self._line.drop()
        doubt = Doubt(self._life, attempt.commits, claims_in(job.result for job in jobs))
        ends_at = self._loop.time() + self._policy.database_stall_s
        while self._loop.time() < ends_at:
            try:
                session = await self._line.session(at_once=True)
                async with asyncio.timeout(self._policy.database_stall_s):
                    status = await doubt.status(session)
            except WunderError:
                status = None
            except Exception as error:  # noqa: BLE001 - the server is not there yet
                self._line.drop_if_lost(error)
                status = None
            if status is not None:
                log.warning("commit_was_in_doubt", committed=status)
                return status
            await asyncio.sleep(0.05)
        self._doubt = doubt
        return False

    async def _resolve_doubt(self, session: Session) -> None:
        """Give back what a commit, whose answer nobody heard, had claimed for this node.

        Raises: StoreUnavailable while the server is still at it: it holds this node's figures.
        """
        if self._doubt is None:
            return
        status = await self._doubt.status(session)
        if status is None:
            raise StoreUnavailable("the database is still at this node's last commit")
        if status:
            tx = Tx(self._life.epoch, self._now(), self.counters.value)
            await session.plain("BEGIN")
            if await alone(session, self._life.check()):
                await alone(session, self._doubt.give_back(tx))
            # That commit wrote figures this process never took over.
            self.counters.load(await session.fetch(ALL_COUNTERS))
            await tx.flush(session, self.counters.changed)
            await session.plain("COMMIT")
            self.counters.committed(tx.counts)
        self._doubt = None


class _Refused(WunderError):
    """The store refused this unit of work; look at the log line with this trace id."""


def _waves(jobs: Iterable[UnitJob]) -> list[list[UnitJob]]:
    """Put units that share a conversation one after the other, in the order they came."""
    waves: list[list[UnitJob]] = []
    last: dict[tuple[str, ...], int] = {}
    barrier = 0
    for job in jobs:
        if job.lanes is None:
            waves.append([job])
            barrier = len(waves)
            continue
        conversations = {key[1:] for key in job.lanes}
        at = max([barrier, *(last.get(key, -1) + 1 for key in conversations)])
        if at == len(waves):
            waves.append([])
        waves[at].append(job)
        last.update(dict.fromkeys(conversations, at))
    return waves


def _lanes_of(jobs: Iterable[UnitJob]) -> list[LaneKey]:
    return sorted({key for job in jobs for key in job.lanes or ()})


def _refuse_intake(jobs: list[UnitJob], why: str) -> list[UnitJob]:
    for job in jobs:
        if job.is_intake:
            job.error = StoreFull(f"{StoreFull().detail} ({why})")
    return [job for job in jobs if not job.is_intake]


def _ignore(_what: object) -> None:
    return


def _nothing() -> None:
    return
