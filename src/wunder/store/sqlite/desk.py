"""What operators do to deliveries by hand: choose, replay, let go after a restore."""

import sqlite3
from collections.abc import Sequence
from typing import Any

from wunder.model.conversation import Conversation, LaneKind
from wunder.model.ids import At, DeliveryId, MessageId
from wunder.model.trail import StepName
from wunder.ports import DeliveryFilter
from wunder.store.filters import delivery_where
from wunder.store.jobs import Leases
from wunder.store.sqlite import lanes
from wunder.store.sqlite.reader import Reader
from wunder.store.sqlite.standing import standing_of
from wunder.store.sqlite.transaction import Tx
from wunder.store.sqlite.turns import reroute_one
from wunder.store.sqlite.writer import Writer
from wunder.store.standing import tell
from wunder.store.states import REPLAYABLE, TROUBLED_DELIVERIES, TROUBLED_MESSAGES
from wunder.store.upkeep import Moves

#: Why a message that a restored store had not answered stands still.
_TO_REPLAY = """
SELECT o.account_uid, o.peer_kind, o.peer_id, o.thread_id, o.state, o.expires_at - o.created_at, a.status
FROM channel_outbox o LEFT JOIN channel_accounts a ON a.account_uid = o.account_uid
WHERE o.delivery_id = ?
"""
_REPLAY = """
UPDATE channel_outbox SET state = 'pending', lane_seq = ?, replays = replays + 1, retries_used = 0,
  collisions = 0, retry_at = NULL, not_before = NULL, settled_at = NULL, expires_at = ?
WHERE delivery_id = ? AND state IN ('failed', 'unknown', 'expired')
"""
_HELD = f"""
SELECT delivery_id, lane_id FROM channel_outbox
WHERE state = 'held' AND {TROUBLED_DELIVERIES}
  AND (?1 IS NULL OR channel = ?1) ORDER BY seq
"""  # noqa: S608 - constants
_LET_GO = """
UPDATE channel_outbox SET state = 'pending', retry_at = NULL,
  expires_at = max(expires_at, ? + expires_at - created_at) WHERE delivery_id = ? AND state = 'held'
"""
_STOOD_STILL = f"""
SELECT message_id FROM channel_messages
WHERE state = 'failed' AND {TROUBLED_MESSAGES} AND reason = 'restored'
  AND (?1 IS NULL OR channel = ?1) ORDER BY seq
"""  # noqa: S608 - constants


class SqliteOutboxDesk:
    """Port OutboxDesk."""

    def __init__(self, writer: Writer, reader: Reader) -> None:
        self._writer = writer
        self._reader = reader

    async def replay(
        self, delivery_ids: Sequence[DeliveryId], now: At, by: str
    ) -> list[DeliveryId]:
        """Append finished deliveries at the tail of their lanes; the ids that were replayed."""
        return await self._writer.commit(
            lambda tx: [one for one in delivery_ids if _replay(tx, one, now, by)]
        )

    async def select(self, where: DeliveryFilter, limit: int) -> list[DeliveryId]:
        """Ids of deliveries that match, oldest first."""
        return await self._reader.read(lambda conn: _select(conn, where, limit))

    async def release_held(self, channel: str | None, now: At, by: str) -> int:
        """Let go what a restore held: deliveries, and messages it had not answered; how many."""
        return await self._writer.commit(lambda tx: _release_held(tx, channel, now, by))


def _replay(tx: Tx, delivery_id: DeliveryId, now: At, by: str) -> bool:
    row = tx.one(_TO_REPLAY, (delivery_id,))
    standing = standing_of(tx, delivery_id)
    if row is None or standing is None or standing.state not in REPLAYABLE:
        return False
    *peer, state, ttl_ms, account_status = row
    if account_status == "deleted":
        return False
    conversation = Conversation(*peer)
    place = lanes.enter(tx, LaneKind.DELIVERY, conversation, 1, now, is_claimed=False)
    tx.execute(_REPLAY, (place.first_seq, now + ttl_ms, delivery_id))
    tx.moved("channel_outbox", state, "pending")
    tell(tx, StepName.REPLAYED, delivery_id, standing, now, by=by)
    return True


async def _reroute(tx: Tx, message_id: MessageId, now: At) -> bool:
    return reroute_one(tx, message_id, now)


async def _replay_one(tx: Tx, delivery_id: DeliveryId, now: At, by: str) -> bool:
    return _replay(tx, delivery_id, now, by)


#: For the tables that are written once for both engines.
MOVES = Moves(_reroute, _replay_one, Leases(now="NULL", is_alone=True))


def _select(conn: sqlite3.Connection, where: DeliveryFilter, limit: int) -> list[DeliveryId]:
    condition, values = delivery_where(where)
    sql = f"SELECT delivery_id FROM channel_outbox WHERE {condition} ORDER BY seq LIMIT ?"  # noqa: S608 - made of constants
    return [DeliveryId(row[0]) for row in conn.execute(sql, (*values, limit))]


def _release_held(tx: Tx, channel: str | None, now: At, by: str) -> int:
    rows: list[tuple[Any, ...]] = tx.execute(_HELD, (channel,)).fetchall()
    for delivery_id, lane_id in rows:
        standing = standing_of(tx, delivery_id)
        tx.execute(_LET_GO, (now, delivery_id))
        lanes.refresh_deliveries(tx, lane_id, now)
        if standing is not None:
            tell(tx, StepName.REPLAYED, delivery_id, standing, now, by=by, held=True)
    tx.moved("channel_outbox", "held", "pending", len(rows))
    stood_still = tx.execute(_STOOD_STILL, (channel,)).fetchall()
    return len(rows) + sum(reroute_one(tx, MessageId(row[0]), now) for row in stood_still)
