"""Claim the head of a delivery lane, and end what waited too long on the way."""

from wunder.model.delivery import ClaimedDelivery, DeliveryState
from wunder.model.ids import At, DeliveryId
from wunder.model.trail import StepName
from wunder.store.delivery_rows import SendFacts
from wunder.store.sqlite import lanes
from wunder.store.sqlite.delivery_rows import head_of, mark
from wunder.store.sqlite.standing import standing_of
from wunder.store.sqlite.transaction import Tx
from wunder.store.standing import tell

_READY_AT = "SELECT ready_at FROM channel_lanes WHERE lane_id = ?"
_EXPIRE = """
UPDATE channel_outbox SET state = 'expired', settled_at = ?, retry_at = NULL
WHERE delivery_id = ? AND state = 'pending'
"""
#: So many expired heads of one lane end in one claim; the rest in the next.
_MAX_EXPIRED = 64


def claim_lane(
    tx: Tx, lane_id: int, facts: SendFacts, now: At, may_expire: bool
) -> ClaimedDelivery | None:
    """Mark the head of a lane whose time has come (T3); None where nothing may be sent now."""
    for _ in range(_MAX_EXPIRED):
        found = head_of(tx, lane_id)
        if found is None or found[0].state != DeliveryState.PENDING:
            return None
        head, message = found
        if may_expire and head.expires_at <= now:
            expire(tx, head.delivery_id, now)
            continue
        due = tx.one(_READY_AT, (lane_id,))
        if due is None or due[0] is None or due[0] > now:
            return None
        return mark(tx, head, message, facts, now, lanes.claim(tx, lane_id))
    return None


def expire(tx: Tx, delivery_id: DeliveryId, now: At) -> bool:
    """End a waiting delivery whose time is over; False when it does not wait any more."""
    standing = standing_of(tx, delivery_id)
    if standing is None or not tx.execute(_EXPIRE, (now, delivery_id)).rowcount:
        return False
    tx.moved("channel_outbox", "pending", "expired")
    tell(tx, StepName.EXPIRED, delivery_id, standing, now)
    lanes.leave_deliveries(tx, standing.lane_id, now)
    return True
