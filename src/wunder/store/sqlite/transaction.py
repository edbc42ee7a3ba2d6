"""The transaction a unit of work runs in: statements now, trail, events and counters at its end."""

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from wunder.model.ids import At
from wunder.model.trail import Event, Step
from wunder.store.clean import clean_row, to_json

_INSERT_STEP = """
INSERT INTO channel_trail (message_id, step_no, step, at, plugin_id, version, account_uid, account_id,
  delivery_id, attempt_no, detail) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
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


class Tx:
    """One transaction of the writer, shared by the units of a batch.

    Trail steps, events and counter changes are gathered and written once a batch by `flush`;
    `mark` and `back_to` undo those of a unit that failed.
    """

    def __init__(
        self,
        conn: sqlite3.Connection,
        epoch: int,
        now: At,
        kept: Callable[[str], int] = lambda _name: 0,
    ) -> None:
        self.conn = conn
        self.epoch = epoch
        self.now = now
        self._kept = kept
        self.counts: Counter[str] = Counter()
        self._steps: list[Step] = []
        self._events: list[Event] = []

    def execute(self, sql: str, row: tuple[Any, ...] = ()) -> sqlite3.Cursor:
        """Run a statement with cleaned values."""
        return self.conn.execute(sql, clean_row(row))

    def one(self, sql: str, row: tuple[Any, ...] = ()) -> tuple[Any, ...] | None:
        """Run a statement and return its only row."""
        found: tuple[Any, ...] | None = self.conn.execute(sql, clean_row(row)).fetchone()
        return found

    def step(self, *steps: Step) -> None:
        """Add steps to trails."""
        self._steps.extend(steps)

    def event(self, event: Event) -> None:
        """Add an event."""
        self._events.append(event)

    def moved(self, table: str, old: str | None, new: str | None, rows: int = 1) -> None:
        """Count rows that went from one state to another; None: they were not there, or are gone."""
        if old is not None:
            self.counts[f"{table}_{old}"] -= rows
        if new is not None:
            self.counts[f"{table}_{new}"] += rows

    def figure(self, name: str) -> int:
        """A kept counter as this transaction sees it."""
        return self._kept(name) + self.counts[name]

    def mark(self) -> tuple[Counter[str], int, int]:
        """Remember what was gathered so far."""
        return Counter(self.counts), len(self._steps), len(self._events)

    def back_to(self, mark: tuple[Counter[str], int, int]) -> None:
        """Forget what was gathered since."""
        self.counts = mark[0]
        del self._steps[mark[1] :]
        del self._events[mark[2] :]

    def flush(self, numbers: StepNumbers) -> None:
        """Write what was gathered, but for the counters."""
        if self._steps:
            taken = numbers.take(len(self._steps))
            self.conn.executemany(_INSERT_STEP, map(_step_row, self._steps, taken))
        if self._events:
            write_events(self.conn, self._events)
            self.counts["channel_events"] += len(self._events)


def write_events(conn: sqlite3.Connection, events: Iterable[Event]) -> None:
    """Insert events."""
    conn.executemany(_INSERT_EVENT, map(_event_row, events))


def _step_row(step: Step, number: int) -> tuple[Any, ...]:
    return clean_row(
        (
            step.message_id,
            number,
            step.step.value,
            step.at,
            step.plugin_id,
            step.version,
            step.account_uid,
            step.account_id,
            step.delivery_id,
            step.attempt_no,
            _told(step.detail),
        )
    )


def _event_row(event: Event) -> tuple[Any, ...]:
    words = (
        event.level,
        event.plugin_id,
        event.version,
        event.account_uid,
        event.account_id,
        event.message_id,
        event.delivery_id,
    )
    return clean_row((event.name, int(event.at), *map(str, words), _told(event.fields)))


def _told(fields: dict[str, Any]) -> str:
    """Encode what is told of a step or an event: what is no JSON must not fail a whole batch."""
    if not fields:
        return "{}"
    try:
        return to_json(fields)
    except (TypeError, ValueError):
        return to_json({"not_json": sorted(map(str, fields))})
