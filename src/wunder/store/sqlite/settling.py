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
from wunder.store.readiness import ready_at
from wunder.store.sqlite import evidence, lanes, receipts
from wunder.store.sqlite.claims import claim_lane
from wunder.store.sqlite.delivery_rows import begin_attempt, delivery_of
from wunder.store.sqlite.standing import standing_of
from wunder.store.sqlite.transaction import Tx
from wunder.store.standing import STEP_OF, Standing, raw_result_json, tell

_SETTLE_ATTEMPT = """
UPDATE channel_attempts SET settled_at = ?, outcome = ?, error_kind = ?, error = ?, provider_code = ?,
  provider_message_id = ?, raw_result = ?, took_ms = ?
WHERE delivery_id = ? AND attempt_no = ? AND outcome <> 'sent'
"""
#: States stand in the text, never bound: with a partial index over `state = ..` SQLite compares the
#: bound value with it, and prepares the statement anew for each (60 instead of 15 us, measured).
_FINISH = """
UPDATE channel_outbox SET state = ?1, settled_at = ?2, error_kind = ?3, error = ?4,
  provider_message_id = CASE WHEN ?5 = '' THEN provider_message_id ELSE ?5 END,
  retry_at = NULL, had_unknown = had_unknown OR ?6, retries_used = retries_used + ?7
WHERE delivery_id = ?8 AND state = 'sending' AND fence = ?9
"""
_PUT_BACK = """
UPDATE channel_outbox SET state = 'pending', retry_at = ?, error_kind = ?, error = ?,
  retries_used = retries_used + ?, had_unknown = had_unknown OR ?, collisions = collisions + ?,
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


def settle(
    tx: Tx, done: Settlement, policy: StorePolicy, may_expire: bool
) -> list[ClaimedDelivery]:
    """Record one outcome; the next part or the next head, marked, where there is one."""
    delivery = done.delivery
    standing = standing_of(tx, delivery.delivery_id)
    if standing is None:
        return []
    is_own = (
        standing.state == DeliveryState.SENDING
        and standing.fence == delivery.fence
        and standing.attempts == delivery.attempt_no
    )
    if not is_own:
        _settle_late(tx, done, policy)
        return []
    settle_attempt(tx, done, policy)
    if done.state is DeliveryState.SENDING:
        return [_next_part(tx, done, standing)]
    if done.state not in DELIVERY_MOVES[DeliveryState.SENDING]:
        words = f"A delivery in sending cannot become {done.state}."
        raise Conflict(words, reason="illegal_move")
    if done.state is DeliveryState.PENDING:
        _put_back(tx, done, standing)
        return []
    waiting = _finish(tx, done, standing)
    if not waiting or not done.take_next or done.lane_until is not None:
        return []
    facts = SendFacts(delivery.release, standing.idem_window_ms, standing.idem_covers)
    following = claim_lane(tx, standing.lane_id, facts, done.at, may_expire)
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
    tx.execute(_SETTLE_ATTEMPT, row)


def _settle_late(tx: Tx, done: Settlement, policy: StorePolicy) -> None:
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
        evidence.confirm(tx, late, policy)
        return
    noted = (done.at, done.outcome, done.error_kind, done.error)
    tx.execute(_NOTE_LATE, (*noted, delivery.delivery_id, delivery.attempt_no))


def _next_part(tx: Tx, done: Settlement, standing: Standing) -> ClaimedDelivery:
    """The part arrived: the next one begins under the same claim, with an attempt of its own."""
    delivery = done.delivery
    state = to_json(done.next_state or {})
    tx.execute(
        _NEXT_PART,
        (state, done.at, done.provider_message_id, delivery.delivery_id, standing.fence),
    )
    uid = standing.account_uid
    receipts.join_waiting(tx, delivery.delivery_id, uid, done.provider_message_id)
    found = delivery_of(tx, delivery.delivery_id)
    if found is None:
        raise Conflict("The delivery is gone.", reason="delivery_gone")
    head, message = found
    facts = SendFacts(delivery.release, standing.idem_window_ms, standing.idem_covers)
    before = head._replace(attempts=head.attempts - 1)
    return begin_attempt(tx, before, message, facts, done.at, standing.fence)


def _put_back(tx: Tx, done: Settlement, standing: Standing) -> None:
    delivery = done.delivery
    retry_at = done.retry_at if done.retry_at is not None else done.at
    row = (
        retry_at,
        done.error_kind,
        done.error,
        int(done.uses_retry),
        int(done.outcome == "unknown"),
        int(done.new_ordinal),
        _next_ordinal(tx, standing) if done.new_ordinal else standing.reply_ordinal,
        delivery.delivery_id,
        standing.fence,
    )
    tx.execute(_PUT_BACK, row)
    tx.moved("channel_outbox", "sending", "pending")
    ready = ready_at(done.at, retry_at, standing.not_before, standing.expires_at)
    lanes.set_ready(tx, standing.lane_id, ready)
    _tell(tx, done, standing, retry_at)


def _finish(tx: Tx, done: Settlement, standing: Standing) -> int:
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
    tx.execute(_FINISH, row)
    tx.moved("channel_outbox", "sending", done.state.value)
    _tell(tx, done, standing, None)
    waiting = 0
    if done.state in RELEASED:
        if done.lane_until is not None:
            lanes.rest(tx, standing.lane_id, done.lane_until)
        waiting = lanes.leave_deliveries(tx, standing.lane_id, done.at)
    if done.state is DeliveryState.SENT:
        receipts.join_waiting(tx, delivery_id, standing.account_uid, done.provider_message_id)
        if standing.receipt == "failed":
            receipts.fail(tx, delivery_id, standing, done.at, "")
    return waiting


def _next_ordinal(tx: Tx, standing: Standing) -> int:
    """A collision: the next reply ordinal of the inbound message."""
    if standing.root_message_id is not None:
        found = tx.one(_NEXT_ORDINAL, (standing.root_message_id,))
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
