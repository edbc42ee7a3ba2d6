"""Jobs: work that an administrator ordered and that goes on in small steps, on whichever node lives."""

from typing import Any, Literal, Protocol

import msgspec

from wunder.errors import Conflict, NotFound
from wunder.model.ids import At
from wunder.model.trail import Event
from wunder.observe.logs import get_logger
from wunder.ports import Page
from wunder.upkeep.doors import Doors

log = get_logger(__name__)
JobState = Literal["waiting", "running", "done", "cancelled", "failed"]
OVER: tuple[JobState, ...] = ("done", "cancelled", "failed")


class Job(msgspec.Struct, frozen=True):
    """One row of `jobs`, as people and the API read it. `skipped` was found done or gone meanwhile."""

    job_id: str
    kind: str
    state: JobState
    spec: dict[str, Any]
    total: int
    done: int
    skipped: int
    error: str
    created_by: str
    created_at: At
    updated_at: At
    finished_at: At | None


class ClaimedJob(msgspec.Struct, frozen=True):
    """A job in the hands of this node; `fence` is that of the claim, `cursor` how far it came."""

    job_id: str
    kind: str
    spec: dict[str, Any]
    cursor: int
    ends_at: int
    fence: int
    created_by: str


class NewJob(msgspec.Struct, frozen=True):
    """A job about to be ordered."""

    job_id: str
    kind: str
    spec: dict[str, Any]
    total: int
    ends_at: int
    by: str
    at: At


class JobTable(Protocol):
    """`jobs`. May raise StoreUnavailable."""

    async def add(self, new: NewJob) -> Job:
        """Order a job."""

    async def jobs(self, limit: int, cursor: str) -> Page[Job]:
        """Jobs, newest first."""

    async def job(self, job_id: str) -> Job | None:
        """One job; None where there is none."""

    async def cancel(self, job_id: str, at: At) -> bool:
        """End a job that is not over; what it did stays done. False where it was over."""

    async def claim(self, kind: str, lease_s: float) -> ClaimedJob | None:
        """Take over the oldest job that nobody works on; each step renews the lease."""

    async def fail(self, job: ClaimedJob, error: str) -> None:
        """End a job that cannot go on; nothing happens where it is not in these hands any more."""


class JobDesk:
    """Shows jobs, and cancels them."""

    def __init__(self, table: JobTable, doors: Doors) -> None:
        self._table = table
        self._doors = doors

    async def list(self, limit: int, cursor: str) -> Page[Job]:
        """Jobs, newest first."""
        return await self._table.jobs(limit, cursor)

    async def get(self, job_id: str) -> Job:
        """One job. Raises: NotFound."""
        job = await self._table.job(job_id)
        if job is None:
            raise NotFound("No such job; list the jobs to see those there are.")
        return job

    async def cancel(self, job_id: str, by: str) -> Job:
        """End a job; what it did stays done. Raises: NotFound; Conflict `over`."""
        job = await self.get(job_id)
        now = self._doors.clock.now()
        if not await self._table.cancel(job_id, now):
            raise Conflict("This job is over already.", reason="over", state={"state": job.state})
        self._doors.events.record(Event("job_cancelled", now, fields={"job_id": job_id, "by": by}))
        log.info("job_cancelled", job_id=job_id, by=by)
        return await self.get(job_id)
