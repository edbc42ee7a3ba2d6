"""`channel_events`: what happened to the gateway's parts, written behind message traffic, bounded."""

import collections
from collections.abc import Callable
from typing import Any, Protocol

from wunder.model.trail import Event
from wunder.ports import Page
from wunder.store.clean import from_json
from wunder.store.pages import cut, parse_cursor
from wunder.store.policy import StorePolicy
from wunder.store.reads import Reads
from wunder.store.unit import Transaction, Works, no_work

#: So many ride along with one batch; more would make messages wait.
_A_BATCH = 64
_SELECT = """
SELECT event_id, name, at, level, plugin_id, version, account_uid, account_id, message_id, delivery_id, fields
FROM channel_events
"""


class Carries(Works, Protocol):
    """A writer whose batches take events along."""

    ride_along: Callable[[Transaction], None]
    settled: Callable[[bool], None]


class SqlEventLog:
    """Ports EventLog and EventFeed. Events wait in memory for the next commit; the oldest go when too many wait."""

    def __init__(self, writer: Carries, reader: Reads, policy: StorePolicy) -> None:
        self._writer = writer
        self._reader = reader
        self._queue: collections.deque[Event] = collections.deque(maxlen=policy.events_queued)
        self._taken: list[Event] = []
        self.dropped = 0
        writer.ride_along = self.ride_along
        writer.settled = self.settled

    def record(self, event: Event) -> None:
        """Queue an event for the next commit."""
        if len(self._queue) == self._queue.maxlen:
            self.dropped += 1
        self._queue.append(event)

    @property
    def waiting(self) -> int:
        """Events that are not committed yet."""
        return len(self._queue)

    async def flush(self) -> None:
        """Commit what waits."""
        while self._queue:
            await self._writer.work(no_work)

    async def events(
        self, plugin_id: str, account_uid: str, limit: int, cursor: str
    ) -> Page[Event]:
        """Events of a plugin, of an account, or of all (""), newest first."""
        conditions, values = ["event_id < ?"], [parse_cursor(cursor)]
        given: list[Any] = [*values]
        for column, value in (("plugin_id", plugin_id), ("account_uid", account_uid)):
            if value:
                conditions.append(f"{column} = ? AND {column} <> ''")
                given.append(value)
        sql = f"{_SELECT} WHERE {' AND '.join(conditions)} ORDER BY event_id DESC LIMIT ?"
        given.append(limit + 1)
        rows = await self._reader.rows(sql, *given)
        items, next_cursor = cut(rows, limit)
        return Page(tuple(_event(row) for row in items), next_cursor)

    async def newest_id(self) -> int:
        """The id of the newest event; 0 where there is none."""
        rows = await self._reader.rows("SELECT max(event_id) FROM channel_events")
        return rows[0][0] or 0

    async def oldest_id(self) -> int:
        """The id of the oldest event that is kept; 0 where there is none."""
        rows = await self._reader.rows("SELECT min(event_id) FROM channel_events")
        return rows[0][0] or 0

    async def after(self, event_id: int, limit: int) -> list[Event]:
        """Events with a larger id, oldest first."""
        sql = f"{_SELECT} WHERE event_id > ? ORDER BY event_id LIMIT ?"
        return [_event(row) for row in await self._reader.rows(sql, event_id, limit)]

    # --- on the writer's thread ----------------------------------------------------------------

    def ride_along(self, tx: Transaction) -> None:
        """Put waiting events into a transaction; they stay queued until it is committed."""
        self._taken = []
        while self._queue and len(self._taken) < _A_BATCH:
            self._taken.append(self._queue.popleft())
        for event in self._taken:
            tx.event(event)

    def settled(self, is_committed: bool) -> None:
        """Forget what was committed; queue again what was not."""
        if not is_committed:
            self._queue.extendleft(reversed(self._taken))
        self._taken = []


def _event(row: tuple[Any, ...]) -> Event:
    values = [*row[1:10], from_json(row[10]), row[0]]
    return Event(*values)
