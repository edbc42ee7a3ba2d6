"""Rows of `channel_outbox` and `channel_attempts`: written when queued and marked, read when claimed."""

from wunder.model.delivery import ClaimedDelivery
from wunder.model.ids import At, DeliveryId
from wunder.model.message import OutboundMessage
from wunder.store.delivery_rows import (
    HEAD_COLUMNS,
    Head,
    NewDelivery,
    SendFacts,
    attempt_row,
    born_as,
    claimed,
    head_and_message,
    head_born,
    mark_row,
    outbox_row,
    queued_step,
    sending_step,
)
from wunder.store.message_rows import OUTBOUND_COLUMNS
from wunder.store.sqlite.transaction import Tx
from wunder.store.states import LIVE_DELIVERIES

_INSERT = """
INSERT INTO channel_outbox (delivery_id, message_id, root_message_id, account_uid, peer_kind, peer_id,
  thread_id, channel, account_id, state, lane_id, lane_seq, fence, epoch, attempts, reply_ordinal,
  first_sending_at, idem_window_ms, idem_covers, expires_at, created_at, idempotency_key, plugin_id, version)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_MARK = """
UPDATE channel_outbox SET state = 'sending', fence = ?, epoch = ?, attempts = attempts + 1, retry_at = NULL,
  first_sending_at = coalesce(first_sending_at, ?), idem_window_ms = ?, idem_covers = ?, plugin_id = ?,
  version = ?, settled_at = NULL
WHERE delivery_id = ? AND state = 'pending'
"""
_INSERT_ATTEMPT = """
INSERT INTO channel_attempts (delivery_id, attempt_no, part, started_at, plugin_id, version, account_uid,
  account_id, fence) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_HEAD = f"""
SELECT {HEAD_COLUMNS}, {OUTBOUND_COLUMNS}
FROM channel_outbox o JOIN channel_messages m ON m.message_id = o.message_id
WHERE o.lane_id = ? AND {LIVE_DELIVERIES.replace("state", "o.state")} ORDER BY o.lane_seq LIMIT 1
"""  # noqa: S608 - constants of this package
_ONE = f"""
SELECT {HEAD_COLUMNS}, {OUTBOUND_COLUMNS}
FROM channel_outbox o JOIN channel_messages m ON m.message_id = o.message_id
WHERE o.delivery_id = ?
"""  # noqa: S608 - constants of this package


def insert(tx: Tx, new: NewDelivery, facts: SendFacts | None, fence: int) -> ClaimedDelivery | None:
    """Queue a delivery; with `facts` it is born `sending` under `fence`, with its attempt row."""
    tx.execute(_INSERT, outbox_row(new, facts, fence, tx.epoch))
    tx.moved("channel_outbox", None, born_as(facts).value)
    tx.step(queued_step(new))
    if facts is None:
        return None
    return begin_attempt(tx, head_born(new), new.message, facts, new.at, fence)


def mark(
    tx: Tx, head: Head, message: OutboundMessage, facts: SendFacts, now: At, fence: int
) -> ClaimedDelivery:
    """Move a pending head to `sending` under `fence` with its attempt row (T3)."""
    tx.execute(_MARK, mark_row(head, facts, fence, tx.epoch, now))
    tx.moved("channel_outbox", "pending", "sending")
    return begin_attempt(tx, head, message, facts, now, fence)


def begin_attempt(
    tx: Tx, head: Head, message: OutboundMessage, facts: SendFacts, now: At, fence: int
) -> ClaimedDelivery:
    """Write the attempt row of a delivery that is `sending`; `head` is as before this attempt."""
    tx.execute(_INSERT_ATTEMPT, attempt_row(head, message, facts.release, now, fence))
    tx.step(sending_step(head, message, facts.release, now))
    return claimed(head, message, facts.release, now, fence, tx.epoch)


def head_of(tx: Tx, lane_id: int) -> tuple[Head, OutboundMessage] | None:
    """The head of a lane and its message."""
    return head_and_message(tx.one(_HEAD, (lane_id,)))


def delivery_of(tx: Tx, delivery_id: DeliveryId) -> tuple[Head, OutboundMessage] | None:
    """A delivery, wherever it stands, and its message."""
    return head_and_message(tx.one(_ONE, (delivery_id,)))
