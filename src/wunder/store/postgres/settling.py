"""T4: the outcome of an attempt, what becomes of its delivery, and the next head in the same commit."""

from wunder.model.delivery import (
    RELEASED,
    ClaimedDelivery,
    DeliveryState,
    Settlement,
)
from wunder.store.policy import StorePolicy
from wunder.store.postgres import lanes, receipts
from wunder.store.postgres.claims import claim_lane
from wunder.store.postgres.delivery_rows import MARKS
from wunder.store.postgres.evidence import LATE
from wunder.store.postgres.receipts import RECEIPTS
from wunder.store.postgres.standing import standing_of
from wunder.store.postgres.statements import Many
from wunder.store.postgres.transaction import Tx
from wunder.store.readiness import ready_at
from wunder.store.settled import (
    PUT_BACK,
    Outcomes,
    check_move,
    end_row,
    facts_again,
    is_own,
    next_ordinal,
    put_back_row,
    tell_outcome,
)
from wunder.store.standing import Standing

_FINISH = Many(
    """
UPDATE channel_outbox o SET state = v.state, settled_at = v.at, error_kind = v.kind, error = v.words,
  provider_message_id = CASE WHEN v.provider_id = '' THEN o.provider_message_id ELSE v.provider_id END,
  retry_at = NULL, had_unknown = greatest(o.had_unknown, v.unknown), retries_used = retries_used + v.used
FROM {v} WHERE o.delivery_id = v.id AND o.state || '' = 'sending' AND o.fence = v.fence
""",
    "state text, at int8, kind text, words text, provider_id text, unknown int8, used int8, id text,"
    " fence int8",
)
OUTCOMES = Outcomes(RECEIPTS, LATE, MARKS)


async def settle(
    tx: Tx, done: Settlement, policy: StorePolicy, may_expire: bool
) -> list[ClaimedDelivery]:
    """Record one outcome; the next part or the next head, marked, where there is one."""
    delivery = done.delivery
    standing = await standing_of(tx, delivery.delivery_id)
    if standing is None:
        return []
    if not is_own(done, standing):
        await OUTCOMES.settle_late(tx, done, policy)
        return []
    MARKS.settle(tx, done, policy)
    if done.state is DeliveryState.SENDING:
        return [await OUTCOMES.next_part(tx, done, standing)]
    check_move(done)
    if done.state is DeliveryState.PENDING:
        await _put_back(tx, done, standing)
        return []
    waiting = await _finish(tx, done, standing)
    if not waiting or not done.take_next or done.lane_until is not None:
        return []
    facts = facts_again(done, standing)
    lane = await tx.lanes.by_id(standing.lane_id)
    following = await claim_lane(
        tx, lane, facts, done.at, may_expire=may_expire, but=delivery.delivery_id
    )
    return [] if following is None else [following]


async def _put_back(tx: Tx, done: Settlement, standing: Standing) -> None:
    retry_at = done.retry_at if done.retry_at is not None else done.at
    ordinal = standing.reply_ordinal
    if done.new_ordinal:
        ordinal = await next_ordinal(tx, standing)
    await tx.execute(PUT_BACK, put_back_row(done, standing, retry_at, ordinal))
    tx.moved("channel_outbox", "sending", "pending")
    ready = ready_at(done.at, retry_at, standing.not_before, standing.expires_at)
    lanes.set_ready(tx, await tx.lanes.by_id(standing.lane_id), ready)
    tell_outcome(tx, done, standing, retry_at)


async def _finish(tx: Tx, done: Settlement, standing: Standing) -> int:
    """End the delivery, or hold it; how many wait behind it in an open lane."""
    delivery_id = done.delivery.delivery_id
    tx.put(_FINISH, end_row(done))
    tx.moved("channel_outbox", "sending", done.state.value)
    tell_outcome(tx, done, standing, None)
    waiting = 0
    if done.state in RELEASED:
        lane = await tx.lanes.by_id(standing.lane_id)
        if done.lane_until is not None:
            lanes.rest(lane, done.lane_until)
        waiting = await lanes.leave_deliveries(tx, lane, done.at, delivery_id)
    if done.state is DeliveryState.SENT:
        uid = standing.account_uid
        await receipts.join_waiting(tx, delivery_id, uid, done.provider_message_id)
        if standing.receipt == "failed":
            await tx.settle_down()
            await receipts.fail(tx, delivery_id, standing, done.at, "")
    return waiting
