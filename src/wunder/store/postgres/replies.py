"""The end of a turn in rows: outbound messages and their deliveries, in order, ids fixed beforehand."""

from collections.abc import Sequence

from wunder.model.conversation import LaneKind
from wunder.model.delivery import ClaimedDelivery, SendGrant
from wunder.model.ids import At
from wunder.model.message import OutboundMessage
from wunder.model.turn import TurnCommitted
from wunder.store.outgoing import Outgoing, say
from wunder.store.postgres import lanes
from wunder.store.postgres.delivery_rows import MARKS
from wunder.store.postgres.held import LANES
from wunder.store.postgres.message_rows import INSERT_OUTBOUND
from wunder.store.postgres.transaction import Tx
from wunder.store.readiness import ready_at
from wunder.store.shown import ShownReplies, shown_by

_SHOWN = ShownReplies(LANES, MARKS)


async def queue_replies(tx: Tx, going: Outgoing, grant: SendGrant | None) -> TurnCommitted:
    """Insert messages and deliveries; with a grant the first is born `sending` where its lane is empty.

    A first reply that was shown while it was written has its delivery: it gets its whole text.
    """
    # Only a message that was given an ordinal before can have begun to be answered.
    begun = await shown_by(tx, going.turn_id) if going.ordinals else None
    numbered = list(enumerate(say(tx, going, INSERT_OUTBOUND, is_begun=begun is not None)))
    if begun is None:
        claimed = await _queue(tx, going, numbered, grant)
    else:
        claimed = await _SHOWN.end(tx, begun, going, grant)
        await _queue(tx, going, numbered[1:], None)
    return TurnCommitted(tuple(claimed), len(going.replies) - len(claimed))


async def _queue(
    tx: Tx,
    going: Outgoing,
    numbered: Sequence[tuple[int, OutboundMessage]],
    grant: SendGrant | None,
) -> list[ClaimedDelivery]:
    """Queue deliveries of messages, each with its number in the turn; those born `sending`."""
    if not numbered:
        return []
    conversation, count = going.inbound.conversation, len(numbered)
    is_claimed = grant is not None
    place = await lanes.enter(
        tx, LaneKind.DELIVERY, conversation, count, going.at, is_claimed=is_claimed
    )
    claimed = MARKS.queue(tx, going, numbered, grant, place)
    if going.not_before is not None:
        await _hold_back(tx, going, len(numbered), going.not_before)
    return claimed


async def _hold_back(tx: Tx, going: Outgoing, count: int, until: At) -> None:
    """Keep the first reply from the dispatcher while a webhook may carry it, where it is the head."""
    lane = await tx.lanes.of(LaneKind.DELIVERY, going.inbound.conversation)
    if lane.waiting == count and going.ordinals == 0:
        lanes.set_ready(tx, lane, ready_at(going.at, None, until, going.expires_at))
