"""Claim the head of a delivery lane, and end what waited too long on the way."""

from wunder.model.delivery import ClaimedDelivery, DeliveryState
from wunder.model.ids import At
from wunder.store.delivery_rows import SendFacts
from wunder.store.expiry import expire
from wunder.store.sqlite import lanes
from wunder.store.sqlite.delivery_rows import MARKS, head_of
from wunder.store.sqlite.held import LANES
from wunder.store.sqlite.transaction import Tx, finished

_READY_AT = "SELECT ready_at FROM channel_lanes WHERE lane_id = ?"
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
        head = found[0]
        if may_expire and head.expires_at <= now:
            finished(expire(LANES, tx, head.delivery_id, now))
            continue
        due = tx.one(_READY_AT, (lane_id,))
        if due is None or due[0] is None or due[0] > now:
            return None
        return MARKS.mark(tx, found, facts, now, lanes.claim(tx, lane_id))
    return None
