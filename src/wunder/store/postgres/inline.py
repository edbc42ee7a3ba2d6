"""Inline replies in rows: the window of a message, and the reply that a webhook may take before its time."""

from wunder.model.delivery import ClaimedDelivery, InlineStanding, SendGrant
from wunder.model.ids import At, DeliveryId, MessageId
from wunder.store.delivery_rows import facts_of
from wunder.store.postgres import lanes
from wunder.store.postgres.delivery_rows import delivery_of, mark
from wunder.store.postgres.transaction import Tx

_EXTEND = """
UPDATE channel_messages SET inline_until = greatest(inline_until, ?)
WHERE message_id = ? AND inline_until IS NOT NULL RETURNING inline_until
"""
#: The first reply, while no webhook and no dispatcher has touched it.
_HELD = """
root_message_id = ? AND reply_ordinal = 1 AND state = 'pending' AND attempts = 0
"""
_LANE = "SELECT lane_id FROM channel_outbox WHERE root_message_id = ? AND reply_ordinal = 1"
_HOLD_BACK = f"UPDATE channel_outbox SET not_before = ? WHERE {_HELD} RETURNING lane_id"  # noqa: S608
_FIND = f"SELECT delivery_id FROM channel_outbox WHERE {_HELD} AND not_before > ?"  # noqa: S608
_STATE = "SELECT state FROM channel_messages WHERE message_id = ?"


async def extend_window(tx: Tx, message_id: MessageId, until: At | None) -> None:
    """A repeat of the message can carry the reply as well: hold it back for as long."""
    if until is None:
        return
    extended = await tx.one(_EXTEND, (until, message_id))
    if extended is None:
        return
    for (lane_id,) in await tx.execute(_LANE, (message_id,)):
        lane = await tx.lanes.by_id(lane_id)
        if await tx.execute(_HOLD_BACK, (extended[0], message_id)):
            await lanes.refresh_deliveries(tx, lane, tx.now)


async def claim(
    tx: Tx, message_id: MessageId, grant: SendGrant, now: At
) -> ClaimedDelivery | InlineStanding:
    """Mark the held reply `sending` for one webhook; of several, on any node, one gets it."""
    state = await tx.one(_STATE, (message_id,))
    if state is not None and state[0] in ("received", "answering"):
        return InlineStanding.WAITING
    queued = await tx.one(_LANE, (message_id,))
    if queued is None:
        return InlineStanding.OVER
    lane = await tx.lanes.by_id(queued[0])
    held = await tx.one(_FIND, (message_id, now))
    found = None if held is None else await delivery_of(tx, DeliveryId(held[0]))
    if found is None:
        return InlineStanding.OVER
    head, message = found
    return mark(tx, head, message, facts_of(grant), now, lanes.claim(lane))
