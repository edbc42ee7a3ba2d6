"""Rows of `channel_messages` and what the rooms see of them."""

from typing import Any

import msgspec

from wunder.model.conversation import Conversation
from wunder.model.ids import AccountId, AccountUid, At, ChannelId, MessageId, PlatformMessageId
from wunder.model.message import (
    Attachment,
    Content,
    InboundMessage,
    OutboundMessage,
    Sender,
    StoredMessage,
    TextFormat,
)
from wunder.store.clean import from_json, to_json

#: What `inbound_of` takes, in order.
INBOUND_COLUMNS = """message_id, account_uid, peer_kind, peer_id, thread_id, channel, account_id,
  platform_message_id, sender_id, sender_name, sender_is_bot, type, text, content, meta, sent_at,
  received_at, peer_name, thread_topic"""
INBOUND_WIDTH = 19
#: What `outbound_of` takes, in order.
OUTBOUND_COLUMNS = """m.message_id, m.account_uid, m.peer_kind, m.peer_id, m.thread_id, m.channel,
  m.account_id, m.text, m.format, m.content, m.reply_to, m.peer_name, m.thread_topic, m.meta"""
OUTBOUND_WIDTH = 14
#: What `stored_message_of` takes, in order, after `seq`.
STORED_COLUMNS = """message_id, direction, account_uid, channel, account_id, peer_kind, peer_id, peer_name,
  thread_id, sender_id, sender_name, type, text, content, state, reason, platform_message_id, turn_id,
  session_id, in_reply_to, created_at"""

_content = msgspec.json.Decoder(Content)


def content_json(content: Content) -> str:
    """Encode what a message holds beside its text."""
    plain = content.mentions_bot is None and not (
        content.attachments or content.location or content.mentions
    )
    if plain:
        return "{}"
    return to_json(msgspec.structs.replace(content, text="", type="text"))


def inbound_row(message: InboundMessage) -> tuple[Any, ...]:
    """The columns of an inbound message up to `platform_message_id`."""
    content = message.content
    return (
        message.message_id,
        *message.conversation.key,
        message.channel,
        message.account_id,
        message.peer_name,
        message.thread_topic,
        message.sender.id,
        message.sender.name,
        int(message.sender.is_bot),
        content.type,
        content.text,
        content_json(content),
        to_json(message.meta) if message.meta else "{}",
        message.platform_message_id,
    )


def inbound_of(row: tuple[Any, ...]) -> InboundMessage:
    """Read INBOUND_COLUMNS."""
    content = msgspec.structs.replace(_content.decode(row[13]), type=row[11], text=row[12])
    return InboundMessage(
        message_id=MessageId(row[0]),
        conversation=Conversation(AccountUid(row[1]), row[2], row[3], row[4]),
        channel=ChannelId(row[5]),
        account_id=AccountId(row[6]),
        platform_message_id=PlatformMessageId(row[7]),
        sender=Sender(row[8], row[9], bool(row[10])),
        content=content,
        sent_at=At(row[15]),
        received_at=At(row[16]),
        peer_name=row[17],
        thread_topic=row[18],
        meta=from_json(row[14]),
    )


def outbound_row(message: OutboundMessage) -> tuple[Any, ...]:
    """The columns of an outbound message up to `reply_to`."""
    return (
        message.message_id,
        *message.conversation.key,
        message.channel,
        message.account_id,
        message.peer_name,
        message.thread_topic,
        message.format,
        message.text,
        content_json(Content(attachments=message.attachments)),
        to_json(message.meta) if message.meta else "{}",
        message.reply_to,
    )


def outbound_of(row: tuple[Any, ...]) -> OutboundMessage:
    """Read OUTBOUND_COLUMNS."""
    text_format: TextFormat = "markdown" if row[8] == "markdown" else "plain"
    return OutboundMessage(
        message_id=MessageId(row[0]),
        conversation=Conversation(AccountUid(row[1]), row[2], row[3], row[4]),
        channel=ChannelId(row[5]),
        account_id=AccountId(row[6]),
        text=row[7],
        format=text_format,
        attachments=attachments_of(row[9]),
        reply_to=None if row[10] is None else PlatformMessageId(row[10]),
        peer_name=row[11],
        thread_topic=row[12],
        meta=from_json(row[13]),
    )


def attachments_of(content: str) -> tuple[Attachment, ...]:
    """The attachments in a `content` column."""
    return () if content == "{}" else _content.decode(content).attachments


def stored_message_of(row: tuple[Any, ...]) -> StoredMessage:
    """Read STORED_COLUMNS."""
    return StoredMessage(
        message_id=row[0],
        direction=row[1],
        account_uid=row[2],
        channel=row[3],
        account_id=row[4],
        peer_kind=row[5],
        peer_id=row[6],
        peer_name=row[7],
        thread_id=row[8],
        sender_id=row[9],
        sender_name=row[10],
        type=row[11],
        text=row[12],
        attachments=attachments_of(row[13]),
        state=row[14],
        reason=row[15],
        platform_message_id=row[16],
        turn_id=row[17],
        session_id=row[18],
        in_reply_to=row[19],
        created_at=row[20],
    )
