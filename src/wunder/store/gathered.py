"""What the units of a batch gather for its end: steps of trails, events, and changes of counters."""

from collections import Counter
from collections.abc import Callable, Iterable
from operator import attrgetter
from typing import Any

import msgspec

from wunder.model.ids import At, MessageId
from wunder.model.trail import Event, Step
from wunder.store.clean import clean_row, to_json

_encode = msgspec.json.Encoder().encode
#: The columns of a step between its name and its detail.
_facts = attrgetter(
    "at", "plugin_id", "version", "account_uid", "account_id", "delivery_id", "attempt_no"
)
Mark = tuple[Counter[str], int, int]


class Gathered:
    """Written once a batch; `mark` and `back_to` undo what a unit gathered that failed."""

    def __init__(self, epoch: int, now: At, kept: Callable[[str], int] = lambda _name: 0) -> None:
        self.epoch = epoch
        self.now = now
        self._kept = kept
        self.counts: Counter[str] = Counter()
        self.steps: list[Step] = []
        self.events: list[Event] = []

    def step(self, *steps: Step) -> None:
        """Add steps to trails."""
        self.steps.extend(steps)

    def event(self, event: Event) -> None:
        """Add an event."""
        self.events.append(event)

    def moved(self, table: str, old: str | None, new: str | None, rows: int = 1) -> None:
        """Count rows that went from one state to another; None: they were not there, or are gone."""
        if old is not None:
            self.counts[f"{table}_{old}"] -= rows
        if new is not None:
            self.counts[f"{table}_{new}"] += rows

    def figure(self, name: str) -> int:
        """A kept counter as this transaction sees it."""
        return self._kept(name) + self.counts[name]

    def mark(self) -> Mark:
        """Remember what was gathered so far."""
        return Counter(self.counts), len(self.steps), len(self.events)

    def back_to(self, mark: Mark) -> None:
        """Forget what was gathered since."""
        self.counts = mark[0]
        del self.steps[mark[1] :]
        del self.events[mark[2] :]


def step_rows(steps: Iterable[Step]) -> list[tuple[Any, ...]]:
    """The rows of a batch's steps, but for their numbers: one a message, what followed at once in `more`.

    All of it is our own words and ids, and JSON: there is nothing to clean.
    """
    of_message: dict[MessageId, list[Step]] = {}
    for step in steps:
        of_message.setdefault(step.message_id, []).append(step)
    return [
        (first.message_id, str(first.step), *_facts(first), _told(first.detail), _more(rest))
        for first, *rest in of_message.values()
    ]


def _more(steps: list[Step]) -> str:
    if not steps:
        return "[]"
    rows = [(one.step, *_facts(one), msgspec.Raw(_told(one.detail).encode())) for one in steps]
    return _encode(rows).decode()


def event_row(event: Event) -> tuple[Any, ...]:
    """The columns of an event."""
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
