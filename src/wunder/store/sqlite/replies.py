"""The end of a turn in rows: outbound messages and their deliveries, in order, ids fixed beforehand."""

import msgspec

from wunder.model.conversation import LaneKind
from wunder.model.delivery import ReleaseRef, SendGrant
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
from wunder.store.sqlite import inline, lanes
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
    """Insert messages and deliveries; with a grant the first is born `sending` where its lane is empty."""
    if not going.replies:
        return TurnCommitted()
    conversation = going.inbound.conversation
    place = lanes.enter(
        tx,
        LaneKind.DELIVERY,
        conversation,
        len(going.replies),
        going.at,
        is_claimed=grant is not None,
    )
    is_born_sending = grant is not None and place.is_free
    claimed = []
    for ordinal, reply in enumerate(going.replies):
        message = reply_message(going, reply, ordinal)
        session_seq = None if going.session_id is None else going.session_seq + ordinal
        tx.execute(
            INSERT_OUTBOUND,
            (
                *outbound_row(message),
                going.inbound.message_id,
                going.turn_id,
                going.session_id,
                session_seq,
                going.agent_id,
                going.binding_id,
                going.at,
            ),
        )
        new = NewDelivery(
            delivery_id=DeliveryId(derived_id(going.turn_id, "delivery", ordinal)),
            message=message,
            root_message_id=going.inbound.message_id,
            reply_ordinal=going.ordinals + ordinal + 1,
            lane_id=place.lane_id,
            lane_seq=place.first_seq + ordinal,
            at=going.at,
            expires_at=going.expires_at,
            release=going.release,
        )
        is_first = is_born_sending and ordinal == 0
        facts = facts_of(grant) if grant is not None and is_first else None
        delivery = insert(tx, new, facts, place.fence)
        if delivery is not None:
            claimed.append(delivery)
    if going.not_before is not None:
        inline.hold_back(tx, going.inbound.message_id, going.not_before, place.lane_id, going.at)
    tx.counts["channel_messages_out"] += len(going.replies)
    return TurnCommitted(tuple(claimed), len(going.replies) - len(claimed))


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
