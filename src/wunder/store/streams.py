"""Progressive replies in rows: a delivery in `streaming` with an attempt, before its message exists."""

from collections.abc import Callable, Coroutine
from typing import Any, NamedTuple, Protocol, TypeVar

from wunder.errors import FenceLost
from wunder.model.conversation import Conversation, LaneKind
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
from wunder.store.evidence import LateSuccess
from wunder.store.held import Lanes
from wunder.store.marks import Marks
from wunder.store.outgoing import Outgoing, reply_message
from wunder.store.policy import StorePolicy
from wunder.store.receipts import Receipts
from wunder.store.shown import as_claimed
from wunder.store.standing import tell
from wunder.store.unit import Transaction, Unit

T = TypeVar("T")

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
  had_unknown, first_sending_at, created_at, expires_at, begun_plugin_id, begun_version, state, lane_id,
  provider_message_id, fence
FROM channel_outbox WHERE delivery_id = ? AND streaming > 0
"""
_AGAIN = "UPDATE channel_outbox SET attempts = attempts + 1, epoch = ? WHERE delivery_id = ?"
_OURS = "UPDATE channel_outbox SET epoch = ? WHERE delivery_id = ?"
#: What the first frame came to. `unknown` leaves `streaming` only where it is parked.
_NOTE = """
UPDATE channel_outbox SET error_kind = ?1, error = ?2,
  had_unknown = CASE WHEN ?3 > 0 THEN 1 ELSE had_unknown END, retries_used = retries_used + ?3,
  provider_message_id = CASE WHEN ?4 = '' THEN provider_message_id ELSE ?4 END
WHERE delivery_id = ?5
"""
_PARK = "UPDATE channel_outbox SET state = 'unknown', settled_at = ? WHERE delivery_id = ?"


class Taken(NamedTuple):
    """The head of a lane that was empty, claimed at once."""

    lane_id: int
    lane_seq: int
    fence: int


class Work(Protocol):
    """Runs a unit that works on lanes of one conversation."""

    async def __call__(
        self, unit: Unit[T], conversation: Conversation, kinds: tuple[LaneKind, ...]
    ) -> T:
        """Commit it, and return its result."""


class StreamMoves(NamedTuple):
    """What an engine does in its own way; `holds` tells whether a life's claims are still this node's."""

    lanes: Lanes
    receipts: Receipts
    late: LateSuccess
    take_free: Callable[[Any, Conversation, At], Coroutine[Any, Any, Taken | None]]
    marks: Marks
    holds: Callable[[int], bool]


class SqlStreams:
    """The side room's door to the tables (port Streams)."""

    def __init__(self, work: Work, moves: StreamMoves, policy: StorePolicy) -> None:
        self._work = work
        self._moves = moves
        self._policy = policy

    def is_ours(self, delivery: ClaimedDelivery) -> bool:
        """False once another node may go on with what was begun: then no frame may be written."""
        return self._moves.holds(delivery.epoch)

    async def begin(
        self, turn: ClaimedTurn, grant: SendGrant, now: At, expires_at: At
    ) -> ClaimedDelivery | None:
        """Make the delivery of a turn's first reply, or find it. Raises: FenceLost."""
        return await self._work(
            lambda tx: self._begin(tx, turn, grant, now, expires_at),
            turn.message.conversation,
            (LaneKind.TURN, LaneKind.DELIVERY),
        )

    async def settle(self, done: Settlement) -> None:
        """Record what became of the first frame; SENT: its id is known, UNKNOWN: it is parked."""
        conversation = done.delivery.message.conversation
        await self._work(lambda tx: self._settle(tx, done), conversation, (LaneKind.DELIVERY,))

    async def _begin(
        self, tx: Transaction, turn: ClaimedTurn, grant: SendGrant, now: At, expires_at: At
    ) -> ClaimedDelivery | None:
        inbound = turn.message
        if await tx.first(_OWN, (inbound.message_id, turn.fence)) is None:
            raise FenceLost
        going = Outgoing(inbound, turn.turn_id, (), now, expires_at)
        message = reply_message(going, Reply(""), 0)
        delivery_id = DeliveryId(derived_id(turn.turn_id, "delivery"))
        begun = await tx.first(_BEGUN, (delivery_id,))
        if begun is not None:
            return await self._go_on(tx, begun, message, grant)
        taken = await self._moves.take_free(tx, inbound.conversation, now)
        if taken is None:
            # What is before it would be overtaken.
            return None
        facts = facts_of(grant)
        ordinal = int((await tx.first(_ORDINAL, (inbound.message_id,)) or (1,))[0])
        row = (
            delivery_id,
            message.message_id,
            inbound.message_id,
            *inbound.conversation.key,
            inbound.channel,
            inbound.account_id,
            *taken,
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
        await tx.run(_INSERT, row)
        tx.moved("channel_outbox", None, "streaming")
        found = await tx.first(_BEGUN, (delivery_id,)) or ()
        head = Head._make(found[:-2])._replace(attempts=0)
        return self._moves.marks.begin(tx, (head, message), facts, now, taken.fence)

    async def _go_on(
        self, tx: Transaction, begun: tuple[Any, ...], message: OutboundMessage, grant: SendGrant
    ) -> ClaimedDelivery | None:
        """The turn ran before: the same platform message, or the same key where its id is not known."""
        head, shown_as, fence = Head._make(begun[:-2]), begun[-2], begun[-1]
        if head.state != DeliveryState.STREAMING:
            return None
        if shown_as:
            await tx.run(_OURS, (tx.epoch, head.delivery_id))
            return as_claimed(head, message, grant.release, fence, tx.epoch, shown_as)
        await tx.run(_AGAIN, (tx.epoch, head.delivery_id))
        return self._moves.marks.begin(tx, (head, message), facts_of(grant), tx.now, fence)

    async def _settle(self, tx: Transaction, done: Settlement) -> None:
        delivery_id = done.delivery.delivery_id
        found = await self._moves.lanes.look(tx, delivery_id)
        if found is None or found.standing.state != DeliveryState.STREAMING:
            return
        standing, lane = found
        if standing.attempts != done.delivery.attempt_no:
            # Another node goes on with this reply: only that it was shown is news.
            await self._shown_late(tx, done)
            return
        self._moves.marks.settle(tx, done, self._policy)
        is_unknown = int(done.outcome == "unknown")
        note = (done.error_kind, done.error, is_unknown, done.provider_message_id, delivery_id)
        await tx.run(_NOTE, note)
        waited = (delivery_id, standing.account_uid, done.provider_message_id)
        await self._moves.receipts.join_waiting(tx, *waited)
        if done.state is not DeliveryState.UNKNOWN:
            return
        await tx.run(_PARK, (done.at, delivery_id))
        tx.moved("channel_outbox", "streaming", "unknown")
        tell(tx, StepName.UNKNOWN, delivery_id, standing, done.at, kind=done.error_kind)
        if done.lane_until is not None:
            await lane.rest(done.lane_until)
        await lane.leave(done.at, delivery_id)

    async def _shown_late(self, tx: Transaction, done: Settlement) -> None:
        if done.outcome == "sent":
            attempt_id = done.delivery.attempt_id
            late = Evidence(attempt_id, done.provider_message_id, done.at, done.raw_result)
            await self._moves.late.confirm(tx, late, self._policy)
