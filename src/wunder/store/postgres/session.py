"""One connection with its prepared statements, and the line that makes a new one when it is lost."""

import asyncio
from collections.abc import Callable, Sequence
from itertools import count
from typing import Any, TypeAlias

import asyncpg

from wunder.errors import StoreUnavailable
from wunder.observe.logs import get_logger
from wunder.store.postgres.address import Address
from wunder.store.postgres.faults import Blame, blame, translate
from wunder.store.postgres.statements import Many, Parts, as_one, numbered
from wunder.store.unit import Rows

log = get_logger(__name__)
#: In stalls: more than the server's own limits for a lock and for a statement (address.py). A network
#: that lost its way says nothing, and nobody else would ever end the wait for an answer.
_WRITERS_PATIENCE, _PATIENCE = 3, 5
Prepared: TypeAlias = "asyncpg.prepared_stmt.PreparedStatement[asyncpg.Record]"


class Session:
    """Runs statements on one connection.

    The writer's are parsed and planned once: the server keeps each under a name. What others ask is
    planned for the values it is asked with.
    """

    def __init__(
        self, conn: "asyncpg.Connection[asyncpg.Record]", *, keeps_plans: bool = False
    ) -> None:
        self.conn = conn
        self.touched = 0  # rows written
        self._keeps_plans = keeps_plans
        self._numbers = count()
        self._prepared: dict[str, Prepared] = {}

    @property
    def is_lost(self) -> bool:
        """True when the connection has ended."""
        return bool(self.conn.is_closed())

    async def plain(self, sql: str) -> None:
        """Run a statement without values: BEGIN, COMMIT, SAVEPOINT."""
        await self.conn.execute(sql)

    async def fetch(self, sql: str, *values: Any) -> Rows:
        """Run a statement with `?` or `$1` in it."""
        prepared = self._prepared.get(sql) or await self._prepare(sql, numbered(sql))
        found = await prepared.fetch(*values)
        return Rows([tuple(row) for row in found], self._count(prepared.get_statusmsg()))

    async def ask(self, parts: Parts) -> list[list[Rows]]:
        """Run statements, each for its rows, as one; what each gave for each row. See `as_one`."""
        # In one order, whichever was asked for first: the same set is planned once.
        asked = sorted(parts, key=_number)
        sql = as_one(tuple(many for many, _ in asked))
        prepared = self._prepared.get(sql) or await self._prepare(sql, sql)
        records = await prepared.fetch(
            *(array for many, rows in asked for array in many.arrays(rows))
        )
        columns = iter(records[0] if len(asked) > 1 else (records,))
        found = {many: next(columns) if many.returns else () for many, _ in asked}
        for many, rows in asked:
            if not many.is_read:
                self.touched += len(found[many] if many.returns else rows)
        return [many.matched(rows, found[many]) for many, rows in parts]

    async def _prepare(self, key: str, sql: str) -> Prepared:
        # asyncpg has one without a name parsed and planned again at each use, as its cache is off.
        name = f"s{next(self._numbers)}" if self._keeps_plans else None
        prepared = self._prepared[key] = await self.conn.prepare(sql, name=name)
        return prepared

    def _count(self, status: str) -> int:
        """Read how many rows a statement touched, such as `UPDATE 3`."""
        verb, _, last = status.partition(" ")
        touched = last.rpartition(" ")[2]
        rows = int(touched) if touched.isdecimal() else 0
        if verb != "SELECT":
            self.touched += rows
        return rows


def _number(part: tuple[Many, Sequence[tuple[Any, ...]]]) -> int:
    return part[0].number


class Line:
    """A connection that is made again after it was lost, not more often than the backoff allows."""

    def __init__(
        self,
        address: Address,
        role: str,
        monotonic: Callable[[], float],
        *,
        is_writer: bool = False,
    ) -> None:
        self._address = address
        self._role = role
        self._monotonic = monotonic
        self._is_writer = is_writer
        stalls = _WRITERS_PATIENCE if is_writer else _PATIENCE
        self._patience_s = stalls * address.policy.database_stall_s
        self._session: Session | None = None
        self._failures = 0
        self._closed_until_s = float("-inf")

    async def session(self, *, at_once: bool = False) -> Session:
        """The connection, made where there is none.

        Args:
            at_once: try even before the backoff has passed.

        Raises: StoreUnavailable, at once while the backoff runs.
        """
        if self._session is not None and not self._session.is_lost:
            return self._session
        self._session = None
        if self._monotonic() < self._closed_until_s and not at_once:
            raise StoreUnavailable(f"no connection to the database ({self._address.shown})")
        try:
            async with asyncio.timeout(self._address.policy.database_connect_s):
                conn = await self._address.connect(
                    self._role, is_writer=self._is_writer, patience_s=self._patience_s
                )
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            self._failed(error)
            raise translate(error) from error
        if self._failures:
            log.info("database_back", role=self._role, after_failures=self._failures)
        self._failures, self._closed_until_s = 0, float("-inf")
        self._session = Session(conn, keeps_plans=self._is_writer)
        return self._session

    @property
    def current(self) -> Session | None:
        """The connection as it is, lost or not."""
        return self._session

    def _failed(self, error: BaseException) -> None:
        policy = self._address.policy
        pause = policy.database_backoff_s * 2 ** min(self._failures, 10)
        pause = min(policy.database_backoff_cap_s, pause)
        self._closed_until_s = self._monotonic() + pause
        if not self._failures:
            where, why = self._address.shown, type(error).__name__
            log.error("database_away", role=self._role, database=where, why=why)
        self._failures += 1

    def drop(self) -> None:
        """Forget a connection that failed."""
        if self._session is not None:
            self._session.conn.terminate()
            self._session = None

    def drop_if_lost(self, error: BaseException) -> None:
        """Forget the connection when this error means that it is gone."""
        if blame(error) is Blame.AWAY:
            self.drop()

    async def close(self) -> None:
        """End the connection politely."""
        session, self._session = self._session, None
        if session is None or session.is_lost:
            return
        try:
            async with asyncio.timeout(2):
                await session.conn.close()
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            session.conn.terminate()
