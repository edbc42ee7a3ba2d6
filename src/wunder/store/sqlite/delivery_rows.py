"""Rows of `channel_outbox` and `channel_attempts`: written when queued and marked, read when claimed."""

from wunder.model.message import OutboundMessage
from wunder.store.delivery_rows import HEAD_COLUMNS, Head, head_and_message
from wunder.store.marks import Marks
from wunder.store.message_rows import OUTBOUND_COLUMNS
from wunder.store.sqlite.transaction import Tx
from wunder.store.states import LIVE_DELIVERIES

_INSERT = """
INSERT INTO channel_outbox (delivery_id, message_id, root_message_id, account_uid, peer_kind, peer_id,
  thread_id, channel, account_id, state, lane_id, lane_seq, fence, epoch, attempts, reply_ordinal,
  first_sending_at, idem_window_ms, idem_covers, expires_at, created_at, idempotency_key, plugin_id, version,
  not_before)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
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
_SETTLE_ATTEMPT = """
UPDATE channel_attempts SET settled_at = ?, outcome = ?, error_kind = ?, error = ?, provider_code = ?,
  provider_message_id = ?, raw_result = ?, took_ms = ?
WHERE delivery_id = ? AND attempt_no = ? AND outcome <> 'sent'
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

MARKS = Marks(_INSERT, _MARK, _INSERT_ATTEMPT, _SETTLE_ATTEMPT, _ONE)


def head_of(tx: Tx, lane_id: int) -> tuple[Head, OutboundMessage] | None:
    """The head of a lane and its message."""
    return head_and_message(tx.one(_HEAD, (lane_id,)))
