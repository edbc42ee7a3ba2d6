"""Replay of many deliveries: a preview, then a job that goes on in small steps behind the traffic."""

from collections.abc import Sequence
from typing import Annotated, Any, Protocol

import msgspec

from wunder.errors import FieldFault, Invalid, StoreUnavailable, WunderError
from wunder.model.delivery import DeliveryState
from wunder.model.ids import DeliveryId, new_id
from wunder.model.trail import Event
from wunder.observe.logs import get_logger
from wunder.ports import WakeUp
from wunder.upkeep.doors import Doors
from wunder.upkeep.jobs import ClaimedJob, Job, JobTable, NewJob

log = get_logger(__name__)
KIND = "replay"
#: So many deliveries may be named one by one.
MAX_IDS = 1_000
#: Finished and not arrived: what may go out again.
REPLAYABLE = (DeliveryState.FAILED, DeliveryState.UNKNOWN, DeliveryState.EXPIRED)


class JobPolicy(msgspec.Struct, frozen=True):
    """How fast jobs go on: at most `per_s` deliveries a second, `rows` a step.

    A job waits while more than `pending_up_to` deliveries wait to be sent: traffic goes first. Its
    lease is renewed by each step; a job whose node died goes on elsewhere after `lease_s`.
    """

    rows: int = 20
    per_s: float = 100.0
    pending_up_to: int = 5_000
    lease_s: float = 15.0
    poll_s: float = 2.0


class ReplayFilter(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which finished deliveries; `since` and `until` say when they ended, Unix milliseconds."""

    states: tuple[DeliveryState, ...] = (DeliveryState.FAILED,)
    channel: str = ""
    account_id: str = ""
    peer_id: str = ""
    error_kind: str = ""
    since: Annotated[int, msgspec.Meta(ge=0, le=2**53)] | None = None
    until: Annotated[int, msgspec.Meta(ge=0, le=2**53)] | None = None


class ReplayGroup(msgspec.Struct, frozen=True):
    """How many deliveries of one account, whose last try this plugin made, ended so; and of what."""

    channel: str
    account_id: str
    plugin_id: str
    state: DeliveryState
    error_kind: str
    count: int


class Preview(msgspec.Struct, frozen=True):
    """What would be sent again."""

    total: int
    groups: tuple[ReplayGroup, ...]


class Found(msgspec.Struct, frozen=True):
    """A delivery to replay, and where the job stands behind it."""

    cursor: int
    delivery_id: DeliveryId


class ReplayTable(Protocol):
    """What a replay asks of the store. May raise StoreUnavailable."""

    async def preview(self, where: ReplayFilter) -> tuple[Preview, int]:
        """Count what matches, by group; and the cursor at which a job over it ends."""

    async def preview_ids(self, ids: Sequence[str], *, is_forced: bool = False) -> Preview:
        """Count those of them that may go out again; forced, also those that arrived."""

    async def batch(self, where: ReplayFilter, after: int, up_to: int, limit: int) -> list[Found]:
        """The next that match, oldest first."""

    async def step(
        self, job: ClaimedJob, found: Sequence[Found], cursor: int, lease_s: float
    ) -> bool:
        """Replay some and note how far the job came, in one transaction.

        False: the job was cancelled, or another node took it over; nothing was done.
        """


class ReplayDesk:
    """Orders replays."""

    def __init__(self, table: ReplayTable, jobs: JobTable, doors: Doors) -> None:
        self._table = table
        self._jobs = jobs
        self._doors = doors
        self.ordered = WakeUp()

    async def preview(
        self, ids: tuple[str, ...], where: ReplayFilter | None, *, is_forced: bool = False
    ) -> Preview:
        """What would go out again. Raises: Invalid."""
        _check(ids, where, is_forced)
        if where is None:
            return await self._table.preview_ids(ids, is_forced=is_forced)
        return (await self._table.preview(where))[0]

    async def order(
        self,
        ids: tuple[str, ...],
        where: ReplayFilter | None,
        by: str,
        *,
        is_forced: bool = False,
    ) -> Job:
        """Make a job of it; forced, what arrived goes out again too. Raises: Invalid."""
        _check(ids, where, is_forced)
        spec: dict[str, Any] = {"ids": list(ids), **({"is_forced": True} if is_forced else {})}
        total = ends_at = len(ids)
        if where is not None:
            preview, ends_at = await self._table.preview(where)
            total, spec = preview.total, {"filter": msgspec.to_builtins(where)}
        now = self._doors.clock.now()
        job = await self._jobs.add(NewJob(new_id(), KIND, spec, total, ends_at, by, now))
        fields: dict[str, Any] = {"job_id": job.job_id, "kind": KIND, "total": total, "by": by}
        if is_forced:
            fields["forced"] = True
        self._doors.events.record(Event("job_ordered", now, fields=fields))
        log.info("job_ordered", job_id=job.job_id, total=total, by=by, is_forced=is_forced)
        self.ordered.set()
        return job


class ReplayWorker:
    """Carries on whatever replay nobody works on, one at a time, behind the traffic."""

    def __init__(
        self,
        desk: ReplayDesk,
        table: ReplayTable,
        jobs: JobTable,
        doors: Doors,
        policy: JobPolicy,
    ) -> None:
        self._desk = desk
        self._table = table
        self._jobs = jobs
        self._doors = doors
        self._policy = policy

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            try:
                while await self.work():
                    pass
            except WunderError as error:
                log.warning("job_postponed", reason=error.code)
            await self._desk.ordered.pause(self._policy.poll_s)

    async def work(self) -> bool:
        """Carry one job to its end; False where there is none to carry."""
        job = await self._jobs.claim(KIND, self._policy.lease_s)
        if job is None:
            return False
        log.info("job_taken_on", job_id=job.job_id, cursor=job.cursor)
        try:
            await self._carry(job)
        except StoreUnavailable:
            raise
        except WunderError as error:
            # Not an outage: another try would end the same way, for ever.
            log.error("job_failed", job_id=job.job_id, reason=error.code)  # noqa: TRY400 - code, not trace
            await self._jobs.fail(job, error.detail[:500])
        return True

    async def _carry(self, job: ClaimedJob) -> None:
        clock, cursor = self._doors.clock, -1
        while cursor < job.ends_at:
            found, cursor = await self._next(job)
            if not await self._table.step(job, found, cursor, self._policy.lease_s):
                log.info("job_given_up", job_id=job.job_id)
                return
            job = msgspec.structs.replace(job, cursor=cursor)
            if found:
                self._doors.wake()
                await clock.sleep(len(found) / self._policy.per_s)
            while cursor < job.ends_at and self._is_traffic_behind():
                await self._table.step(job, (), cursor, self._policy.lease_s)
                await clock.sleep(self._policy.poll_s)
        log.info("job_done", job_id=job.job_id)

    def _is_traffic_behind(self) -> bool:
        pending = self._doors.figures().get("channel_outbox_pending", 0)
        return pending > self._policy.pending_up_to

    async def _next(self, job: ClaimedJob) -> tuple[list[Found], int]:
        """What is next, and where the job stands behind it."""
        rows = self._policy.rows
        ids = job.spec.get("ids")
        if ids is not None:
            named = ids[job.cursor : job.cursor + rows]
            found = [Found(job.cursor + n, DeliveryId(one)) for n, one in enumerate(named, 1)]
            return found, job.cursor + len(named)
        where = _filter_of(job.spec)
        found = await self._table.batch(where, job.cursor, job.ends_at, rows)
        return found, found[-1].cursor if len(found) == rows else job.ends_at


def _filter_of(spec: dict[str, Any]) -> ReplayFilter:
    return msgspec.convert(spec["filter"], ReplayFilter)


def _check(ids: tuple[str, ...], where: ReplayFilter | None, is_forced: bool) -> None:
    if is_forced and where is not None:
        words = "What arrived goes out again by its id alone, never by a filter."
        raise Invalid(words, [FieldFault("/force", "ids_only", words)])
    if bool(ids) == (where is not None):
        raise Invalid("Give either ids or a filter.", [FieldFault("/ids", "ids_or_filter", "")])
    if len(ids) > MAX_IDS:
        fault = FieldFault("/ids", "too_many", f"at most {MAX_IDS}")
        raise Invalid(f"At most {MAX_IDS} deliveries by id; use a filter for more.", [fault])
    wrong = [one for one in (where.states if where else ()) if one not in REPLAYABLE]
    if wrong or (where is not None and not where.states):
        words = "Only failed, unknown and expired deliveries go out again."
        raise Invalid(words, [FieldFault("/filter/states", "not_replayable", words)])
