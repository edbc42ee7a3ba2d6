"""What a turn says, as messages and deliveries whose ids are fixed before the first try."""

from typing import Any

import msgspec

from wunder.model.delivery import ReleaseRef
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
from wunder.model.turn import Reply, TurnCommit
from wunder.store.clean import clean_text
from wunder.store.delivery_rows import NewDelivery
from wunder.store.message_rows import outbound_row
from wunder.store.policy import StorePolicy
from wunder.store.unit import Transaction


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


def turn_end_row(turn: TurnCommit) -> tuple[Any, ...]:
    """The end of a turn on the row of its message."""
    return (
        str(turn.state),
        turn.reason,
        turn.session_id,
        turn.agent_id,
        turn.binding_id,
        turn.at,
        len(turn.replies),
        turn.turn.message.message_id,
        turn.turn.fence,
    )


def going_of(
    turn: TurnCommit, policy: StorePolicy, ordinals: int, session_seq: int, not_before: At | None
) -> Outgoing:
    """What a turn says: its first reply follows `ordinals` others and has this place in the session."""
    return Outgoing(
        inbound=turn.turn.message,
        turn_id=turn.turn.turn_id,
        replies=turn.replies,
        at=turn.at,
        expires_at=turn.expires_at or At(turn.at + policy.delivery_ttl_s * 1000),
        ordinals=ordinals,
        session_id=turn.session_id,
        session_seq=session_seq,
        agent_id=turn.agent_id,
        binding_id=turn.binding_id,
        release=turn.release,
        not_before=not_before,
    )


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


def reply_row(going: Outgoing, message: OutboundMessage, ordinal: int) -> tuple[Any, ...]:
    """The columns of one reply's message."""
    return (
        *outbound_row(message),
        going.inbound.message_id,
        going.turn_id,
        going.session_id,
        None if going.session_id is None else going.session_seq + ordinal,
        going.agent_id,
        going.binding_id,
        going.at,
        "out",
    )


def say(
    tx: Transaction, going: Outgoing, statement: Any, *, is_begun: bool
) -> list[OutboundMessage]:
    """Write a turn's replies as messages; what was begun has one, be it empty."""
    replies = going.replies or ((Reply(""),) if is_begun else ())
    messages = [reply_message(going, reply, ordinal) for ordinal, reply in enumerate(replies)]
    for ordinal, message in enumerate(messages):
        tx.put(statement, reply_row(going, message, ordinal))
    tx.counts["channel_messages_out"] += len(replies)
    return messages


def reply_delivery(
    going: Outgoing, message: OutboundMessage, position: int, ordinal: int, place: tuple[int, int]
) -> NewDelivery:
    """The delivery of one reply: the n-th from its first, the n-th of its turn; (lane, first seq)."""
    lane_id, first_seq = place
    reply_ordinal = going.ordinals + position + 1
    return NewDelivery(
        delivery_id=DeliveryId(derived_id(going.turn_id, "delivery", ordinal)),
        message=message,
        root_message_id=going.inbound.message_id,
        reply_ordinal=reply_ordinal,
        lane_id=lane_id,
        lane_seq=first_seq + position,
        at=going.at,
        expires_at=going.expires_at,
        release=going.release,
        not_before=going.not_before if reply_ordinal == 1 else None,
    )
