"""T4: the outcome of an attempt, what becomes of its delivery, and the next head in the same commit."""

from wunder.errors import Conflict
from wunder.model.delivery import (
    DELIVERY_MOVES,
    RELEASED,
    ClaimedDelivery,
    DeliveryState,
    Evidence,
    Settlement,
)
from wunder.model.ids import At
from wunder.store.clean import to_json
from wunder.store.delivery_rows import SendFacts
from wunder.store.policy import StorePolicy
from wunder.store.postgres import evidence, lanes, receipts
from wunder.store.postgres.claims import claim_lane
from wunder.store.postgres.delivery_rows import begin_attempt, delivery_of
from wunder.store.postgres.standing import standing_of
from wunder.store.postgres.statements import Many
from wunder.store.postgres.transaction import Tx
from wunder.store.readiness import ready_at
from wunder.store.standing import STEP_OF, Standing, raw_result_json, tell

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
_NEXT_ORDINAL = """
UPDATE channel_messages SET reply_ordinals = reply_ordinals + 1 WHERE message_id = ?
RETURNING reply_ordinals
"""
_NOTE_LATE = """
UPDATE channel_attempts SET settled_at = ?, outcome = ?, error_kind = ?, error = ?
WHERE delivery_id = ? AND attempt_no = ? AND outcome = ''
"""


async def settle(
    tx: Tx, done: Settlement, policy: StorePolicy, may_expire: bool
) -> list[ClaimedDelivery]:
    """Record one outcome; the next part or the next head, marked, where there is one."""
    delivery = done.delivery
    standing = await standing_of(tx, delivery.delivery_id)
    if standing is None:
        return []
    is_own = (
        standing.state == DeliveryState.SENDING
        and standing.fence == delivery.fence
        and standing.attempts == delivery.attempt_no
    )
    if not is_own:
        await _settle_late(tx, done, policy)
        return []
    settle_attempt(tx, done, policy)
    if done.state is DeliveryState.SENDING:
        return [await _next_part(tx, done, standing)]
    if done.state not in DELIVERY_MOVES[DeliveryState.SENDING]:
        words = f"A delivery in sending cannot become {done.state}."
        raise Conflict(words, reason="illegal_move")
    if done.state is DeliveryState.PENDING:
        await _put_back(tx, done, standing)
        return []
    waiting = await _finish(tx, done, standing)
    if not waiting or not done.take_next or done.lane_until is not None:
        return []
    facts = SendFacts(delivery.release, standing.idem_window_ms, standing.idem_covers)
    lane = await tx.lanes.by_id(standing.lane_id)
    following = await claim_lane(
        tx, lane, facts, done.at, may_expire=may_expire, but=delivery.delivery_id
    )
    return [] if following is None else [following]


def settle_attempt(tx: Tx, done: Settlement, policy: StorePolicy) -> None:
    """Write an outcome on the row of its attempt."""
    row = (
        done.at,
        done.outcome,
        done.error_kind,
        done.error,
        done.provider_code,
        done.provider_message_id,
        raw_result_json(done.raw_result, policy),
        done.took_ms,
        done.delivery.delivery_id,
        done.delivery.attempt_no,
    )
    tx.later(_SETTLE_ATTEMPT, row)


async def _settle_late(tx: Tx, done: Settlement, policy: StorePolicy) -> None:
    """The claim is an old one: a success is evidence, anything else is only noted on the attempt."""
    delivery = done.delivery
    if done.outcome == "sent":
        late = Evidence(
            attempt_id=delivery.attempt_id,
            provider_message_id=done.provider_message_id,
            at=done.at,
            raw_result=done.raw_result,
            next_state=done.next_state,
        )
        await evidence.confirm(tx, late, policy)
        return
    noted = (done.at, done.outcome, done.error_kind, done.error)
    await tx.execute(_NOTE_LATE, (*noted, delivery.delivery_id, delivery.attempt_no))


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
    facts = SendFacts(delivery.release, standing.idem_window_ms, standing.idem_covers)
    before = head._replace(attempts=head.attempts - 1)
    return begin_attempt(tx, before, message, facts, done.at, standing.fence)


async def _put_back(tx: Tx, done: Settlement, standing: Standing) -> None:
    delivery = done.delivery
    retry_at = done.retry_at if done.retry_at is not None else done.at
    row = (
        retry_at,
        done.error_kind,
        done.error,
        int(done.uses_retry),
        int(done.outcome == "unknown"),
        int(done.new_ordinal),
        await _next_ordinal(tx, standing) if done.new_ordinal else standing.reply_ordinal,
        delivery.delivery_id,
        standing.fence,
    )
    await tx.execute(_PUT_BACK, row)
    tx.moved("channel_outbox", "sending", "pending")
    ready = ready_at(done.at, retry_at, standing.not_before, standing.expires_at)
    lanes.set_ready(tx, await tx.lanes.by_id(standing.lane_id), ready)
    _tell(tx, done, standing, retry_at)


async def _finish(tx: Tx, done: Settlement, standing: Standing) -> int:
    """End the delivery, or hold it; how many wait behind it in an open lane."""
    delivery_id = done.delivery.delivery_id
    row = (
        done.state.value,
        done.at,
        done.error_kind,
        done.error,
        done.provider_message_id,
        int(done.outcome == "unknown"),
        int(done.uses_retry),
        delivery_id,
        standing.fence,
    )
    tx.later(_FINISH, row)
    tx.moved("channel_outbox", "sending", done.state.value)
    _tell(tx, done, standing, None)
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
        found = await tx.one(_NEXT_ORDINAL, (standing.root_message_id,))
        if found is not None:
            return int(found[0])
    return standing.reply_ordinal + 1


def _tell(tx: Tx, done: Settlement, standing: Standing, retry_at: At | None) -> None:
    name = STEP_OF.get(done.state)
    if name is None:
        return
    detail: dict[str, object] = {}
    if done.error_kind:
        detail["kind"] = done.error_kind
    if done.provider_code:
        detail["provider_code"] = done.provider_code
    if retry_at is not None:
        detail["retry_at"] = retry_at
    tell(tx, name, done.delivery.delivery_id, standing, done.at, **detail)
