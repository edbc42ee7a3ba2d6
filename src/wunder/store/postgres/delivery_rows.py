"""Rows of `channel_outbox` and `channel_attempts`: written when queued and marked, read when claimed."""

from collections.abc import Sequence

from wunder.model.message import OutboundMessage
from wunder.store.delivery_rows import HEAD_COLUMNS, Head, head_and_message
from wunder.store.marks import Marks
from wunder.store.message_rows import OUTBOUND_COLUMNS
from wunder.store.postgres.statements import Many, inserting
from wunder.store.postgres.transaction import Tx
from wunder.store.states import LIVE_DELIVERIES

_INSERT = inserting(
    "channel_outbox",
    "delivery_id text, message_id text, root_message_id text, account_uid text, peer_kind text,"
    " peer_id text, thread_id text, channel text, account_id text, state text, lane_id int8,"
    " lane_seq int8, fence int8, epoch int8, attempts int8, reply_ordinal int8, first_sending_at int8,"
    " idem_window_ms int8, idem_covers text, expires_at int8, created_at int8, idempotency_key text,"
    " plugin_id text, version text, not_before int8",
)
_MARK = Many(
    """
UPDATE channel_outbox o SET state = 'sending', fence = v.fence, epoch = v.epoch, attempts = attempts + 1,
  retry_at = NULL, first_sending_at = coalesce(first_sending_at, v.at), idem_window_ms = v.window_ms,
  idem_covers = v.covers, plugin_id = v.plugin, version = v.release, settled_at = NULL
FROM {v} WHERE o.delivery_id = v.id AND o.state || '' = 'pending'
""",
    "fence int8, epoch int8, at int8, window_ms int8, covers text, plugin text, release text, id text",
)
_INSERT_ATTEMPT = inserting(
    "channel_attempts",
    "delivery_id text, attempt_no int8, part int8, started_at int8, plugin_id text, version text,"
    " account_uid text, account_id text, fence int8",
)
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
_HEAD = Many(
    f"""
SELECT v.n, {HEAD_COLUMNS}, {OUTBOUND_COLUMNS}
FROM {{v}} CROSS JOIN LATERAL (
  SELECT * FROM channel_outbox h
  WHERE h.lane_id = v.lane_id AND {LIVE_DELIVERIES} AND h.delivery_id <> v.but
  ORDER BY h.lane_seq LIMIT 1) o
JOIN channel_messages m ON m.message_id = o.message_id
""",  # noqa: S608 - constants
    "lane_id int8, but text",
)
_ONE = Many(
    f"""
SELECT v.n, {HEAD_COLUMNS}, {OUTBOUND_COLUMNS}
FROM {{v}} JOIN channel_outbox o ON o.delivery_id = v.id
JOIN channel_messages m ON m.message_id = o.message_id
""",  # noqa: S608 - constants
    "id text",
)
HeadAndMessage = tuple[Head, OutboundMessage]

MARKS = Marks(_INSERT, _MARK, _INSERT_ATTEMPT, _SETTLE_ATTEMPT, _ONE)


async def heads_of(tx: Tx, lanes: Sequence[tuple[int, str]]) -> list[HeadAndMessage | None]:
    """The heads of lanes and their messages; of each lane but one delivery, "" for none."""
    return [head_and_message(rows[0] if rows else None) for rows in await tx.each(_HEAD, lanes)]
