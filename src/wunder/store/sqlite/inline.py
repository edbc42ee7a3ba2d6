"""Inline replies in rows: the window of a message, and the reply that a webhook may take before its time."""

from wunder.model.delivery import ClaimedDelivery, InlineStanding, SendGrant
from wunder.model.ids import At, DeliveryId, MessageId
from wunder.store.delivery_rows import facts_of
from wunder.store.sqlite import lanes
from wunder.store.sqlite.delivery_rows import delivery_of, mark
from wunder.store.sqlite.transaction import Tx

_OPEN = "UPDATE channel_messages SET inline_until = ? WHERE message_id = ?"
_EXTEND = """
UPDATE channel_messages SET inline_until = max(inline_until, ?)
WHERE message_id = ? AND inline_until IS NOT NULL RETURNING inline_until
"""
#: The first reply, while no webhook and no dispatcher has touched it.
_HELD = """
root_message_id = ? AND reply_ordinal = 1 AND state = 'pending' AND attempts = 0
"""
_HOLD_BACK = f"UPDATE channel_outbox SET not_before = ? WHERE {_HELD} RETURNING lane_id"  # noqa: S608
_FIND = f"SELECT delivery_id, lane_id FROM channel_outbox WHERE {_HELD} AND not_before > ?"  # noqa: S608
_STATE = "SELECT state FROM channel_messages WHERE message_id = ?"


def open_window(tx: Tx, message_id: MessageId, until: At | None) -> None:
    """Note until when a webhook may carry the reply to a message."""
    if until is not None:
        tx.execute(_OPEN, (until, message_id))


def extend_window(tx: Tx, message_id: MessageId, until: At | None) -> None:
    """A repeat of the message can carry the reply as well: hold it back for as long."""
    if until is None:
        return
    extended = tx.one(_EXTEND, (until, message_id))
    if extended is None:
        return
    for (lane_id,) in tx.execute(_HOLD_BACK, (extended[0], message_id)).fetchall():
        lanes.refresh_deliveries(tx, lane_id, tx.now)


def hold_back(tx: Tx, message_id: MessageId, until: At, lane_id: int, now: At) -> None:
    """Keep the first reply from the dispatcher while a webhook may carry it."""
    tx.execute(_HOLD_BACK, (until, message_id))
    lanes.refresh_deliveries(tx, lane_id, now)


def claim(
    tx: Tx, message_id: MessageId, grant: SendGrant, now: At
) -> ClaimedDelivery | InlineStanding:
    """Mark the held reply `sending` for one webhook; of several one gets it."""
    state = tx.one(_STATE, (message_id,))
    if state is not None and state[0] in ("received", "answering"):
        return InlineStanding.WAITING
    held = tx.one(_FIND, (message_id, now))
    if held is None:
        return InlineStanding.OVER
    found = delivery_of(tx, DeliveryId(held[0]))
    if found is None:
        return InlineStanding.OVER
    head, message = found
    return mark(tx, head, message, facts_of(grant), now, lanes.claim(tx, held[1]))
