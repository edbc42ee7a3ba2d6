"""What happened, for people: lists newest first, by cursor."""

from wunder.model.conversation import Session
from wunder.model.delivery import StoredAttempt, StoredDelivery
from wunder.model.ids import DeliveryId, MessageId
from wunder.model.message import StoredMessage
from wunder.model.trail import Step
from wunder.ports import DeliveryFilter, MessageFilter, Page
from wunder.store.filters import delivery_where, message_where
from wunder.store.ledger_rows import (
    ATTEMPTS,
    DELIVERY_COLUMNS,
    TRAIL,
    attempt_of,
    delivery_of,
    session_of,
    step_of,
)
from wunder.store.message_rows import STORED_COLUMNS, stored_message_of
from wunder.store.pages import cut, parse_cursor
from wunder.store.reads import Reads

_SESSIONS = """
SELECT last_message_at || '.' || seq, session_id, account_uid, peer_kind, peer_id, thread_id, channel, account_id, agent_id,
  peer_name, created_at, last_message_at, message_count
FROM channel_sessions WHERE (CAST(?1 AS TEXT) = '' OR channel = ?1) AND (last_message_at, seq) < (?2, ?3)
ORDER BY last_message_at DESC, seq DESC LIMIT ?4
"""


class SqlLedger:
    """Port Ledger, on either engine; `like` is its way to ignore case: LIKE or ILIKE."""

    def __init__(self, reader: Reads, like: str) -> None:
        self._reader = reader
        self._like = like

    async def messages(self, where: MessageFilter, limit: int, cursor: str) -> Page[StoredMessage]:
        """Messages that match."""
        condition, values = message_where(where, self._like)
        sql = f"""
          SELECT seq, {STORED_COLUMNS} FROM channel_messages
          WHERE {condition} AND seq < ? ORDER BY seq DESC LIMIT ?"""  # noqa: S608 - made of constants
        values = (*values, parse_cursor(cursor), limit + 1)
        rows = await self._reader.rows(sql, *values)
        items, next_cursor = cut(rows, limit)
        return Page(tuple(stored_message_of(row[1:]) for row in items), next_cursor)

    async def message(self, message_id: MessageId) -> StoredMessage | None:
        """One message by our id."""
        sql = f"SELECT {STORED_COLUMNS} FROM channel_messages WHERE message_id = ?"  # noqa: S608 - constant
        rows = await self._reader.rows(sql, message_id)
        return stored_message_of(rows[0]) if rows else None

    async def trail(self, message_id: MessageId) -> list[Step]:
        """Every step of the turn this message belongs to."""
        rows = await self._reader.rows(TRAIL, message_id)
        return [step_of(row) for row in rows]

    async def deliveries(
        self, where: DeliveryFilter, limit: int, cursor: str
    ) -> Page[StoredDelivery]:
        """Deliveries that match."""
        condition, values = delivery_where(where)
        sql = f"""
          SELECT seq, {DELIVERY_COLUMNS} FROM channel_outbox
          WHERE {condition} AND seq < ? ORDER BY seq DESC LIMIT ?"""  # noqa: S608 - made of constants
        values = (*values, parse_cursor(cursor), limit + 1)
        rows = await self._reader.rows(sql, *values)
        items, next_cursor = cut(rows, limit)
        return Page(tuple(delivery_of(row[1:]) for row in items), next_cursor)

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

    async def sessions(self, channel: str, limit: int, cursor: str) -> Page[Session]:
        """Sessions, of one channel or of all (""), the last active first."""
        last_at, _, seq = cursor.partition(".")
        values = (channel, parse_cursor(last_at), parse_cursor(seq), limit + 1)
        rows = await self._reader.rows(_SESSIONS, *values)
        items, next_cursor = cut(rows, limit)
        return Page(tuple(session_of(row[1:]) for row in items), next_cursor)
