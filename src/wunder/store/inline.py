"""Inline replies in rows: the window of a message, and the reply that a webhook may take before its time."""

from wunder.model.conversation import LaneKind
from wunder.model.delivery import ClaimedDelivery, DeliveryState, InlineStanding, SendGrant
from wunder.model.ids import At, DeliveryId, MessageId
from wunder.store.delivery_rows import facts_of
from wunder.store.held import Lanes
from wunder.store.marks import Marks
from wunder.store.states import LIVE_DELIVERIES
from wunder.store.unit import Transaction

_EXTEND = """
UPDATE channel_messages SET inline_until = CASE WHEN inline_until < ?1 THEN ?1 ELSE inline_until END
WHERE message_id = ?2 AND inline_until IS NOT NULL RETURNING inline_until
"""
#: The first reply, while no webhook and no dispatcher has touched it: looked for among what waits in its
#: own conversation. Over all that waits the look would cost most when everything is slow already.
_HELD = f"""
lane_id = (SELECT l.lane_id FROM channel_messages m JOIN channel_lanes l ON l.kind = 'delivery'
    AND l.account_uid = m.account_uid AND l.peer_kind = m.peer_kind AND l.peer_id = m.peer_id
    AND l.thread_id = m.thread_id WHERE m.message_id = ?1)
  AND {LIVE_DELIVERIES} AND root_message_id = ?1 AND reply_ordinal = 1 AND state || '' = 'pending'
  AND attempts = 0
"""  # noqa: S608 - constants
_HOLD_BACK = f"UPDATE channel_outbox SET not_before = ?2 WHERE {_HELD}"  # noqa: S608 - constant
_FIND = f"SELECT delivery_id, lane_id FROM channel_outbox WHERE {_HELD}"  # noqa: S608 - constant
_STILL = f"{_FIND} AND not_before > ?2"
_STATE = "SELECT state FROM channel_messages WHERE message_id = ?"


class InlineReplies:
    """Inline replies of an engine, within units of work."""

    def __init__(self, lanes: Lanes, marks: Marks) -> None:
        self._lanes = lanes
        self._marks = marks

    async def extend_window(self, tx: Transaction, message_id: MessageId, until: At) -> None:
        """A repeat of the message can carry the reply as well: hold it back for as long."""
        extended = await tx.first(_EXTEND, (until, message_id))
        found = await tx.first(_FIND, (message_id,)) if extended is not None else None
        if extended is None or found is None:
            return
        lane = await self._lanes.hold(tx, LaneKind.DELIVERY, found[1])
        if (await tx.run(_HOLD_BACK, (message_id, extended[0]))).rowcount:
            await lane.refresh(tx.now)

    async def claim(
        self, tx: Transaction, message_id: MessageId, grant: SendGrant, now: At
    ) -> ClaimedDelivery | InlineStanding:
        """Mark the held reply `sending` for one webhook; of several, on any node, one gets it."""
        state = await tx.first(_STATE, (message_id,))
        if state is not None and state[0] in ("received", "answering"):
            return InlineStanding.WAITING
        held = await tx.first(_STILL, (message_id, now))
        if held is None:
            return InlineStanding.OVER
        lane = await self._lanes.hold(tx, LaneKind.DELIVERY, held[1])
        # Another node may have taken it before the lane was held.
        found = await self._marks.find(tx, DeliveryId(held[0]))
        if found is None or found[0].state != DeliveryState.PENDING or found[0].attempts:
            return InlineStanding.OVER
        return self._marks.mark(tx, found, facts_of(grant), now, await lane.claim())
