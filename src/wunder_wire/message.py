"""What crosses the wire about a conversation: inbound messages, outbound messages, receipts."""

from dataclasses import field
from typing import Any, Literal

from wunder_wire.record import dataclass

PeerKind = Literal["user", "group", "channel"]
MessageType = Literal["text", "image", "audio", "video", "file", "location", "event", "mixed"]
AttachmentKind = Literal["image", "audio", "video", "file"]
ReceiptStatus = Literal["delivered", "read", "failed"]


@dataclass(frozen=True, slots=True)
class Peer:
    """The other side of a conversation."""

    kind: PeerKind
    id: str
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Thread:
    """A thread or topic inside a peer."""

    id: str
    topic: str | None = None


@dataclass(frozen=True, slots=True)
class Sender:
    """Who wrote an inbound message."""

    id: str
    name: str | None = None
    is_bot: bool | None = None


@dataclass(frozen=True, slots=True)
class Attachment:
    """A reference to media; exactly one of `url`, `media_id`, `blob_id` is set."""

    kind: AttachmentKind
    url: str | None = None
    media_id: str | None = None
    blob_id: str | None = None
    mime: str | None = None
    size: int | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Location:
    """A place somebody shared."""

    lat: float
    lng: float
    address: str | None = None


@dataclass(frozen=True, slots=True)
class Mention:
    """Somebody named with @ in a text."""

    id: str
    name: str = ""
    is_self: bool = False


@dataclass(frozen=True, slots=True)
class ChannelMessage:
    """One message as a platform delivered it, in our words.

    `message_id` is the platform's stable id, 1..256 bytes (an edit carries `#edit:<rev>`);
    `ts` is Unix milliseconds by the platform's clock; `meta` returns to the provider with the
    reply and never reaches an agent.
    """

    channel: str
    account_id: str
    peer: Peer
    message_id: str
    sender: Sender
    ts: int
    type: MessageType = "text"
    thread: Thread | None = None
    text: str | None = None
    attachments: tuple[Attachment, ...] = ()
    location: Location | None = None
    mentions: tuple[Mention, ...] = ()
    mentions_bot: bool | None = None
    reply_to: str | None = None
    meta: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OutboundMessage:
    """One message to send; splitting it to the platform's limits is the provider's job.

    `reply_to` is the inbound `message_id` that this answers; `meta` is that message's `meta`.
    """

    channel: str
    account_id: str
    peer: Peer
    thread: Thread | None = None
    text: str | None = None
    format: Literal["plain", "markdown"] = "plain"
    attachments: tuple[Attachment, ...] = ()
    reply_to: str | None = None
    meta: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a platform says later about a message we sent. `ts` is Unix milliseconds."""

    provider_message_id: str
    status: ReceiptStatus
    ts: int
    detail: str | None = None
