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
from wunder.store.sqlite import evidence, lanes, receipts
from wunder.store.sqlite.claims import claim_lane
from wunder.store.sqlite.delivery_rows import begin_attempt, delivery_of
from wunder.store.sqlite.standing import standing_of
from wunder.store.sqlite.transaction import Tx
from wunder.store.standing import Standing

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


def settle(
    tx: Tx, done: Settlement, policy: StorePolicy, may_expire: bool
) -> list[ClaimedDelivery]:
    """Record one outcome; the next part or the next head, marked, where there is one."""
    delivery = done.delivery
    standing = standing_of(tx, delivery.delivery_id)
    if standing is None:
        return []
    if not is_own(done, standing):
        _settle_late(tx, done, policy)
        return []
    settle_attempt(tx, done, policy)
    if done.state is DeliveryState.SENDING:
        return [_next_part(tx, done, standing)]
    check_move(done)
    if done.state is DeliveryState.PENDING:
        _put_back(tx, done, standing)
        return []
    waiting = _finish(tx, done, standing)
    if not waiting or not done.take_next or done.lane_until is not None:
        return []
    facts = facts_again(done, standing)
    following = claim_lane(tx, standing.lane_id, facts, done.at, may_expire)
    return [] if following is None else [following]


def settle_attempt(tx: Tx, done: Settlement, policy: StorePolicy) -> None:
    """Write an outcome on the row of its attempt."""
    tx.execute(_SETTLE_ATTEMPT, attempt_end_row(done, policy))


def _settle_late(tx: Tx, done: Settlement, policy: StorePolicy) -> None:
    """The claim is an old one: a success is evidence, anything else is only noted on the attempt."""
    if done.outcome == "sent":
        evidence.confirm(tx, late_evidence(done), policy)
    else:
        tx.execute(NOTE_LATE, late_row(done))


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
    facts = facts_again(done, standing)
    before = head._replace(attempts=head.attempts - 1)
    return begin_attempt(tx, before, message, facts, done.at, standing.fence)


def _put_back(tx: Tx, done: Settlement, standing: Standing) -> None:
    retry_at = done.retry_at if done.retry_at is not None else done.at
    ordinal = _next_ordinal(tx, standing) if done.new_ordinal else standing.reply_ordinal
    tx.execute(_PUT_BACK, put_back_row(done, standing, retry_at, ordinal))
    tx.moved("channel_outbox", "sending", "pending")
    ready = ready_at(done.at, retry_at, standing.not_before, standing.expires_at)
    lanes.set_ready(tx, standing.lane_id, ready)
    tell_outcome(tx, done, standing, retry_at)


def _finish(tx: Tx, done: Settlement, standing: Standing) -> int:
    """End the delivery, or hold it; how many wait behind it in an open lane."""
    delivery_id = done.delivery.delivery_id
    tx.execute(_FINISH, end_row(done, standing))
    tx.moved("channel_outbox", "sending", done.state.value)
    tell_outcome(tx, done, standing, None)
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
        found = tx.one(NEXT_ORDINAL, (standing.root_message_id,))
        if found is not None:
            return int(found[0])
    return standing.reply_ordinal + 1
