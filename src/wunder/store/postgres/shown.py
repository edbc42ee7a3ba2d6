"""A reply that was shown while it was written: what the end of its turn makes of that delivery."""

from wunder.model.delivery import SHOWN_AS, ClaimedDelivery, DeliveryState, SendGrant
from wunder.model.ids import At, TurnId, derived_id
from wunder.store.clean import to_json
from wunder.store.delivery_rows import facts_of
from wunder.store.postgres import lanes
from wunder.store.postgres.delivery_rows import delivery_of, mark
from wunder.store.postgres.transaction import Tx
from wunder.store.shown import END, FIND, TO_SEND, Shown


async def shown_by(tx: Tx, turn_id: TurnId) -> Shown | None:
    """What a turn has begun to show; None where it waited with its replies, as most do."""
    row = await tx.one(FIND, (derived_id(turn_id, "delivery"),))
    return None if row is None else Shown._make(row)


async def finish(
    tx: Tx, shown: Shown, expires_at: At, grant: SendGrant | None
) -> ClaimedDelivery | None:
    """Let the dispatcher bring the whole text; with a grant it is marked at once.

    What the platform shows it as goes along as the state of part 0, which has none otherwise.
    Anything but `streaming` is settled already: parked, cancelled or held.
    """
    if shown.state != DeliveryState.STREAMING:
        return None
    state = to_json({SHOWN_AS: shown.provider_message_id})
    await tx.execute(TO_SEND, (state, expires_at, shown.delivery_id))
    tx.moved("channel_outbox", "streaming", "pending")
    await tx.settle_down()  # its message is among what was put off
    found = await delivery_of(tx, shown.delivery_id)
    lane = await tx.lanes.by_id(shown.lane_id)
    if grant is None or found is None:
        await lanes.refresh_deliveries(tx, lane, tx.now)
        return None
    head, message = found
    return mark(tx, head, message, facts_of(grant), tx.now, lanes.claim(lane))


async def abandon(tx: Tx, shown: Shown) -> None:
    """End what nothing followed: a turn that broke in our own code."""
    if not (await tx.execute(END, (tx.now, shown.delivery_id))).rowcount:
        return
    tx.moved("channel_outbox", "streaming", "failed")
    lane = await tx.lanes.by_id(shown.lane_id)
    await lanes.leave_deliveries(tx, lane, tx.now, shown.delivery_id)
