"""Reads, on threads with a connection each: short ones share one, long ones stand apart."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import uvloop

from wunder.store.clean import clean_row
from wunder.store.hand_over import HandOver, QueryJob
from wunder.store.policy import StorePolicy
from wunder.store.postgres.faults import Blame, blame, translate
from wunder.store.postgres.session import Line, Session
from wunder.store.unit import Rows

T = TypeVar("T")
Query = Callable[[Session], Coroutine[Any, Any, T]]


class Reader:
    """One connection that reads, and its thread; all queries of a tick run in one go."""

    def __init__(self, name: str, line: Line, policy: StorePolicy) -> None:
        self._line = line
        self._loop = uvloop.new_event_loop()
        self._hand_over: HandOver[QueryJob] = HandOver(
            name, policy.max_queued_units, policy.max_batch_units, self._run_all
        )

    def start(self) -> None:
        """Start the thread."""
        self._hand_over.start()

    async def close(self) -> None:
        """Finish what waits and close the connection."""
        await self._hand_over.close()
        await asyncio.get_running_loop().run_in_executor(None, self._end)

    def _end(self) -> None:
        self._loop.run_until_complete(self._line.close())
        self._loop.close()

    async def rows(self, sql: str, *values: Any) -> Rows:
        """The rows of one statement, with cleaned values. Raises: StoreUnavailable, StoreBroken."""
        asked = clean_row(values)
        return await self.read(lambda session: session.fetch(sql, *asked))

    async def read(self, query: Query[T]) -> T:
        """Run a query; it sees everything committed before the call.

        Raises: StoreUnavailable, StoreBroken.
        """
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._hand_over.submit(QueryJob(future, query))
        return await future

    def _run_all(self, jobs: list[QueryJob]) -> None:
        self._loop.run_until_complete(self._run(jobs))

    async def _run(self, jobs: list[QueryJob]) -> None:
        for job in jobs:
            try:
                job.result = await self._try(job)
            except Exception as error:  # noqa: BLE001 - it belongs to who asked, not to this thread
                # What the database raised is told in our words; what the query raised as it is.
                has_state = bool(getattr(error, "sqlstate", None))
                job.error = translate(error) if has_state or _is_away(error) else error

    async def _try(self, job: QueryJob) -> Any:
        is_first = self._line.current is not None
        try:
            return await job.query(await self._line.session())
        except Exception as error:
            if not _is_away(error):
                raise
            self._line.drop()
            if not is_first:
                raise
        # The connection may have ended while nobody used it: once more on a new one.
        return await job.query(await self._line.session())


def _is_away(error: BaseException) -> bool:
    return blame(error) is Blame.AWAY
