"""The end of a turn in rows: outbound messages and their deliveries, in order, ids fixed beforehand."""

import msgspec

from wunder.model.conversation import LaneKind
from wunder.model.delivery import ClaimedDelivery, ReleaseRef, SendGrant
from wunder.model.ids import (
    AgentId,
    At,
    BindingId,
    DeliveryId,
    MessageId,
    SessionId,
    TurnId,
    derived_id,
)
from wunder.model.message import InboundMessage, OutboundMessage
from wunder.model.turn import Reply, TurnCommitted
from wunder.store.clean import clean_text
from wunder.store.sqlite import inline, lanes, shown
from wunder.store.sqlite.delivery_rows import NewDelivery, facts_of, insert
from wunder.store.sqlite.message_rows import INSERT_OUTBOUND, outbound_row
from wunder.store.sqlite.transaction import Tx


class Outgoing(msgspec.Struct, frozen=True):
    """What a turn says, and where it belongs. `ordinals` replies were given to the message before."""

    inbound: InboundMessage
    turn_id: TurnId
    replies: tuple[Reply, ...]
    at: At
    expires_at: At
    ordinals: int = 0
    session_id: SessionId | None = None
    session_seq: int = 0
    agent_id: AgentId | None = None
    binding_id: BindingId | None = None
    release: ReleaseRef | None = None
    not_before: At | None = None  # the first waits so long for a webhook that can carry it


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
    row = (
        *outbound_row(message),
        going.inbound.message_id,
        going.turn_id,
        going.session_id,
        None if going.session_id is None else going.session_seq + ordinal,
        going.agent_id,
        going.binding_id,
        going.at,
    )
    tx.execute(INSERT_OUTBOUND, row)


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
        new = NewDelivery(
            delivery_id=DeliveryId(derived_id(going.turn_id, "delivery", position + first)),
            message=message,
            root_message_id=going.inbound.message_id,
            reply_ordinal=going.ordinals + position + 1,
            lane_id=place.lane_id,
            lane_seq=place.first_seq + position,
            at=going.at,
            expires_at=going.expires_at,
            release=going.release,
        )
        is_first = place.is_free and position == 0
        facts = facts_of(grant) if grant is not None and is_first else None
        delivery = insert(tx, new, facts, place.fence)
        if delivery is not None:
            claimed.append(delivery)
    if going.not_before is not None:
        inline.hold_back(tx, going.inbound.message_id, going.not_before, place.lane_id, going.at)
    return claimed


def reply_message(going: Outgoing, reply: Reply, ordinal: int) -> OutboundMessage:
    """One reply as the message that is stored and sent."""
    inbound = going.inbound
    return OutboundMessage(
        message_id=MessageId(derived_id(going.turn_id, "message", ordinal)),
        conversation=inbound.conversation,
        channel=inbound.channel,
        account_id=inbound.account_id,
        text=clean_text(reply.text),
        format=reply.format,
        attachments=reply.attachments,
        reply_to=inbound.platform_message_id,
        peer_name=inbound.peer_name,
        thread_topic=inbound.thread_topic,
        meta=inbound.meta,
    )
