"""A message that nobody asked for, in rows: what an application sends first."""

from typing import Any

from wunder.model.conversation import Conversation
from wunder.model.ids import AccountId, AccountUid, ChannelId, DeliveryId, derived_id
from wunder.model.message import OutboundMessage
from wunder.model.turn import NewSend
from wunder.store.clean import clean_text
from wunder.store.delivery_rows import NewDelivery
from wunder.store.message_rows import outbound_row
from wunder.store.place import Place

USED_KEY = """
SELECT delivery_id FROM channel_outbox
WHERE account_uid = ? AND idempotency_key = ? AND idempotency_key <> ''
"""


def message_first(send: NewSend) -> OutboundMessage:
    """What is stored and sent."""
    conversation = Conversation(
        AccountUid(send.account_uid),
        clean_text(send.peer_kind),
        clean_text(send.peer_id),
        clean_text(send.thread_id),
    )
    return OutboundMessage(
        message_id=send.message_id,
        conversation=conversation,
        channel=ChannelId(send.channel),
        account_id=AccountId(send.account_id),
        text=send.text,
        format=send.format,
        attachments=send.attachments,
    )


def row_first(send: NewSend, message: OutboundMessage) -> tuple[Any, ...]:
    """The columns of the message: it answers none, and belongs to no turn and no session."""
    unanswered = (None, None, None, None, None, None)
    return (*outbound_row(message), *unanswered, send.at, "out")


def delivery_first(send: NewSend, message: OutboundMessage, place: Place) -> NewDelivery:
    """Its delivery."""
    return NewDelivery(
        delivery_id=DeliveryId(derived_id(send.message_id, "delivery")),
        message=message,
        root_message_id=None,
        reply_ordinal=0,
        lane_id=place.lane_id,
        lane_seq=place.first_seq,
        at=send.at,
        expires_at=send.expires_at,
        idempotency_key=send.idempotency_key,
    )
