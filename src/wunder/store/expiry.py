"""End a delivery that waited until its time was over."""

from wunder.model.ids import At, DeliveryId
from wunder.model.trail import StepName
from wunder.store.held import Lanes
from wunder.store.standing import tell
from wunder.store.unit import Transaction

_EXPIRE = """
UPDATE channel_outbox SET state = 'expired', settled_at = ?, retry_at = NULL
WHERE delivery_id = ? AND state = 'pending'
"""


async def expire(lanes: Lanes, tx: Transaction, delivery_id: DeliveryId, now: At) -> bool:
    """End a waiting delivery whose time is over; False when it does not wait any more."""
    found = await lanes.look(tx, delivery_id)
    if found is None or not (await tx.run(_EXPIRE, (now, delivery_id))).rowcount:
        return False
    tx.moved("channel_outbox", "pending", "expired")
    tell(tx, StepName.EXPIRED, delivery_id, found.standing, now)
    await found.lane.leave(now, delivery_id)
    return True
