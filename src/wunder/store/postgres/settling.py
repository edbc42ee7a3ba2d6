"""T4: the outcome of an attempt, what becomes of its delivery, and the next head in the same commit."""

from wunder.errors import Conflict
from wunder.model.delivery import (
    RELEASED,
    ClaimedDelivery,
    DeliveryState,
    Settlement,
)
from wunder.store.clean import to_json
from wunder.store.policy import StorePolicy
from wunder.store.postgres import evidence, lanes, receipts
from wunder.store.postgres.claims import claim_lane
from wunder.store.postgres.delivery_rows import begin_attempt, delivery_of
from wunder.store.postgres.standing import standing_of
from wunder.store.postgres.statements import Many
from wunder.store.postgres.transaction import Tx
from wunder.store.readiness import ready_at
from wunder.store.settled import (
    NEXT_ORDINAL,
    NOTE_LATE,
    attempt_end_row,
    check_move,
    end_row,
    facts_again,
    is_own,
    late_evidence,
    late_row,
    put_back_row,
    tell_outcome,
)
from wunder.store.standing import Standing

_SETTLE_ATTEMPT = Many(
    """
UPDATE channel_attempts a SET settled_at = v.at, outcome = v.outcome, error_kind = v.kind,
  error = v.words, provider_code = v.code, provider_message_id = v.provider_id, raw_result = v.raw,
  took_ms = v.took
FROM {v} WHERE a.delivery_id = v.id AND a.attempt_no = v.number AND a.outcome <> 'sent'
""",
    "at int8, outcome text, kind text, words text, code text, provider_id text, raw text, took int8,"
    " id text, number int8",
)
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
_PUT_BACK = """
UPDATE channel_outbox SET state = 'pending', retry_at = ?, error_kind = ?, error = ?,
  retries_used = retries_used + ?, had_unknown = greatest(had_unknown, ?), collisions = collisions + ?,
  reply_ordinal = ?
WHERE delivery_id = ? AND state = 'sending' AND fence = ?
"""
_NEXT_PART = """
UPDATE channel_outbox SET part = part + 1, part_state = ?1, attempts = attempts + 1, had_unknown = 0,
  first_sending_at = ?2, error_kind = '', error = '',
  provider_message_id = CASE WHEN ?3 = '' THEN provider_message_id ELSE ?3 END,
  begun_plugin_id = coalesce(begun_plugin_id, plugin_id), begun_version = coalesce(begun_version, version)
WHERE delivery_id = ?4 AND state = 'sending' AND fence = ?5
"""


async def settle(
    tx: Tx, done: Settlement, policy: StorePolicy, may_expire: bool
) -> list[ClaimedDelivery]:
    """Record one outcome; the next part or the next head, marked, where there is one."""
    delivery = done.delivery
    standing = await standing_of(tx, delivery.delivery_id)
    if standing is None:
        return []
    if not is_own(done, standing):
        await _settle_late(tx, done, policy)
        return []
    settle_attempt(tx, done, policy)
    if done.state is DeliveryState.SENDING:
        return [await _next_part(tx, done, standing)]
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


def settle_attempt(tx: Tx, done: Settlement, policy: StorePolicy) -> None:
    """Write an outcome on the row of its attempt."""
    tx.later(_SETTLE_ATTEMPT, attempt_end_row(done, policy))


async def _settle_late(tx: Tx, done: Settlement, policy: StorePolicy) -> None:
    """The claim is an old one: a success is evidence, anything else is only noted on the attempt."""
    if done.outcome == "sent":
        await evidence.confirm(tx, late_evidence(done), policy)
    else:
        await tx.execute(NOTE_LATE, late_row(done))


async def _next_part(tx: Tx, done: Settlement, standing: Standing) -> ClaimedDelivery:
    """The part arrived: the next one begins under the same claim, with an attempt of its own."""
    delivery = done.delivery
    state = to_json(done.next_state or {})
    await tx.execute(
        _NEXT_PART,
        (state, done.at, done.provider_message_id, delivery.delivery_id, standing.fence),
    )
    uid = standing.account_uid
    await receipts.join_waiting(tx, delivery.delivery_id, uid, done.provider_message_id)
    found = await delivery_of(tx, delivery.delivery_id)
    if found is None:
        raise Conflict("The delivery is gone.", reason="delivery_gone")
    head, message = found
    facts = facts_again(done, standing)
    before = head._replace(attempts=head.attempts - 1)
    return begin_attempt(tx, before, message, facts, done.at, standing.fence)


async def _put_back(tx: Tx, done: Settlement, standing: Standing) -> None:
    retry_at = done.retry_at if done.retry_at is not None else done.at
    ordinal = await _next_ordinal(tx, standing) if done.new_ordinal else standing.reply_ordinal
    await tx.execute(_PUT_BACK, put_back_row(done, standing, retry_at, ordinal))
    tx.moved("channel_outbox", "sending", "pending")
    ready = ready_at(done.at, retry_at, standing.not_before, standing.expires_at)
    lanes.set_ready(tx, await tx.lanes.by_id(standing.lane_id), ready)
    tell_outcome(tx, done, standing, retry_at)


async def _finish(tx: Tx, done: Settlement, standing: Standing) -> int:
    """End the delivery, or hold it; how many wait behind it in an open lane."""
    delivery_id = done.delivery.delivery_id
    tx.later(_FINISH, end_row(done, standing))
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


async def _next_ordinal(tx: Tx, standing: Standing) -> int:
    """A collision: the next reply ordinal of the inbound message."""
    if standing.root_message_id is not None:
        found = await tx.one(NEXT_ORDINAL, (standing.root_message_id,))
        if found is not None:
            return int(found[0])
    return standing.reply_ordinal + 1
