"""What operators do to deliveries by hand: choose, replay, let go after a restore."""

from collections.abc import Sequence
from typing import Any

from wunder.model.conversation import Conversation, LaneKind
from wunder.model.ids import At, DeliveryId, MessageId
from wunder.model.trail import StepName
from wunder.ports import DeliveryFilter
from wunder.store.filters import delivery_where
from wunder.store.jobs import Leases
from wunder.store.postgres import lanes
from wunder.store.postgres.life import DB_NOW
from wunder.store.postgres.reader import Reader
from wunder.store.postgres.standing import standing_of
from wunder.store.postgres.transaction import Tx
from wunder.store.postgres.turns import reroute_one
from wunder.store.postgres.writer import Writer
from wunder.store.standing import tell
from wunder.store.states import REPLAYABLE, TROUBLED_DELIVERIES, TROUBLED_MESSAGES
from wunder.store.upkeep import Moves

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
  AND (?1::text IS NULL OR channel = ?1) ORDER BY seq
"""  # noqa: S608 - constants
_LET_GO = """
UPDATE channel_outbox SET state = 'pending', retry_at = NULL,
  expires_at = greatest(expires_at, ? + expires_at - created_at) WHERE delivery_id = ? AND state = 'held'
"""
_STOOD_STILL = f"""
SELECT message_id FROM channel_messages
WHERE state = 'failed' AND {TROUBLED_MESSAGES} AND reason = 'restored'
  AND (?1::text IS NULL OR channel = ?1) ORDER BY seq
"""  # noqa: S608 - constants


class PostgresOutboxDesk:
    """Port OutboxDesk."""

    def __init__(self, writer: Writer, reader: Reader) -> None:
        self._writer = writer
        self._reader = reader

    async def replay(
        self, delivery_ids: Sequence[DeliveryId], now: At, by: str
    ) -> list[DeliveryId]:
        """Append finished deliveries at the tail of their lanes; the ids that were replayed."""

        async def unit(tx: Tx) -> list[DeliveryId]:
            return [one for one in delivery_ids if await _replay(tx, one, now, by)]

        return await self._writer.commit(unit)

    async def select(self, where: DeliveryFilter, limit: int) -> list[DeliveryId]:
        """Ids of deliveries that match, oldest first."""
        return await _select(self._reader, where, limit)

    async def release_held(self, channel: str | None, now: At, by: str) -> int:
        """Let go what a restore held: deliveries, and messages it had not answered; how many."""
        return await self._writer.commit(lambda tx: _release_held(tx, channel, now, by))


async def _replay(tx: Tx, delivery_id: DeliveryId, now: At, by: str) -> bool:
    before = await standing_of(tx, delivery_id)
    if before is not None:
        await tx.lanes.by_id(before.lane_id)
    row = await tx.one(_TO_REPLAY, (delivery_id,))
    standing = await standing_of(tx, delivery_id)
    if row is None or standing is None or standing.state not in REPLAYABLE:
        return False
    *peer, state, ttl_ms, account_status = row
    if account_status == "deleted":
        return False
    conversation = Conversation(*peer)
    place = await lanes.enter(tx, LaneKind.DELIVERY, conversation, 1, now, is_claimed=False)
    await tx.execute(_REPLAY, (place.first_seq, now + ttl_ms, delivery_id))
    tx.moved("channel_outbox", state, "pending")
    tell(tx, StepName.REPLAYED, delivery_id, standing, now, by=by)
    return True


#: For the tables that are written once for both engines.
MOVES = Moves(reroute_one, _replay, Leases(now=DB_NOW, is_alone=False))


async def _select(reader: Reader, where: DeliveryFilter, limit: int) -> list[DeliveryId]:
    condition, values = delivery_where(where)
    sql = f"SELECT delivery_id FROM channel_outbox WHERE {condition} ORDER BY seq LIMIT ?"  # noqa: S608 - made of constants
    return [DeliveryId(row[0]) for row in await reader.rows(sql, *values, limit)]


async def _release_held(tx: Tx, channel: str | None, now: At, by: str) -> int:
    rows: list[tuple[Any, ...]] = await tx.execute(_HELD, (channel,))
    for delivery_id, lane_id in rows:
        lane = await tx.lanes.by_id(lane_id)
        standing = await standing_of(tx, delivery_id)
        await tx.execute(_LET_GO, (now, delivery_id))
        await lanes.refresh_deliveries(tx, lane, now)
        if standing is not None:
            tell(tx, StepName.REPLAYED, delivery_id, standing, now, by=by, held=True)
    tx.moved("channel_outbox", "held", "pending", len(rows))
    stood_still = await tx.execute(_STOOD_STILL, (channel,))
    return len(rows) + sum([await reroute_one(tx, MessageId(row[0]), now) for row in stood_still])
