"""Progressive replies in rows: a delivery in `streaming` with an attempt, before its message exists."""

from collections.abc import Callable
from typing import Any

from wunder.errors import FenceLost
from wunder.model.conversation import LaneKind
from wunder.model.delivery import (
    ClaimedDelivery,
    DeliveryState,
    Evidence,
    SendGrant,
    Settlement,
)
from wunder.model.ids import At, DeliveryId, derived_id
from wunder.model.message import OutboundMessage
from wunder.model.trail import StepName
from wunder.model.turn import ClaimedTurn, Reply
from wunder.store.delivery_rows import Head, facts_of
from wunder.store.outgoing import Outgoing, reply_message
from wunder.store.policy import StorePolicy
from wunder.store.postgres import evidence, lanes, receipts
from wunder.store.postgres.delivery_rows import begin_attempt
from wunder.store.postgres.lane_book import lane_key
from wunder.store.postgres.settling import settle_attempt
from wunder.store.postgres.standing import standing_of
from wunder.store.postgres.transaction import Tx
from wunder.store.postgres.writer import Writer
from wunder.store.shown import as_claimed
from wunder.store.standing import tell

_OWN = "SELECT 1 FROM channel_messages WHERE message_id = ? AND state || '' = 'answering' AND fence = ?"
_ORDINAL = """
UPDATE channel_messages SET reply_ordinals = reply_ordinals + 1 WHERE message_id = ?
RETURNING reply_ordinals
"""
_INSERT = """
INSERT INTO channel_outbox (delivery_id, message_id, root_message_id, account_uid, peer_kind, peer_id,
  thread_id, channel, account_id, state, lane_id, lane_seq, fence, epoch, attempts, reply_ordinal,
  first_sending_at, idem_window_ms, idem_covers, expires_at, created_at, plugin_id, version, streaming)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'streaming', ?, ?, ?, ?, 1, ?, ?, ?, ?, ?, ?, ?, ?, 1)
"""
#: The columns of `Head`, in its order, and two more.
_BEGUN = """
SELECT delivery_id, root_message_id, attempts, retries_used, collisions, part, part_state, reply_ordinal,
  had_unknown, first_sending_at, created_at, expires_at, begun_plugin_id, begun_version, state,
  provider_message_id, fence
FROM channel_outbox WHERE delivery_id = ? AND streaming > 0
"""
_AGAIN = "UPDATE channel_outbox SET attempts = attempts + 1, epoch = ? WHERE delivery_id = ?"
_OURS = "UPDATE channel_outbox SET epoch = ? WHERE delivery_id = ?"
#: What the first frame came to. `unknown` leaves `streaming` only where it is parked.
_NOTE = """
UPDATE channel_outbox SET error_kind = ?1, error = ?2, had_unknown = greatest(had_unknown, ?3),
  retries_used = retries_used + ?3,
  provider_message_id = CASE WHEN ?4 = '' THEN provider_message_id ELSE ?4 END
WHERE delivery_id = ?5
"""
_PARK = "UPDATE channel_outbox SET state = 'unknown', settled_at = ? WHERE delivery_id = ?"


class PostgresStreams:
    """The side room's door to the tables (port Streams)."""

    def __init__(self, writer: Writer, policy: StorePolicy, holds: Callable[[int], bool]) -> None:
        self._writer = writer
        self._policy = policy
        self._holds = holds

    async def begin(
        self, turn: ClaimedTurn, grant: SendGrant, now: At, expires_at: At
    ) -> ClaimedDelivery | None:
        """Make the delivery of a turn's first reply, or find it. Raises: FenceLost."""
        both = [lane_key(kind, turn.message.conversation) for kind in LaneKind]
        return await self._writer.commit(
            lambda tx: _begin(tx, turn, grant, now, expires_at), lanes=both
        )

    def is_ours(self, delivery: ClaimedDelivery) -> bool:
        """False once this node's lease is not certain any more."""
        return self._holds(delivery.epoch)

    async def settle(self, done: Settlement) -> None:
        """Record what became of the first frame; SENT: its id is known, UNKNOWN: it is parked."""
        keys = [lane_key(LaneKind.DELIVERY, done.delivery.message.conversation)]
        await self._writer.commit(lambda tx: _settle(tx, done, self._policy), lanes=keys)


async def _begin(
    tx: Tx, turn: ClaimedTurn, grant: SendGrant, now: At, expires_at: At
) -> ClaimedDelivery | None:
    inbound = turn.message
    if await tx.one(_OWN, (inbound.message_id, turn.fence)) is None:
        raise FenceLost
    going = Outgoing(inbound, turn.turn_id, (), now, expires_at)
    message = reply_message(going, Reply(""), 0)
    delivery_id = DeliveryId(derived_id(turn.turn_id, "delivery"))
    begun = await tx.one(_BEGUN, (delivery_id,))
    if begun is not None:
        return await _go_on(tx, begun, message, grant)
    lane = await tx.lanes.of(LaneKind.DELIVERY, inbound.conversation)
    if lane.waiting or lane.rests_at(now):
        # What is before it would be overtaken.
        return None
    place = await lanes.enter(tx, LaneKind.DELIVERY, inbound.conversation, 1, now, is_claimed=True)
    facts = facts_of(grant)
    ordinal = int(((await tx.one(_ORDINAL, (inbound.message_id,))) or (1,))[0])
    row = (
        delivery_id,
        message.message_id,
        inbound.message_id,
        *inbound.conversation.key,
        inbound.channel,
        inbound.account_id,
        place.lane_id,
        place.first_seq,
        place.fence,
        tx.epoch,
        ordinal,
        now,
        facts.idem_window_ms,
        facts.idem_covers,
        expires_at,
        now,
        facts.release.plugin_id,
        facts.release.version,
    )
    await tx.execute(_INSERT, row)
    tx.moved("channel_outbox", None, "streaming")
    found = (await tx.one(_BEGUN, (delivery_id,))) or ()
    head = Head._make(found[:-2])._replace(attempts=0)
    return begin_attempt(tx, head, message, facts, now, place.fence)


async def _go_on(
    tx: Tx, begun: tuple[Any, ...], message: OutboundMessage, grant: SendGrant
) -> ClaimedDelivery | None:
    """The turn ran before: the same platform message, or the same key where its id is not known."""
    head, shown_as, fence = Head._make(begun[:-2]), begun[-2], begun[-1]
    if head.state != DeliveryState.STREAMING:
        return None
    if shown_as:
        await tx.execute(_OURS, (tx.epoch, head.delivery_id))
        return as_claimed(head, message, grant.release, fence, tx.epoch, shown_as)
    await tx.execute(_AGAIN, (tx.epoch, head.delivery_id))
    return begin_attempt(tx, head, message, facts_of(grant), tx.now, fence)


async def _settle(tx: Tx, done: Settlement, policy: StorePolicy) -> None:
    delivery_id = done.delivery.delivery_id
    standing = await standing_of(tx, delivery_id)
    if standing is None or standing.state != DeliveryState.STREAMING:
        return
    if standing.attempts != done.delivery.attempt_no:
        # Another node goes on with this reply: only that it was shown is news.
        await _shown_late(tx, done, policy)
        return
    settle_attempt(tx, done, policy)
    is_unknown = int(done.outcome == "unknown")
    note = (done.error_kind, done.error, is_unknown, done.provider_message_id, delivery_id)
    await tx.execute(_NOTE, note)
    uid = standing.account_uid
    await receipts.join_waiting(tx, delivery_id, uid, done.provider_message_id)
    if done.state is not DeliveryState.UNKNOWN:
        return
    await tx.execute(_PARK, (done.at, delivery_id))
    tx.moved("channel_outbox", "streaming", "unknown")
    tell(tx, StepName.UNKNOWN, delivery_id, standing, done.at, kind=done.error_kind)
    lane = await tx.lanes.by_id(standing.lane_id)
    if done.lane_until is not None:
        lanes.rest(lane, done.lane_until)
    await lanes.leave_deliveries(tx, lane, done.at, delivery_id)


async def _shown_late(tx: Tx, done: Settlement, policy: StorePolicy) -> None:
    if done.outcome != "sent":
        return
    late = Evidence(done.delivery.attempt_id, done.provider_message_id, done.at, done.raw_result)
    await evidence.confirm(tx, late, policy)
