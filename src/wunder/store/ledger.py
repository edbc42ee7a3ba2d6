"""What happened, for people: lists newest first, by cursor."""

import re
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from wunder.model.conversation import Session
from wunder.model.delivery import DeliveryState, StoredAttempt, StoredDelivery
from wunder.model.ids import DeliveryId, MessageId
from wunder.model.message import StoredMessage
from wunder.model.trail import Step
from wunder.ports import Page
from wunder.store.filters import (
    LIVE,
    TROUBLE,
    TROUBLE_OF_MESSAGES,
    delivery_where,
    is_indexed,
    message_where,
    substring,
)
from wunder.store.ledger_rows import (
    ATTEMPTS,
    DELIVERY_COLUMNS,
    TRAIL,
    attempt_of,
    delivery_of,
    session_of,
    steps_of,
)
from wunder.store.looking import Looking, Search, only
from wunder.store.message_rows import STORED_COLUMNS, stored_message_of
from wunder.store.pages import cut, parse_cursor
from wunder.store.reads import Reads
from wunder.store.states import LIVE_DELIVERIES
from wunder.upkeep.ledger import DeliveryFilter, MessageFilter, SessionFilter

_MESSAGES, _OUTBOX = "channel_messages", "channel_outbox"
#: Live deliveries are looked up one by one up to so many (choice: two screens of a bad day).
FEW = 1_000
_OUR_ID = re.compile(r"[0-9a-f]{32}")
#: Each condition holds where nothing is asked for; `{like}` is the engine's way to ignore case.
_SESSIONS = """
SELECT last_message_at || '.' || seq, session_id, account_uid, peer_kind, peer_id, thread_id, channel, account_id, agent_id,
  peer_name, created_at, last_message_at, message_count
FROM channel_sessions WHERE (CAST(?1 AS TEXT) = '' OR channel = ?1) AND (last_message_at, seq) < (?2, ?3)
  AND (CAST(?5 AS TEXT) = '' OR account_id = ?5)
  AND (CAST(?6 AS TEXT) = '' OR session_id = ?6 OR peer_name {like} ?7 ESCAPE '\\' OR peer_id {like} ?7 ESCAPE '\\')
ORDER BY last_message_at DESC, seq DESC LIMIT ?4
"""


class SqlLedger:
    """Port Ledger, on either engine; `like` is its way to ignore case: LIKE or ILIKE."""

    def __init__(self, reader: Reads, like: str, monotonic: Callable[[], float]) -> None:
        self._reader = reader
        self._like = like
        self._sessions = _SESSIONS.format(like=like)
        self._looking = Looking(reader, monotonic)

    async def messages(self, where: MessageFilter, limit: int, cursor: str) -> Page[StoredMessage]:
        """Messages that match; an id of ours as text is that message."""
        if not cursor and _OUR_ID.fullmatch(where.text):
            named = await self._named(where)
            if named is not None:
                return Page((named,))
        condition, values = message_where(where, self._like)
        search = Search(_MESSAGES, STORED_COLUMNS, condition, values, where.since, where.until)
        has_index = where.session_id or where.state in TROUBLE_OF_MESSAGES
        rows, next_cursor = await self._page(search, limit, cursor, has_index=bool(has_index))
        return Page(tuple(stored_message_of(row[1:]) for row in rows), next_cursor)

    async def _named(self, where: MessageFilter) -> StoredMessage | None:
        condition, values = message_where(msgspec.structs.replace(where, text=""), self._like)
        sql = f"SELECT {STORED_COLUMNS} FROM {_MESSAGES} WHERE {condition} AND message_id = ?"  # noqa: S608 - made of constants
        rows = await self._reader.rows(sql, *values, where.text)
        return stored_message_of(rows[0]) if rows else None

    async def _page(
        self, search: Search, limit: int, cursor: str, *, has_index: bool
    ) -> tuple[list[tuple[Any, ...]], str]:
        """Return a page at once where an index finds it, else what can be looked through in time."""
        if not has_index:
            return await self._looking.page(search, limit, cursor)
        sql = f"""
          SELECT seq, {search.columns} FROM {search.table}
          WHERE {search.condition} AND seq < ? ORDER BY seq DESC LIMIT ?"""  # noqa: S608 - made of constants
        rows = await self._reader.rows(sql, *search.values, parse_cursor(cursor), limit + 1)
        return cut(rows, limit)

    async def message(self, message_id: MessageId) -> StoredMessage | None:
        """One message by our id."""
        sql = f"SELECT {STORED_COLUMNS} FROM channel_messages WHERE message_id = ?"  # noqa: S608 - constant
        rows = await self._reader.rows(sql, message_id)
        return stored_message_of(rows[0]) if rows else None

    async def trail(self, message_id: MessageId) -> list[Step]:
        """Every step of the turn this message belongs to."""
        rows = await self._reader.rows(TRAIL, message_id)
        return [step for row in rows for step in steps_of(row)]

    async def deliveries(
        self, where: DeliveryFilter, limit: int, cursor: str
    ) -> Page[StoredDelivery]:
        """Deliveries that match."""
        condition, values = delivery_where(where)
        search = Search(_OUTBOX, DELIVERY_COLUMNS, condition, values, where.since, where.until)
        has_index = bool(where.states) and is_indexed(where.states, TROUBLE)
        if where.states and is_indexed(where.states, LIVE):
            few = await self._few_live(where.states)
            if few is not None:
                search = only(search, few)
                has_index = True
        rows, next_cursor = await self._page(search, limit, cursor, has_index=has_index)
        return Page(tuple(delivery_of(row[1:]) for row in rows), next_cursor)

    async def _few_live(self, states: Sequence[DeliveryState]) -> list[int] | None:
        """Return the numbers of the deliveries in live states; None where many are: they are near then."""
        marks = ", ".join("?" * len(states))
        sql = f"SELECT seq FROM {_OUTBOX} WHERE {LIVE_DELIVERIES} AND state IN ({marks}) LIMIT ?"  # noqa: S608 - constants
        rows = await self._reader.rows(sql, *(state.value for state in states), FEW + 1)
        return None if len(rows) > FEW else [row[0] for row in rows]

    async def delivery(
        self, delivery_id: DeliveryId
    ) -> tuple[StoredDelivery, list[StoredAttempt]] | None:
        """One delivery with its attempts, first to last."""
        sql = f"SELECT {DELIVERY_COLUMNS} FROM channel_outbox WHERE delivery_id = ?"  # noqa: S608 - constant
        rows = await self._reader.rows(sql, delivery_id)
        if not rows:
            return None
        attempts = await self._reader.rows(ATTEMPTS, delivery_id)
        return delivery_of(rows[0]), [attempt_of(one) for one in attempts]

    async def sessions(self, where: SessionFilter, limit: int, cursor: str) -> Page[Session]:
        """Sessions that match, the last active first."""
        last_at, _, seq = cursor.partition(".")
        place = (where.channel, parse_cursor(last_at), parse_cursor(seq), limit + 1)
        asked = (where.account_id, where.text, substring(where.text))
        rows = await self._reader.rows(self._sessions, *place, *asked)
        items, next_cursor = cut(rows, limit)
        return Page(tuple(session_of(row[1:]) for row in items), next_cursor)
