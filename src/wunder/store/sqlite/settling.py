"""T4: the outcome of an attempt, what becomes of its delivery, and the next head in the same commit."""

from wunder.model.delivery import (
    RELEASED,
    ClaimedDelivery,
    DeliveryState,
    Settlement,
)
from wunder.store.policy import StorePolicy
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
from wunder.store.sqlite import lanes, receipts
from wunder.store.sqlite.claims import claim_lane
from wunder.store.sqlite.delivery_rows import MARKS
from wunder.store.sqlite.evidence import LATE
from wunder.store.sqlite.receipts import RECEIPTS
from wunder.store.sqlite.standing import standing_of
from wunder.store.sqlite.transaction import Tx, finished
from wunder.store.standing import Standing, as_marked

#: States stand in the text, never bound: with a partial index over `state = ..` SQLite compares the
#: bound value with it, and prepares the statement anew for each (60 instead of 15 us, measured).
_FINISH = """
UPDATE channel_outbox SET state = ?1, settled_at = ?2, error_kind = ?3, error = ?4,
  provider_message_id = CASE WHEN ?5 = '' THEN provider_message_id ELSE ?5 END,
  retry_at = NULL, had_unknown = had_unknown OR ?6, retries_used = retries_used + ?7
WHERE delivery_id = ?8 AND state = 'sending' AND fence = ?9 AND attempts = ?10
"""
OUTCOMES = Outcomes(RECEIPTS, LATE, MARKS)


def settle(
    tx: Tx, done: Settlement, policy: StorePolicy, may_expire: bool
) -> list[ClaimedDelivery]:
    """Record one outcome; the next part or the next head, marked, where there is one."""
    if _is_sent_at_once(tx, done):
        MARKS.settle(tx, done, policy)
        waiting = _release(tx, done, as_marked(done.delivery))
        return _following(tx, done, may_expire) if waiting else []
    standing = standing_of(tx, done.delivery.delivery_id)
    if standing is None:
        return []
    if not is_own(done, standing):
        finished(OUTCOMES.settle_late(tx, done, policy))
        return []
    MARKS.settle(tx, done, policy)
    if done.state is DeliveryState.SENDING:
        return [finished(OUTCOMES.next_part(tx, done, standing))]
    check_move(done)
    if done.state is DeliveryState.PENDING:
        _put_back(tx, done, standing)
        return []
    _ended(tx, done)
    return _following(tx, done, may_expire) if _release(tx, done, standing) else []


def _is_sent_at_once(tx: Tx, done: Settlement) -> bool:
    """End a delivery whose first try arrived, as most do: no receipt can have come before, nothing is read.

    False where it is another outcome, or where the row says that this try is not under way.
    """
    is_first = done.state is DeliveryState.SENT and done.delivery.attempt_no == 1
    return is_first and _ended(tx, done)


def _ended(tx: Tx, done: Settlement) -> bool:
    return tx.execute(_FINISH, (*end_row(done), done.delivery.attempt_no)).rowcount > 0


def _following(tx: Tx, done: Settlement, may_expire: bool) -> list[ClaimedDelivery]:
    """Mark the next head of the lane."""
    if not done.take_next or done.lane_until is not None:
        return []
    standing = standing_of(tx, done.delivery.delivery_id)
    if standing is None:
        return []
    facts = facts_again(done, standing)
    following = claim_lane(tx, standing.lane_id, facts, done.at, may_expire)
    return [] if following is None else [following]


def _put_back(tx: Tx, done: Settlement, standing: Standing) -> None:
    retry_at = done.retry_at if done.retry_at is not None else done.at
    ordinal = standing.reply_ordinal
    if done.new_ordinal:
        ordinal = finished(next_ordinal(tx, standing))
    tx.execute(PUT_BACK, put_back_row(done, standing, retry_at, ordinal))
    tx.moved("channel_outbox", "sending", "pending")
    ready = ready_at(done.at, retry_at, standing.not_before, standing.expires_at)
    lanes.set_ready(tx, standing.lane_id, ready)
    tell_outcome(tx, done, standing, retry_at)


def _release(tx: Tx, done: Settlement, standing: Standing) -> int:
    """Tell how a delivery ended, or is held; how many wait behind it in an open lane."""
    delivery_id = done.delivery.delivery_id
    tx.moved("channel_outbox", "sending", done.state)
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
