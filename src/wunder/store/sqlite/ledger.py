"""What happened, for people: lists newest first, by cursor."""

import sqlite3
from typing import Any

from wunder.errors import Invalid
from wunder.model.conversation import Conversation, Session
from wunder.model.delivery import DeliveryState, StoredAttempt, StoredDelivery
from wunder.model.ids import At, DeliveryId, MessageId, attempt_id
from wunder.model.message import StoredMessage
from wunder.model.trail import Step, StepName
from wunder.ports import DeliveryFilter, MessageFilter, Page
from wunder.store.clean import from_json
from wunder.store.filters import delivery_where, message_where
from wunder.store.sqlite.message_rows import STORED_COLUMNS, stored_message_of
from wunder.store.sqlite.reader import Reader

_DELIVERY_COLUMNS = """delivery_id, message_id, root_message_id, account_uid, channel, account_id, peer_kind,
  peer_id, thread_id, state, receipt, attempts, retries_used, part, reply_ordinal, provider_message_id,
  error_kind, error, retry_at, expires_at, created_at, settled_at, replays"""
_ATTEMPTS = """
SELECT delivery_id, attempt_no, part, started_at, settled_at, outcome, error_kind, error, provider_code,
  provider_message_id, raw_result, took_ms, plugin_id, version, account_uid, account_id
FROM channel_attempts WHERE delivery_id = ? ORDER BY attempt_no
"""
_TRAIL = """
SELECT message_id, step, at, plugin_id, version, account_uid, account_id, delivery_id, attempt_no, detail
FROM channel_trail
WHERE message_id = coalesce((SELECT in_reply_to FROM channel_messages WHERE message_id = ?1), ?1)
ORDER BY step_no
"""
_SESSIONS = """
SELECT last_message_at || '.' || seq, session_id, account_uid, peer_kind, peer_id, thread_id, channel, account_id, agent_id,
  peer_name, created_at, last_message_at, message_count
FROM channel_sessions WHERE (?1 = '' OR channel = ?1) AND (last_message_at, seq) < (?2, ?3)
ORDER BY last_message_at DESC, seq DESC LIMIT ?4
"""
_NO_CURSOR = 2**62


class SqliteLedger:
    """Port Ledger."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def messages(self, where: MessageFilter, limit: int, cursor: str) -> Page[StoredMessage]:
        """Messages that match."""
        condition, values = message_where(where, "LIKE")
        sql = f"""
          SELECT seq, {STORED_COLUMNS} FROM channel_messages
          WHERE {condition} AND seq < ? ORDER BY seq DESC LIMIT ?"""  # noqa: S608 - made of constants
        values = (*values, parse_cursor(cursor), limit + 1)
        rows = await self._reader.read(lambda conn: conn.execute(sql, values).fetchall())
        items, next_cursor = cut(rows, limit)
        return Page(tuple(stored_message_of(row[1:]) for row in items), next_cursor)

    async def message(self, message_id: MessageId) -> StoredMessage | None:
        """One message by our id."""
        sql = f"SELECT {STORED_COLUMNS} FROM channel_messages WHERE message_id = ?"  # noqa: S608 - constant
        row = await self._reader.read(lambda conn: conn.execute(sql, (message_id,)).fetchone())
        return None if row is None else stored_message_of(row)

    async def trail(self, message_id: MessageId) -> list[Step]:
        """Every step of the turn this message belongs to."""
        rows = await self._reader.read(lambda conn: conn.execute(_TRAIL, (message_id,)).fetchall())
        return [_step(row) for row in rows]

    async def deliveries(
        self, where: DeliveryFilter, limit: int, cursor: str
    ) -> Page[StoredDelivery]:
        """Deliveries that match."""
        condition, values = delivery_where(where)
        sql = f"""
          SELECT seq, {_DELIVERY_COLUMNS} FROM channel_outbox
          WHERE {condition} AND seq < ? ORDER BY seq DESC LIMIT ?"""  # noqa: S608 - made of constants
        values = (*values, parse_cursor(cursor), limit + 1)
        rows = await self._reader.read(lambda conn: conn.execute(sql, values).fetchall())
        items, next_cursor = cut(rows, limit)
        return Page(tuple(_delivery(row[1:]) for row in items), next_cursor)

    async def delivery(
        self, delivery_id: DeliveryId
    ) -> tuple[StoredDelivery, list[StoredAttempt]] | None:
        """One delivery with its attempts, first to last."""

        def query(conn: sqlite3.Connection) -> tuple[StoredDelivery, list[StoredAttempt]] | None:
            sql = f"SELECT {_DELIVERY_COLUMNS} FROM channel_outbox WHERE delivery_id = ?"  # noqa: S608 - constant
            row = conn.execute(sql, (delivery_id,)).fetchone()
            if row is None:
                return None
            attempts = conn.execute(_ATTEMPTS, (delivery_id,)).fetchall()
            return _delivery(row), [_attempt(one) for one in attempts]

        return await self._reader.read(query)

    async def sessions(self, channel: str, limit: int, cursor: str) -> Page[Session]:
        """Sessions, of one channel or of all (""), the last active first."""
        last_at, _, seq = cursor.partition(".")
        values = (channel, parse_cursor(last_at), parse_cursor(seq), limit + 1)
        rows = await self._reader.read(lambda conn: conn.execute(_SESSIONS, values).fetchall())
        items, next_cursor = cut(rows, limit)
        return Page(tuple(_session(row[1:]) for row in items), next_cursor)


def parse_cursor(cursor: str) -> int:
    """Read a cursor; "" is the beginning. Raises: Invalid."""
    if not cursor:
        return _NO_CURSOR
    if not cursor.isdecimal() or len(cursor) > 18:
        raise Invalid("This cursor is none of ours: leave it out to begin anew.")
    return int(cursor)


def cut(rows: list[tuple[Any, ...]], limit: int) -> tuple[list[tuple[Any, ...]], str]:
    """Cut a page that was read one row too long; the first column is the cursor."""
    if len(rows) <= limit:
        return rows, ""
    return rows[:limit], str(rows[limit - 1][0])


def _step(row: tuple[Any, ...]) -> Step:
    values = list(row)
    values[1], values[9] = StepName(row[1]), from_json(row[9])
    return Step(*values)


def _delivery(row: tuple[Any, ...]) -> StoredDelivery:
    values = list(row)
    values[9] = DeliveryState(row[9])
    return StoredDelivery(*values)


def _attempt(row: tuple[Any, ...]) -> StoredAttempt:
    values = [attempt_id(row[0], row[1]), *row]
    values[11] = None if row[10] is None else from_json(row[10])
    return StoredAttempt(*values)


def _session(row: tuple[Any, ...]) -> Session:
    return Session(
        session_id=row[0],
        conversation=Conversation(row[1], row[2], row[3], row[4]),
        channel=row[5],
        account_id=row[6],
        agent_id=row[7],
        peer_name=row[8],
        created_at=At(row[9]),
        last_message_at=At(row[10]),
        message_count=row[11],
    )
