"""The end of a turn in rows: outbound messages and their deliveries, in order, ids fixed beforehand."""

from wunder.model.conversation import LaneKind
from wunder.model.delivery import ClaimedDelivery, SendGrant
from wunder.model.ids import At
from wunder.model.message import OutboundMessage
from wunder.model.turn import Reply, TurnCommitted
from wunder.store.delivery_rows import facts_of
from wunder.store.outgoing import Outgoing, reply_delivery, reply_message, reply_row
from wunder.store.postgres import lanes, shown
from wunder.store.postgres.delivery_rows import insert
from wunder.store.postgres.message_rows import INSERT_OUTBOUND
from wunder.store.postgres.transaction import Tx
from wunder.store.readiness import ready_at


async def queue_replies(tx: Tx, going: Outgoing, grant: SendGrant | None) -> TurnCommitted:
    """Insert messages and deliveries; with a grant the first is born `sending` where its lane is empty.

    A first reply that was shown while it was written has its delivery: it gets its whole text.
    """
    # Only a message that was given an ordinal before can have begun to be answered.
    begun = await shown.shown_by(tx, going.turn_id) if going.ordinals else None
    replies = going.replies or ((Reply(""),) if begun is not None else ())
    messages = [reply_message(going, reply, ordinal) for ordinal, reply in enumerate(replies)]
    for ordinal, message in enumerate(messages):
        _insert_message(tx, going, message, ordinal)
    tx.counts["channel_messages_out"] += len(replies)
    claimed: list[ClaimedDelivery] = []
    if begun is not None and not going.replies:
        await shown.abandon(tx, begun)
    elif begun is not None:
        first = await shown.finish(tx, begun, going.expires_at, grant)
        claimed = [first] if first is not None else []
    if begun is None:
        claimed = await _queue(tx, going, messages, 0, grant)
    elif len(messages) > 1:
        await _queue(tx, going, messages, 1, None)
    return TurnCommitted(tuple(claimed), len(going.replies) - len(claimed))


def _insert_message(tx: Tx, going: Outgoing, message: OutboundMessage, ordinal: int) -> None:
    tx.later(INSERT_OUTBOUND, (*reply_row(going, message, ordinal), "out"))


async def _queue(
    tx: Tx, going: Outgoing, messages: list[OutboundMessage], first: int, grant: SendGrant | None
) -> list[ClaimedDelivery]:
    """Queue deliveries from the `first` message on; those born `sending`."""
    if not messages:
        return []
    conversation, count = going.inbound.conversation, len(messages) - first
    is_asked = grant is not None
    place = await lanes.enter(
        tx, LaneKind.DELIVERY, conversation, count, going.at, is_claimed=is_asked
    )
    claimed: list[ClaimedDelivery] = []
    for position, message in enumerate(messages[first:]):
        at = (place.lane_id, place.first_seq)
        new = reply_delivery(going, message, position, position + first, at)
        is_first = place.is_free and position == 0
        facts = facts_of(grant) if grant is not None and is_first else None
        is_held = going.not_before is not None and new.reply_ordinal == 1
        held_until = going.not_before if is_held else None
        delivery = insert(tx, new, facts, place.fence, held_until)
        if delivery is not None:
            claimed.append(delivery)
    if going.not_before is not None:
        await _hold_back(tx, going, count, going.not_before)
    return claimed


async def _hold_back(tx: Tx, going: Outgoing, count: int, until: At) -> None:
    """Keep the first reply from the dispatcher while a webhook may carry it, where it is the head."""
    lane = await tx.lanes.of(LaneKind.DELIVERY, going.inbound.conversation)
    if lane.waiting == count and going.ordinals == 0:
        lanes.set_ready(tx, lane, ready_at(going.at, None, until, going.expires_at))
