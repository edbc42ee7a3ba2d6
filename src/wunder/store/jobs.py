"""`jobs`: work in small steps, taken on by one node at a time under a fence."""

from typing import Any, NamedTuple

from wunder.model.ids import At
from wunder.model.trail import Event
from wunder.ports import Page
from wunder.store.clean import from_json, to_json
from wunder.store.pages import cut, parse_cursor
from wunder.store.reads import Reads
from wunder.store.unit import Transaction, Works
from wunder.upkeep.jobs import ClaimedJob, Job, NewJob

_COLUMNS = """job_id, kind, state, spec, total, done, skipped, error, created_by, created_at, updated_at,
  finished_at"""
_LIST = f"SELECT seq, {_COLUMNS} FROM jobs WHERE seq < ? ORDER BY seq DESC LIMIT ?"  # noqa: S608 - constant
_ONE = f"SELECT {_COLUMNS} FROM jobs WHERE job_id = ?"  # noqa: S608 - constant
_INSERT = """
INSERT INTO jobs (job_id, kind, state, spec, total, ends_at, created_by, created_at, updated_at)
VALUES (?, ?, 'waiting', ?, ?, ?, ?, ?, ?)
"""
_END = """
UPDATE jobs SET state = 'cancelled', finished_at = ?, updated_at = ?
WHERE job_id = ? AND (state = 'waiting' OR state = 'running')
"""
_FAIL = """
UPDATE jobs SET state = 'failed', error = ?, finished_at = ?, updated_at = ? WHERE job_id = ?
"""
_STATE = "SELECT state FROM jobs WHERE job_id = ?"
_HELD = "SELECT 1 FROM jobs WHERE job_id = ? AND fence = ? AND state = 'running'"


class Leases(NamedTuple):
    """How an engine tells the time of leases: `now` in SQL, NULL for the clock of the transaction.

    `is_alone`: no other node can be at work, so what an earlier start left is free at once.
    """

    now: str
    is_alone: bool


class SqlJobTable:
    """Port JobTable; `advance` is for the tables that do the steps."""

    def __init__(self, writer: Works, reader: Reads, leases: Leases) -> None:
        self._writer = writer
        self._reader = reader
        now = f"coalesce({leases.now}, ?1)"
        self._is_alone = leases.is_alone
        is_over = (
            "lease_until < ? OR epoch <> ?" if leases.is_alone else f"lease_until < {leases.now}"
        )
        self._free = f"""
SELECT seq, job_id, kind, spec, cursor, ends_at, fence, created_by, state FROM jobs
WHERE (state = 'waiting' OR state = 'running') AND kind = ?
  AND (state = 'waiting' OR {is_over}) ORDER BY seq LIMIT 1"""  # noqa: S608 - constants
        self._take = f"""
UPDATE jobs SET state = 'running', fence = ?3, epoch = ?2, lease_until = {now} + ?4 WHERE seq = ?5
"""  # noqa: S608 - constants
        self._advance = f"""
UPDATE jobs SET cursor = ?2, done = done + ?3, skipped = skipped + ?4, lease_until = {now} + ?5,
  updated_at = ?6, state = ?7, finished_at = ?8 WHERE job_id = ?9
"""  # noqa: S608 - constants

    async def add(self, new: NewJob) -> Job:
        """Order a job."""

        async def unit(tx: Transaction) -> Job:
            row = (new.job_id, new.kind, to_json(new.spec), new.total, new.ends_at, new.by)
            await tx.run(_INSERT, (*row, new.at, new.at))
            tx.moved("jobs", None, "waiting")
            return _job(await tx.first(_ONE, (new.job_id,)) or ())

        return await self._writer.work(unit)

    async def jobs(self, limit: int, cursor: str) -> Page[Job]:
        """Jobs, newest first."""
        rows = await self._reader.rows(_LIST, parse_cursor(cursor), limit + 1)
        items, next_cursor = cut(rows, limit)
        return Page(tuple(_job(row[1:]) for row in items), next_cursor)

    async def job(self, job_id: str) -> Job | None:
        """One job; None where there is none."""
        rows = await self._reader.rows(_ONE, job_id)
        return _job(rows[0]) if rows else None

    async def cancel(self, job_id: str, at: At) -> bool:
        """End a job that is not over."""

        async def unit(tx: Transaction) -> bool:
            found = await tx.first(_STATE + tx.for_update, (job_id,))
            if found is None or not (await tx.run(_END, (at, at, job_id))).rowcount:
                return False
            tx.moved("jobs", found[0], "cancelled")
            return True

        return await self._writer.work(unit)

    async def claim(self, kind: str, lease_s: float) -> ClaimedJob | None:
        """Take over the oldest job that nobody works on."""

        async def unit(tx: Transaction) -> ClaimedJob | None:
            await tx.alone("jobs")
            own = (tx.now, tx.epoch) if self._is_alone else ()
            row = await tx.first(self._free, (kind, *own))
            if row is None:
                return None
            seq, job_id, _kind, spec, cursor, ends_at, fence, by, state = row
            lease_ms = int(lease_s * 1000)
            await tx.run(self._take, (tx.now, tx.epoch, fence + 1, lease_ms, seq))
            tx.moved("jobs", state, "running")
            return ClaimedJob(job_id, kind, from_json(spec), cursor, ends_at, fence + 1, by)

        return await self._writer.work(unit)

    async def fail(self, job: ClaimedJob, error: str) -> None:
        """End a job that cannot go on."""

        async def unit(tx: Transaction) -> None:
            if not await self.is_held(tx, job):
                return
            await tx.run(_FAIL, (error, tx.now, tx.now, job.job_id))
            tx.moved("jobs", "running", "failed")
            fields = {"job_id": job.job_id, "kind": job.kind, "by": job.created_by}
            tx.event(Event("job_failed", tx.now, "error", fields=fields))

        await self._writer.work(unit)

    async def is_held(self, tx: Transaction, job: ClaimedJob) -> bool:
        """True while the claim is good; nobody else changes the job before this is committed."""
        held = await tx.first(_HELD + tx.for_update, (job.job_id, job.fence))
        return held is not None

    async def advance(
        self, tx: Transaction, job: ClaimedJob, cursor: int, done: int, skipped: int, lease_s: float
    ) -> None:
        """Note how far a job came, and end it where that is far enough."""
        state, ended = ("done", tx.now) if cursor >= job.ends_at else ("running", None)
        came = (cursor, done, skipped, int(lease_s * 1000), tx.now)
        await tx.run(self._advance, (tx.now, *came, state, ended, job.job_id))
        tx.moved("jobs", "running", state)
        if state == "done":
            fields = {"job_id": job.job_id, "kind": job.kind, "by": job.created_by}
            tx.event(Event("job_done", tx.now, fields=fields))


def _job(row: tuple[Any, ...]) -> Job:
    values = list(row)
    values[3] = from_json(row[3])
    return Job(*values)
