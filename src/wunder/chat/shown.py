"""From committed messages to the lines of a page, each with its mark (pure)."""

from collections.abc import Mapping
from typing import Literal

import msgspec

from wunder.chat.doors import ChatLine
from wunder.model.delivery import DeliveryState, StoredDelivery
from wunder.model.message import MessageState, StoredMessage

#: received: committed. answering: an agent is at it. done: its turn has ended well.
#: sending: queued or under way. delivered. failed: it was given up, or nobody answers here.
Mark = Literal["received", "answering", "done", "sending", "delivered", "failed"]

_IN: Mapping[str, Mark] = {
    MessageState.RECEIVED: "received",
    MessageState.ANSWERING: "answering",
    MessageState.ANSWERED: "done",
    MessageState.NO_ANSWER: "done",
    MessageState.UNROUTED: "failed",
    MessageState.REFUSED: "failed",
    MessageState.FAILED: "failed",
}
_OUT: Mapping[str, Mark] = {
    DeliveryState.SENT: "delivered",
    DeliveryState.FAILED: "failed",
    DeliveryState.UNKNOWN: "failed",
    DeliveryState.EXPIRED: "failed",
    DeliveryState.CANCELLED: "failed",
}


class ShownFile(msgspec.Struct, frozen=True):
    """An attachment of a reply; `url` is "" where there are no bytes to show."""

    name: str
    mime: str
    url: str


class ShownLine(msgspec.Struct, frozen=True):
    """One line of the page. `key` is what the visitor's page called its own message, "" for replies.

    `reason` says in one word why a visitor's own line failed.
    """

    id: str
    key: str
    side: Literal["you", "they"]
    text: str
    format: str
    at: int
    mark: Mark
    reason: str = ""
    files: tuple[ShownFile, ...] = ()


def shown(line: ChatLine, files: tuple[ShownFile, ...] = ()) -> ShownLine:
    """Return a line as its page shows it."""
    message, delivery = line
    is_theirs = message.direction == "in"
    return ShownLine(
        id=message.message_id,
        key=message.platform_message_id if is_theirs else "",
        side="you" if is_theirs else "they",
        text=message.text,
        format=message.format,
        at=message.created_at,
        mark=_IN.get(message.state, "received") if is_theirs else _mark_of(delivery),
        reason=_reason(message),
        files=files,
    )


def _mark_of(delivery: StoredDelivery | None) -> Mark:
    if delivery is None:
        return "sending"
    if delivery.receipt == "failed":
        return "failed"
    return _OUT.get(delivery.state, "sending")


def _reason(message: StoredMessage) -> str:
    """Only the state: why in particular is for operators."""
    return message.state if _IN.get(message.state) == "failed" else ""
