"""Reads, on threads of their own: short ones share a thread and a snapshot, long ones stand apart."""

import asyncio
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from wunder.store.clean import clean_row
from wunder.store.hand_over import HandOver, QueryJob
from wunder.store.policy import StorePolicy
from wunder.store.sqlite.connection import open_reader
from wunder.store.sqlite.faults import translate

T = TypeVar("T")
Query = Callable[[sqlite3.Connection], T]


class Reader:
    """One read-only connection and its thread; all queries of a tick run in one go."""

    def __init__(self, name: str, path: Path, policy: StorePolicy) -> None:
        self._conn = open_reader(path, policy)
        self._hand_over: HandOver[QueryJob] = HandOver(
            name, policy.max_queued_units, policy.max_batch_units, self._run
        )

    def start(self) -> None:
        """Start the thread."""
        self._hand_over.start()

    async def close(self) -> None:
        """Finish what waits and close the connection."""
        await self._hand_over.close()
        self._conn.close()

    async def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """The rows of one statement, with cleaned values. Raises: StoreUnavailable, StoreBroken."""
        asked = clean_row(values)
        return await self.read(lambda conn: conn.execute(sql, asked).fetchall())

    async def read(self, query: Query[T]) -> T:
        """Run a query; it sees everything committed before the call.

        Raises: StoreUnavailable, StoreBroken.
        """
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._hand_over.submit(QueryJob(future, query))
        return await future

    def _run(self, jobs: list[QueryJob]) -> None:
        for job in jobs:
            try:
                job.result = job.query(self._conn)
            except sqlite3.Error as error:
                job.error = translate(error)
            except Exception as error:  # noqa: BLE001 - it belongs to who asked, not to this thread
                job.error = error
