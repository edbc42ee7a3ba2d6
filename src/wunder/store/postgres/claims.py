"""Claim the heads of delivery lanes, and end what waited too long on the way."""

from collections.abc import Sequence

from wunder.model.delivery import ClaimedDelivery, DeliveryState
from wunder.model.ids import At
from wunder.store.delivery_rows import SendFacts
from wunder.store.expiry import expire
from wunder.store.postgres import lanes
from wunder.store.postgres.delivery_rows import MARKS, heads_of
from wunder.store.postgres.held import LANES
from wunder.store.postgres.lane_book import Lane
from wunder.store.postgres.transaction import Tx

#: So many expired heads of one lane end in one claim; the rest in the next.
_MAX_EXPIRED = 64


async def claim_lanes(
    tx: Tx, due: Sequence[Lane], facts: SendFacts, now: At, *, may_expire: bool, limit: int
) -> list[ClaimedDelivery]:
    """Mark the heads of lanes whose time has come (T3), at most `limit`."""
    claimed: list[ClaimedDelivery] = []
    heads = await heads_of(tx, [(lane.lane_id, "") for lane in due])
    for lane, found in zip(due, heads, strict=True):
        if len(claimed) == limit:
            break
        if found is not None and may_expire and found[0].expires_at <= now:
            one = await claim_lane(tx, lane, facts, now, may_expire=may_expire)
        elif found is not None and _is_due(lane, found[0].state, now):
            one = MARKS.mark(tx, found, facts, now, lanes.claim(lane))
        else:
            one = None
        if one is not None:
            claimed.append(one)
    return claimed


async def claim_lane(
    tx: Tx, lane: Lane, facts: SendFacts, now: At, *, may_expire: bool, but: str = ""
) -> ClaimedDelivery | None:
    """Mark the head of a lane whose time has come; None where nothing may be sent now.

    `but` is a delivery whose end is not written yet.
    """
    for _ in range(_MAX_EXPIRED):
        (found,) = await heads_of(tx, [(lane.lane_id, but)])
        if found is None or found[0].state != DeliveryState.PENDING:
            return None
        head = found[0]
        if may_expire and head.expires_at <= now:
            await tx.settle_down()
            await expire(LANES, tx, head.delivery_id, now)
            continue
        if not _is_due(lane, head.state, now):
            return None
        return MARKS.mark(tx, found, facts, now, lanes.claim(lane))
    return None


def _is_due(lane: Lane, state: str, now: At) -> bool:
    return state == DeliveryState.PENDING and lane.ready_at is not None and lane.ready_at <= now
