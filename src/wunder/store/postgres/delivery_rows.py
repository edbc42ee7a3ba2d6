"""Rows of `channel_outbox` and `channel_attempts`: written when queued and marked, read when claimed."""

from collections.abc import Sequence
from typing import Any

from wunder.model.delivery import ClaimedDelivery, DeliveryState, ReleaseRef
from wunder.model.ids import At, DeliveryId, PluginId, attempt_id
from wunder.model.message import OutboundMessage
from wunder.store.clean import from_json
from wunder.store.postgres.statements import Many, inserting
from wunder.store.postgres.transaction import Tx
from wunder.store.sqlite.delivery_rows import (
    Head,
    NewDelivery,
    SendFacts,
    queued_step,
    sending_step,
)
from wunder.store.sqlite.message_rows import OUTBOUND_COLUMNS, OUTBOUND_WIDTH, outbound_of
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
_HEAD_COLUMNS = """o.delivery_id, o.root_message_id, o.attempts, o.retries_used, o.collisions, o.part,
  o.part_state, o.reply_ordinal, o.had_unknown, o.first_sending_at, o.created_at, o.expires_at,
  o.begun_plugin_id, o.begun_version, o.state"""
_HEAD = Many(
    f"""
SELECT v.n, {_HEAD_COLUMNS}, {OUTBOUND_COLUMNS}
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
SELECT v.n, {_HEAD_COLUMNS}, {OUTBOUND_COLUMNS}
FROM {{v}} JOIN channel_outbox o ON o.delivery_id = v.id
JOIN channel_messages m ON m.message_id = o.message_id
""",  # noqa: S608 - constants
    "id text",
)
HeadAndMessage = tuple[Head, OutboundMessage]


def insert(
    tx: Tx, new: NewDelivery, facts: SendFacts | None, fence: int, not_before: At | None = None
) -> ClaimedDelivery | None:
    """Queue a delivery; with `facts` it is born `sending` under `fence`, with its attempt row."""
    message, state = new.message, DeliveryState.SENDING if facts else DeliveryState.PENDING
    row = (
        new.delivery_id,
        message.message_id,
        new.root_message_id,
        *message.conversation.key,
        message.channel,
        message.account_id,
        state.value,
        new.lane_id,
        new.lane_seq,
        fence if facts else 0,
        tx.epoch if facts else 0,
        1 if facts else 0,
        new.reply_ordinal,
        new.at if facts else None,
        facts.idem_window_ms if facts else 0,
        facts.idem_covers if facts else "all",
        new.expires_at,
        new.at,
        new.idempotency_key,
        facts.release.plugin_id if facts else "",
        facts.release.version if facts else "",
        not_before,
    )
    tx.later(_INSERT, row)
    tx.moved("channel_outbox", None, state.value)
    tx.step(queued_step(new))
    if facts is None:
        return None
    return begin_attempt(tx, _born(new, state), message, facts, new.at, fence)


def _born(new: NewDelivery, state: DeliveryState) -> Head:
    return Head(
        delivery_id=new.delivery_id,
        root_message_id=new.root_message_id,
        attempts=0,
        retries_used=0,
        collisions=0,
        part=0,
        part_state=None,
        reply_ordinal=new.reply_ordinal,
        had_unknown=0,
        first_sending_at=new.at,
        created_at=new.at,
        expires_at=new.expires_at,
        begun_plugin_id=None,
        begun_version=None,
        state=state.value,
    )


def mark(
    tx: Tx, head: Head, message: OutboundMessage, facts: SendFacts, now: At, fence: int
) -> ClaimedDelivery:
    """Move a pending head to `sending` under `fence` with its attempt row (T3)."""
    row = (
        fence,
        tx.epoch,
        now,
        facts.idem_window_ms,
        facts.idem_covers,
        facts.release.plugin_id,
        facts.release.version,
        head.delivery_id,
    )
    tx.later(_MARK, row)
    tx.moved("channel_outbox", "pending", "sending")
    return begin_attempt(tx, head, message, facts, now, fence)


def begin_attempt(
    tx: Tx, head: Head, message: OutboundMessage, facts: SendFacts, now: At, fence: int
) -> ClaimedDelivery:
    """Write the attempt row of a delivery that is `sending`; `head` is as before this attempt."""
    attempt_no = head.attempts + 1
    release = facts.release
    uid, account_id = message.conversation.account_uid, message.account_id
    row = (head.delivery_id, attempt_no, head.part, now)
    tx.later(_INSERT_ATTEMPT, (*row, release.plugin_id, release.version, uid, account_id, fence))
    tx.step(sending_step(head, message, release, now, attempt_no))
    begun_by = (
        ReleaseRef(PluginId(head.begun_plugin_id), head.begun_version or "")
        if head.begun_plugin_id is not None
        else None
    )
    return ClaimedDelivery(
        delivery_id=head.delivery_id,
        attempt_id=attempt_id(head.delivery_id, attempt_no),
        attempt_no=attempt_no,
        fence=fence,
        message=message,
        root_message_id=head.root_message_id,
        reply_ordinal=head.reply_ordinal,
        part=head.part,
        part_state=None if head.part_state is None else from_json(head.part_state),
        retries_used=head.retries_used,
        collisions=head.collisions,
        first_sending_at=head.first_sending_at if head.first_sending_at is not None else now,
        queued_at=head.created_at,
        expires_at=head.expires_at,
        release=release,
        begun_by=begun_by,
        had_unknown=bool(head.had_unknown),
    )


async def heads_of(tx: Tx, lanes: Sequence[tuple[int, str]]) -> list[HeadAndMessage | None]:
    """The heads of lanes and their messages; of each lane but one delivery, "" for none."""
    return [_read(rows[0] if rows else None) for rows in await tx.each(_HEAD, lanes)]


async def delivery_of(tx: Tx, delivery_id: DeliveryId) -> HeadAndMessage | None:
    """A delivery, wherever it stands, and its message."""
    return _read(await tx.one(_ONE, (delivery_id,)))


def _read(row: tuple[Any, ...] | None) -> HeadAndMessage | None:
    if row is None:
        return None
    return Head._make(row[:-OUTBOUND_WIDTH]), outbound_of(row[-OUTBOUND_WIDTH:])
