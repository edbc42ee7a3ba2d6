"""The end of a turn in rows: outbound messages and their deliveries, in order, ids fixed beforehand."""

from wunder.model.conversation import LaneKind
from wunder.model.delivery import ClaimedDelivery, SendGrant
from wunder.model.message import OutboundMessage
from wunder.model.turn import Reply, TurnCommitted
from wunder.store.delivery_rows import facts_of
from wunder.store.outgoing import Outgoing, reply_delivery, reply_message, reply_row
from wunder.store.sqlite import inline, lanes, shown
from wunder.store.sqlite.delivery_rows import insert
from wunder.store.sqlite.message_rows import INSERT_OUTBOUND
from wunder.store.sqlite.transaction import Tx


def queue_replies(tx: Tx, going: Outgoing, grant: SendGrant | None) -> TurnCommitted:
    """Insert messages and deliveries; with a grant the first is born `sending` where its lane is empty.

    A first reply that was shown while it was written has its delivery: it gets its whole text.
    """
    # Only a message that was given an ordinal before can have begun to be answered.
    begun = shown.shown_by(tx, going.turn_id) if going.ordinals else None
    replies = going.replies or ((Reply(""),) if begun is not None else ())
    messages = [reply_message(going, reply, ordinal) for ordinal, reply in enumerate(replies)]
    for ordinal, message in enumerate(messages):
        _insert_message(tx, going, message, ordinal)
    tx.counts["channel_messages_out"] += len(replies)
    claimed: list[ClaimedDelivery] = []
    if begun is not None and not going.replies:
        shown.abandon(tx, begun)
    elif begun is not None:
        first = shown.finish(tx, begun, going.expires_at, grant)
        claimed = [first] if first is not None else []
    if begun is None:
        claimed = _queue(tx, going, messages, 0, grant)
    elif len(messages) > 1:
        _queue(tx, going, messages, 1, None)
    return TurnCommitted(tuple(claimed), len(going.replies) - len(claimed))


def _insert_message(tx: Tx, going: Outgoing, message: OutboundMessage, ordinal: int) -> None:
    tx.execute(INSERT_OUTBOUND, reply_row(going, message, ordinal))


def _queue(
    tx: Tx, going: Outgoing, messages: list[OutboundMessage], first: int, grant: SendGrant | None
) -> list[ClaimedDelivery]:
    """Queue deliveries from the `first` message on; those born `sending`."""
    if not messages:
        return []
    conversation, count = going.inbound.conversation, len(messages) - first
    is_claimed = grant is not None
    place = lanes.enter(tx, LaneKind.DELIVERY, conversation, count, going.at, is_claimed=is_claimed)
    claimed: list[ClaimedDelivery] = []
    for position, message in enumerate(messages[first:]):
        at = (place.lane_id, place.first_seq)
        new = reply_delivery(going, message, position, position + first, at)
        is_first = place.is_free and position == 0
        facts = facts_of(grant) if grant is not None and is_first else None
        delivery = insert(tx, new, facts, place.fence)
        if delivery is not None:
            claimed.append(delivery)
    if going.not_before is not None:
        inline.hold_back(tx, going.inbound.message_id, going.not_before, place.lane_id, going.at)
    return claimed
