"""The transaction a unit of work runs in: statements now, trail, events and counters at its end."""

import sqlite3
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, TypeVar

from wunder.model.ids import At
from wunder.model.trail import Event
from wunder.store.clean import clean_row
from wunder.store.gathered import event_row, step_rows
from wunder.store.unit import RowExists, Rows, Transaction

T = TypeVar("T")

_INSERT_STEP = """
INSERT INTO channel_trail (step_no, message_id, step, at, plugin_id, version, account_uid, account_id,
  delivery_id, attempt_no, detail, more) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_INSERT_EVENT = """
INSERT INTO channel_events (name, at, level, plugin_id, version, account_uid, account_id, message_id,
  delivery_id, fields) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
#: Steps are numbered epoch << 40 | counter: in order over restarts, without reading the table. What
#: is written while opening comes first.
_EPOCH_SHIFT = 40
_AFTER_OPENING = 1 << 32


class StepNumbers:
    """Numbers for steps of the trail, growing over restarts."""

    def __init__(self, epoch: int, *, is_opening: bool = False) -> None:
        self._next = (epoch << _EPOCH_SHIFT) + (0 if is_opening else _AFTER_OPENING)

    def take(self, count: int) -> range:
        """Take the next `count` numbers."""
        first = self._next
        self._next += count
        return range(first, first + count)


class Tx(Transaction):
    """One transaction of the writer, shared by the units of a batch."""

    def __init__(
        self,
        conn: sqlite3.Connection,
        epoch: int,
        now: At,
        kept: Callable[[str], int] = lambda _name: 0,
    ) -> None:
        super().__init__(epoch, now, kept)
        self.conn = conn

    def execute(self, sql: str, row: tuple[Any, ...] = ()) -> sqlite3.Cursor:
        """Run a statement with cleaned values."""
        return self.conn.execute(sql, clean_row(row))

    def one(self, sql: str, row: tuple[Any, ...] = ()) -> tuple[Any, ...] | None:
        """Run a statement and return its only row."""
        found: tuple[Any, ...] | None = self.conn.execute(sql, clean_row(row)).fetchone()
        return found

    def put(self, statement: str, row: tuple[Any, ...]) -> None:
        """Write a row at once."""
        self.conn.execute(statement, clean_row(row))

    async def run(self, sql: str, row: tuple[Any, ...] = ()) -> Rows:
        """Run a statement for a unit that is written once for both engines."""
        try:
            done = self.execute(sql, row)
        except sqlite3.IntegrityError as error:
            raise RowExists(str(error)) from error
        return Rows(done.fetchall(), done.rowcount)

    def flush(self, numbers: StepNumbers) -> None:
        """Write what was gathered, but for the counters."""
        if self.steps:
            rows = step_rows(self.steps)
            numbered = zip(numbers.take(len(rows)), rows, strict=True)
            self.conn.executemany(_INSERT_STEP, [(number, *row) for number, row in numbered])
        if self.events:
            write_events(self.conn, self.events)
            self.counts["channel_events"] += len(self.events)


def write_events(conn: sqlite3.Connection, events: Iterable[Event]) -> None:
    """Insert events."""
    conn.executemany(_INSERT_EVENT, map(event_row, events))


def finished(unit: Coroutine[Any, Any, T]) -> T:
    """Run a unit to its end: its statements return at once, so it never stops in between."""
    try:
        unit.send(None)
    except StopIteration as end:
        result: T = end.value
        return result
    unit.close()
    raise TypeError("a unit of work awaits nothing but statements")
