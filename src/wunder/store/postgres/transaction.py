"""The transaction a unit of work runs in: statements, rows written at its end, trail, events, counters."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import asyncpg

from wunder.model.ids import At
from wunder.store.clean import clean_row
from wunder.store.gathered import event_row, step_rows
from wunder.store.postgres.lane_book import LaneBook
from wunder.store.postgres.rounds import Ask, ask
from wunder.store.postgres.session import Session
from wunder.store.postgres.statements import Many, Parts, Statement
from wunder.store.unit import RowExists, Rows, Transaction

_GUARD = "SELECT pg_advisory_xact_lock(hashtextextended(?, 7))"
#: Numbered by a sequence, whose order is that of writing on every node.
_INSERT_STEPS = Many(
    """
INSERT INTO channel_trail (message_id, step, at, plugin_id, version, account_uid, account_id, delivery_id,
  attempt_no, detail, more)
SELECT message_id, step, at, plugin_id, version, account_uid, account_id, delivery_id, attempt_no, detail, more
FROM {v} ORDER BY n
""",
    "message_id text, step text, at int8, plugin_id text, version text, account_uid text,"
    " account_id text, delivery_id text, attempt_no int8, detail text, more text",
)
_INSERT_EVENTS = Many(
    """
INSERT INTO channel_events (name, at, level, plugin_id, version, account_uid, account_id, message_id,
  delivery_id, fields)
SELECT name, at, level, plugin_id, version, account_uid, account_id, message_id, delivery_id, fields
FROM {v} ORDER BY n
""",
    "name text, at int8, level text, plugin_id text, version text, account_uid text, account_id text,"
    " message_id text, delivery_id text, fields text",
)


class Tx(Transaction):
    """One transaction of the writer, shared by the units of a batch.

    What a unit need not hear back is written by `put`, with the like of other units, before the
    next wave; trail steps and events once a batch.
    """

    def __init__(self, epoch: int, now: At, kept: Callable[[str], int] = lambda _name: 0) -> None:
        super().__init__(epoch, now, kept)
        self.lanes = LaneBook()
        self.topics: set[str] = set()  # what other nodes should hear of
        self.spool_waits = True  # when it began; figures of other nodes are as old as the last look
        self.has_gathered = False  # at its end: something is written beside the figures
        self._later: dict[Many, list[tuple[Any, ...]]] = {}

    for_update = " FOR UPDATE"
    skip_locked = " FOR UPDATE SKIP LOCKED"

    async def execute(self, statement: Statement, row: tuple[Any, ...] = ()) -> Rows:
        """Run a statement with cleaned values."""
        return (await ask([Ask(statement, [clean_row(row)])]))[0][0]

    async def one(self, statement: Statement, row: tuple[Any, ...] = ()) -> tuple[Any, ...] | None:
        """Run a statement and return its first row."""
        found = await self.execute(statement, row)
        return found[0] if found else None

    async def run(self, sql: Statement, row: tuple[Any, ...] = ()) -> Rows:
        """Run a statement for a unit that is written once for both engines."""
        try:
            return await self.execute(sql, row)
        except asyncpg.UniqueViolationError as error:
            raise RowExists(error.constraint_name) from error

    def has_spooled(self) -> bool:
        """False where certainly no request waited when this began, nor was any spooled since."""
        return self.spool_waits or self.counts["channel_spool"] > 0

    async def alone(self, name: str) -> None:
        """Wait until no other unit runs under this name, on any node."""
        await self.execute(_GUARD, (name,))

    async def each(self, statement: Statement, rows: Sequence[tuple[Any, ...]]) -> list[Rows]:
        """Run a statement for each row."""
        return (await ask([Ask(statement, [clean_row(row) for row in rows])]))[0] if rows else []

    async def together(self, *asked: tuple[Statement, tuple[Any, ...]]) -> list[Rows]:
        """Run statements that do not depend on each other."""
        results = await ask([Ask(statement, [clean_row(row)]) for statement, row in asked])
        return [rows[0] for rows in results]

    def put(self, statement: Many, row: tuple[Any, ...]) -> None:
        """Write a row before the next wave. No statement of this unit may read it."""
        self._later.setdefault(statement, []).append(clean_row(row))

    async def settle_down(self) -> None:
        """Write what was put off, lanes included; for a unit that reads by index what others wrote."""
        parts = self._put_off()
        if parts:
            await ask([Ask(statement, rows) for statement, rows in parts])

    def _put_off(self) -> list[tuple[Many, list[tuple[Any, ...]]]]:
        later, self._later = self._later, {}
        return [*later.items(), *self.lanes.changed()]

    def forget_later(self) -> None:
        """Drop what was put off by a unit that failed, and lanes whose locks went with it."""
        self._later = {}
        self.lanes.forget()

    def tell(self, topic: str) -> None:
        """Have other nodes hear of a topic when this is committed."""
        self.topics.add(topic)

    async def flush(self, session: Session, figures: Callable[[Counter[str]], Parts]) -> None:
        """Write what was put off and gathered, and the figures it changes, in one statement."""
        parts: list[tuple[Many, Sequence[tuple[Any, ...]]]] = [*self._put_off()]
        if self.steps:
            parts.append((_INSERT_STEPS, step_rows(self.steps)))
        if self.events:
            parts.append((_INSERT_EVENTS, list(map(event_row, self.events))))
            self.counts["channel_events"] += len(self.events)
        self.has_gathered = bool(parts)
        parts += figures(self.counts)
        if parts:
            await session.ask(parts)
