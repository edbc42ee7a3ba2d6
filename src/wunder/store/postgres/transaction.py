"""The transaction a unit of work runs in: statements, rows written at its end, trail, events, counters."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from wunder.model.ids import At
from wunder.model.trail import Event, Step
from wunder.store.clean import clean_row, to_json
from wunder.store.postgres.lane_book import LaneBook
from wunder.store.postgres.rounds import WRITE, Ask, Parts, ask
from wunder.store.postgres.session import Rows, Session
from wunder.store.postgres.statements import Many, Statement

#: Numbered by a sequence, whose order is that of writing on every node.
_INSERT_STEPS = Many(
    """
INSERT INTO channel_trail (message_id, step, at, plugin_id, version, account_uid, account_id, delivery_id,
  attempt_no, detail)
SELECT message_id, step, at, plugin_id, version, account_uid, account_id, delivery_id, attempt_no, detail
FROM {v} ORDER BY n
""",
    "message_id text, step text, at int8, plugin_id text, version text, account_uid text,"
    " account_id text, delivery_id text, attempt_no int8, detail text",
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
Mark = tuple[Counter[str], int, int]


class Tx:
    """One transaction of the writer, shared by the units of a batch.

    What a unit need not hear back is written by `later`, with the like of other units, before the
    next wave; trail steps and events once a batch.
    """

    def __init__(self, epoch: int, now: At, kept: Callable[[str], int] = lambda _name: 0) -> None:
        self.epoch = epoch
        self.now = now
        self._kept = kept
        self.counts: Counter[str] = Counter()
        self.lanes = LaneBook()
        self.topics: set[str] = set()  # what other nodes should hear of
        self._steps: list[Step] = []
        self._events: list[Event] = []
        self._later: dict[Many, list[tuple[Any, ...]]] = {}

    # --- statements ------------------------------------------------------------------------------

    async def execute(self, statement: Statement, row: tuple[Any, ...] = ()) -> Rows:
        """Run a statement with cleaned values."""
        return (await ask([Ask(statement, [clean_row(row)])]))[0][0]

    async def one(self, statement: Statement, row: tuple[Any, ...] = ()) -> tuple[Any, ...] | None:
        """Run a statement and return its first row."""
        found = await self.execute(statement, row)
        return found[0] if found else None

    async def each(self, statement: Statement, rows: Sequence[tuple[Any, ...]]) -> list[Rows]:
        """Run a statement for each row."""
        return (await ask([Ask(statement, [clean_row(row) for row in rows])]))[0] if rows else []

    async def together(self, *asked: tuple[Statement, tuple[Any, ...]]) -> list[Rows]:
        """Run statements that do not depend on each other."""
        results = await ask([Ask(statement, [clean_row(row)]) for statement, row in asked])
        return [rows[0] for rows in results]

    def later(self, statement: Many, row: tuple[Any, ...]) -> None:
        """Write a row before the next wave. No statement of this unit may read it."""
        self._later.setdefault(statement, []).append(clean_row(row))

    async def settle_down(self) -> None:
        """Write what was put off, lanes included; for a unit that reads by index what others wrote."""
        parts = self._put_off()
        if parts:
            await ask([Ask(WRITE, parts)])

    def _put_off(self) -> Parts:
        later, self._later = self._later, {}
        return [*later.items(), *self.lanes.changed()]

    def forget_later(self) -> None:
        """Drop what was put off by a unit that failed, and lanes whose locks went with it."""
        self._later = {}
        self.lanes.forget()

    # --- gathered --------------------------------------------------------------------------------

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

    def tell(self, topic: str) -> None:
        """Have other nodes hear of a topic when this is committed."""
        self.topics.add(topic)

    def figure(self, name: str) -> int:
        """A kept counter as this transaction sees it."""
        return self._kept(name) + self.counts[name]

    def mark(self) -> Mark:
        """Remember what was gathered so far."""
        return Counter(self.counts), len(self._steps), len(self._events)

    def back_to(self, mark: Mark) -> None:
        """Forget what was gathered since."""
        self.counts = mark[0]
        del self._steps[mark[1] :]
        del self._events[mark[2] :]

    async def flush(self, session: Session, figures: Callable[[Counter[str]], Parts]) -> None:
        """Write what was put off and gathered, and the figures it changes, in one statement."""
        parts = self._put_off()
        if self._steps:
            parts.append((_INSERT_STEPS, list(map(_step_row, self._steps))))
        if self._events:
            parts.append((_INSERT_EVENTS, list(map(_event_row, self._events))))
            self.counts["channel_events"] += len(self._events)
        parts += figures(self.counts)
        if parts:
            await session.write(parts)


def _step_row(step: Step) -> tuple[Any, ...]:
    return clean_row(
        (
            step.message_id,
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
