"""A reply that is shown while it is written: its delivery, begun before the turn has ended."""

from typing import NamedTuple

from wunder.model.conversation import LaneKind
from wunder.model.delivery import SHOWN_AS, ClaimedDelivery, DeliveryState, ReleaseRef, SendGrant
from wunder.model.ids import At, DeliveryId, TurnId, attempt_id, derived_id
from wunder.model.message import OutboundMessage
from wunder.store.clean import to_json
from wunder.store.delivery_rows import Head, facts_of
from wunder.store.held import Lanes
from wunder.store.marks import Marks
from wunder.store.outgoing import Outgoing
from wunder.store.time_to_live import KEEP_TTL
from wunder.store.unit import Transaction

#: Text is compared as an expression: no index of states is to be tried.
_FIND = """
SELECT delivery_id, state, lane_id, provider_message_id FROM channel_outbox
WHERE delivery_id = ? AND streaming > 0
"""
_TO_SEND = f"""
UPDATE channel_outbox SET state = 'pending', part_state = ?, expires_at = ?, retry_at = NULL, {KEEP_TTL}
WHERE delivery_id = ? AND state || '' = 'streaming'
"""  # noqa: S608 - constant
_END = """
UPDATE channel_outbox SET state = 'failed', settled_at = ?, error_kind = 'internal',
  error = 'the turn ended without a reply' WHERE delivery_id = ? AND state || '' = 'streaming'
"""


class Shown(NamedTuple):
    """The delivery of a turn's first reply, begun before the turn ended."""

    delivery_id: DeliveryId
    state: str
    lane_id: int
    provider_message_id: str


async def shown_by(tx: Transaction, turn_id: TurnId) -> Shown | None:
    """What a turn has begun to show; None where it waited with its replies, as most do."""
    row = await tx.first(_FIND, (derived_id(turn_id, "delivery"),))
    return None if row is None else Shown._make(row)


class ShownReplies:
    """What the end of a turn makes of the delivery that it has begun."""

    def __init__(self, lanes: Lanes, marks: Marks) -> None:
        self._lanes = lanes
        self._marks = marks

    async def end(
        self, tx: Transaction, shown: Shown, going: Outgoing, grant: SendGrant | None
    ) -> list[ClaimedDelivery]:
        """Send the whole text of the first reply, or end what nothing followed; what is `sending`."""
        if going.replies:
            return await self._finish(tx, shown, going.expires_at, grant)
        await self._abandon(tx, shown)
        return []

    async def _finish(
        self, tx: Transaction, shown: Shown, expires_at: At, grant: SendGrant | None
    ) -> list[ClaimedDelivery]:
        """Let the dispatcher bring the whole text; with a grant it is marked at once.

        What the platform shows it as goes along as the state of part 0, which has none otherwise.
        Anything but `streaming` is settled already: parked, cancelled or held.
        """
        if shown.state != DeliveryState.STREAMING:
            return []
        lane = await self._lanes.hold(tx, LaneKind.DELIVERY, shown.lane_id)
        state = to_json({SHOWN_AS: shown.provider_message_id})
        await tx.run(_TO_SEND, (state, expires_at, shown.delivery_id))
        tx.moved("channel_outbox", "streaming", "pending")
        await tx.settle_down()  # its message is among what was put off
        found = None if grant is None else await self._marks.find(tx, shown.delivery_id)
        if grant is None or found is None:
            await lane.refresh(tx.now)
            return []
        return [self._marks.mark(tx, found, facts_of(grant), tx.now, await lane.claim())]

    async def _abandon(self, tx: Transaction, shown: Shown) -> None:
        """End what nothing followed: a turn that broke in our own code."""
        lane = await self._lanes.hold(tx, LaneKind.DELIVERY, shown.lane_id)
        if (await tx.run(_END, (tx.now, shown.delivery_id))).rowcount:
            tx.moved("channel_outbox", "streaming", "failed")
            await lane.leave(tx.now, shown.delivery_id)


def as_claimed(
    head: Head, message: OutboundMessage, release: ReleaseRef, fence: int, epoch: int, shown_as: str
) -> ClaimedDelivery:
    """The delivery of a reply that the platform shows already, as its attempts left it."""
    return ClaimedDelivery(
        delivery_id=head.delivery_id,
        attempt_id=attempt_id(head.delivery_id, head.attempts),
        attempt_no=head.attempts,
        fence=fence,
        message=message,
        root_message_id=head.root_message_id,
        reply_ordinal=head.reply_ordinal,
        part=0,
        part_state={SHOWN_AS: shown_as},
        retries_used=head.retries_used,
        collisions=head.collisions,
        first_sending_at=head.first_sending_at or head.created_at,
        queued_at=head.created_at,
        expires_at=head.expires_at,
        release=release,
        begun_by=None,
        had_unknown=bool(head.had_unknown),
        epoch=epoch,
        lane_id=head.lane_id,
    )
