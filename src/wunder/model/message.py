"""Messages: inbound as taken in, outbound as queued, and the states an inbound message walks."""

from enum import StrEnum
from typing import Any, Literal

import msgspec

from wunder.model.conversation import Conversation
from wunder.model.ids import (
    AccountId,
    AccountUid,
    At,
    ChannelId,
    MessageId,
    PlatformMessageId,
    SessionId,
    TurnId,
)

MessageType = Literal["text", "image", "audio", "video", "file", "location", "event", "mixed"]
TextFormat = Literal["plain", "markdown"]
AttachmentKind = Literal["image", "audio", "video", "file"]


class MessageState(StrEnum):
    """Where an inbound message is on its way through room 2."""

    RECEIVED = "received"
    ANSWERING = "answering"
    ANSWERED = "answered"
    NO_ANSWER = "no_answer"  # nothing to say, or a group message that does not mention the bot
    UNROUTED = "unrouted"  # no binding; can be re-routed by hand
    REFUSED = "refused"  # deny list or size: stored without body
    FAILED = "failed"


#: State -> states it may become. `answering -> received` is a claim given back or its process dead.
MESSAGE_MOVES: dict[MessageState, frozenset[MessageState]] = {
    MessageState.RECEIVED: frozenset({MessageState.ANSWERING, MessageState.FAILED}),
    MessageState.ANSWERING: frozenset(
        {
            MessageState.RECEIVED,
            MessageState.ANSWERED,
            MessageState.NO_ANSWER,
            MessageState.UNROUTED,
            MessageState.FAILED,
        }
    ),
    MessageState.ANSWERED: frozenset(),
    MessageState.NO_ANSWER: frozenset(),
    MessageState.UNROUTED: frozenset({MessageState.RECEIVED}),
    MessageState.REFUSED: frozenset(),
    MessageState.FAILED: frozenset({MessageState.RECEIVED}),
}


class Attachment(msgspec.Struct, frozen=True, omit_defaults=True):
    """A reference to media; the host never dereferences `url` (security rule 10).

    For an agent `missing` says why what came with a message is not there: late, failed.
    """

    kind: AttachmentKind
    url: str | None = None
    media_id: str | None = None
    blob_id: str | None = None
    mime: str | None = None
    size: int | None = None
    name: str | None = None
    missing: str | None = None


class Mention(msgspec.Struct, frozen=True):
    """Somebody named with @ in a text."""

    id: str
    name: str = ""
    is_self: bool = False


class Sender(msgspec.Struct, frozen=True):
    """Who wrote an inbound message."""

    id: str
    name: str = ""
    is_bot: bool = False


class Location(msgspec.Struct, frozen=True):
    """A place somebody shared."""

    lat: float
    lng: float
    address: str = ""


class Content(msgspec.Struct, frozen=True, omit_defaults=True):
    """What an inbound message says; stored as one JSON column."""

    type: MessageType = "text"
    text: str = ""
    attachments: tuple[Attachment, ...] = ()
    location: Location | None = None
    mentions: tuple[Mention, ...] = ()
    mentions_bot: bool | None = None
    reply_to: str = ""


class InboundMessage(msgspec.Struct, frozen=True):
    """One message as taken in: immutable once stored.

    `meta` is the provider's own note for the reply; it returns to the provider and to nobody else.
    """

    message_id: MessageId
    conversation: Conversation
    channel: ChannelId
    account_id: AccountId
    platform_message_id: PlatformMessageId
    sender: Sender
    content: Content
    sent_at: At  # by the platform's clock
    received_at: At
    peer_name: str = ""
    thread_topic: str = ""
    meta: dict[str, Any] = {}

    @property
    def is_event(self) -> bool:
        """Joined, recalled, button pressed: stored, not answered unless a binding asks for events."""
        return self.content.type == "event"


class OutboundMessage(msgspec.Struct, frozen=True):
    """One message to a platform: immutable once stored."""

    message_id: MessageId
    conversation: Conversation
    channel: ChannelId
    account_id: AccountId
    text: str
    format: TextFormat = "plain"
    attachments: tuple[Attachment, ...] = ()
    reply_to: PlatformMessageId | None = None  # the inbound message this answers
    peer_name: str = ""
    thread_topic: str = ""
    meta: dict[str, Any] = {}


class StoredMessage(msgspec.Struct, frozen=True):
    """One row of `channel_messages` as people and the API read it, either direction."""

    message_id: MessageId
    direction: Literal["in", "out"]
    account_uid: AccountUid
    channel: ChannelId
    account_id: AccountId
    peer_kind: str
    peer_id: str
    peer_name: str
    thread_id: str
    sender_id: str
    sender_name: str
    type: str
    text: str
    attachments: tuple[Attachment, ...]
    state: str  # MessageState inbound, "" outbound
    reason: str  # why refused, unrouted, failed or not answered
    platform_message_id: str
    turn_id: TurnId | None
    session_id: SessionId | None
    in_reply_to: MessageId | None  # outbound: the inbound message it answers
    created_at: At
    format: TextFormat = "plain"  # outbound: whether the text is markdown
