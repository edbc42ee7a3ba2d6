"""What a chat page reads of the conversations with users, on either engine."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec

from wunder.model.conversation import Conversation
from wunder.model.delivery import StoredDelivery
from wunder.model.ids import AccountUid, derived_id
from wunder.model.message import StoredMessage
from wunder.store.ledger_rows import DELIVERY_COLUMNS, delivery_of
from wunder.store.message_rows import STORED_COLUMNS, stored_message_of
from wunder.store.reads import Reads

#: A list is filled up to the next of these sizes, so that few statements are ever prepared.
_SIZES = (4, 16, 64)
#: So many sessions are looked through, newest first.
_SESSIONS_BACK = 8
#: So many replies of one turn are looked for among a message's possible deliveries.
_REPLIES = 32
_STAMPS = """
SELECT peer_id, kind, next_seq, fence, waiting FROM channel_lanes
WHERE (kind = 'turn' OR kind = 'delivery') AND account_uid = ? AND peer_kind = 'user'
  AND thread_id = '' AND peer_id IN ({marks})
"""
_SESSIONS = """
SELECT session_id FROM channel_sessions
WHERE account_uid = ? AND peer_kind = ? AND peer_id = ? AND thread_id = ? ORDER BY seq DESC LIMIT ?
"""
_OF_SESSION = f"""
SELECT seq, {STORED_COLUMNS}, format FROM channel_messages
WHERE session_id = ? AND session_id IS NOT NULL ORDER BY session_seq DESC LIMIT ?
"""  # noqa: S608 - constants of this package
_WAITING = f"""
SELECT seq, {STORED_COLUMNS}, format FROM channel_messages
WHERE lane_id = (SELECT lane_id FROM channel_lanes WHERE kind = 'turn' AND account_uid = ?
    AND peer_kind = ? AND peer_id = ? AND thread_id = ?)
  AND (state = 'received' OR state = 'answering') ORDER BY lane_seq DESC LIMIT ?
"""  # noqa: S608 - constants of this package
#: In the words of the partial index.
_APART = f"""
SELECT seq, {STORED_COLUMNS}, format FROM channel_messages
WHERE account_uid = ? AND peer_kind = 'user' AND peer_id = ? AND thread_id = ?
  AND session_id IS NULL AND state <> 'received' AND state <> 'answering' ORDER BY seq DESC LIMIT ?
"""  # noqa: S608 - constants of this package
_DELIVERIES = f"SELECT {DELIVERY_COLUMNS} FROM channel_outbox WHERE delivery_id IN ({{marks}})"  # noqa: S608 - constants of this package


class StoredChatLog:
    """The chat room's door, on either engine."""

    def __init__(self, reader: Reads) -> None:
        self._reader = reader

    async def stamps(
        self, account_uid: AccountUid, peer_ids: Sequence[str]
    ) -> dict[str, tuple[int, ...]]:
        """The stamps of conversations: both of their lanes as they stand."""
        found: dict[str, dict[str, tuple[int, ...]]] = {}
        for some in _in_sizes(peer_ids):
            sql = _STAMPS.format(marks=", ".join("?" * len(some)))
            for peer_id, kind, *numbers in await self._reader.rows(sql, account_uid, *some):
                found.setdefault(peer_id, {})[kind] = tuple(numbers)
        return {
            peer_id: (*lanes.get("turn", (0, 0, 0)), *lanes.get("delivery", (0, 0, 0)))
            for peer_id, lanes in found.items()
        }

    async def lines(
        self, conversation: Conversation, limit: int
    ) -> list[tuple[StoredMessage, StoredDelivery | None]]:
        """The last messages of a user's conversation, oldest first, the outbound with their deliveries."""
        key = conversation.key
        uid, _, peer_id, thread_id = key
        rows = {row[0]: row for row in await self._reader.rows(_WAITING, *key, limit)}
        rows |= {
            row[0]: row for row in await self._reader.rows(_APART, uid, peer_id, thread_id, limit)
        }
        rows |= {row[0]: row for row in await self._of_sessions(key, limit)}
        messages = [_message(rows[seq]) for seq in sorted(rows)[-limit:]]
        deliveries = await self._deliveries(messages)
        return [(message, deliveries.get(message.message_id)) for message in messages]

    async def _of_sessions(self, key: tuple[str, ...], limit: int) -> list[tuple[Any, ...]]:
        rows: list[tuple[Any, ...]] = []
        for (session_id,) in await self._reader.rows(_SESSIONS, *key, _SESSIONS_BACK):
            rows += await self._reader.rows(_OF_SESSION, session_id, limit - len(rows))
            if len(rows) >= limit:
                break
        return rows

    async def _deliveries(self, messages: Iterable[StoredMessage]) -> dict[str, StoredDelivery]:
        wanted = [_delivery_id(message) for message in messages if message.direction == "out"]
        found: dict[str, StoredDelivery] = {}
        for some in _in_sizes(wanted):
            sql = _DELIVERIES.format(marks=", ".join("?" * len(some)))
            for row in await self._reader.rows(sql, *some):
                delivery = delivery_of(row)
                found[delivery.message_id] = delivery
        return found


def _message(row: tuple[Any, ...]) -> StoredMessage:
    return msgspec.structs.replace(stored_message_of(row[1:-1]), format=row[-1])


def _delivery_id(message: StoredMessage) -> str:
    """The delivery of an outbound message, whose id was made from the same parent (store/outgoing.py)."""
    if message.turn_id is None:
        return derived_id(message.message_id, "delivery")
    for ordinal in range(_REPLIES):
        if derived_id(message.turn_id, "message", ordinal) == message.message_id:
            return derived_id(message.turn_id, "delivery", ordinal)
    return ""


def _in_sizes(values: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Cut a list into pieces, each filled up with "" to one of a few sizes."""
    largest = _SIZES[-1]
    for start in range(0, len(values), largest):
        some = values[start : start + largest]
        size = next(size for size in _SIZES if size >= len(some))
        yield (*some, *[""] * (size - len(some)))
