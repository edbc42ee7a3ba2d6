"""What happened, as people look it up, and what operators do to deliveries by hand."""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from wunder.model.conversation import Session
from wunder.model.delivery import DeliveryState, StoredAttempt, StoredDelivery
from wunder.model.ids import At, DeliveryId, MessageId
from wunder.model.message import StoredMessage
from wunder.model.trail import Step
from wunder.ports import Page


class MessageFilter(msgspec.Struct, frozen=True):
    """Which messages; `text` is a substring of text, names and ids."""

    text: str = ""
    channel: str = ""
    account_id: str = ""
    peer_id: str = ""
    session_id: str = ""
    state: str = ""
    direction: str = ""
    since: At | None = None
    until: At | None = None


class SessionFilter(msgspec.Struct, frozen=True):
    """Which sessions; `text` is a substring of the peer's name or id, or the session's own id."""

    channel: str = ""
    account_id: str = ""
    text: str = ""


class DeliveryFilter(msgspec.Struct, frozen=True):
    """Which deliveries; empty fields match everything."""

    states: tuple[DeliveryState, ...] = ()
    channel: str = ""
    account_id: str = ""
    peer_id: str = ""
    since: At | None = None
    until: At | None = None
    error_kind: str = ""


#: Over and not arrived, as far as is known: what may go out anew with a corrected text.
CORRECTABLE = frozenset(
    {DeliveryState.FAILED, DeliveryState.EXPIRED, DeliveryState.UNKNOWN, DeliveryState.CANCELLED}
)


class Correction(msgspec.Struct, frozen=True):
    """The text that goes out in place of a delivery's; `message_id` is the new message's."""

    delivery_id: DeliveryId
    message_id: MessageId
    text: str


class Ledger(Protocol):
    """What happened, for people: newest first, cursor-paged."""

    async def messages(self, where: MessageFilter, limit: int, cursor: str) -> Page[StoredMessage]:
        """Messages that match, newest first."""

    async def message(self, message_id: MessageId) -> StoredMessage | None:
        """One message; None where there is none."""

    async def trail(self, message_id: MessageId) -> list[Step]:
        """Every step of the turn this message belongs to, in order, for either direction's id."""

    async def deliveries(
        self, where: DeliveryFilter, limit: int, cursor: str
    ) -> Page[StoredDelivery]:
        """Deliveries that match, newest first."""

    async def delivery(
        self, delivery_id: DeliveryId
    ) -> tuple[StoredDelivery, list[StoredAttempt]] | None:
        """One delivery with its attempts, oldest first."""

    async def sessions(self, where: SessionFilter, limit: int, cursor: str) -> Page[Session]:
        """Sessions, the last active first."""


class OutboxDesk(Protocol):
    """What operators do to deliveries by hand."""

    async def replay(
        self, delivery_ids: Sequence[DeliveryId], now: At, by: str, *, is_forced: bool = False
    ) -> list[DeliveryId]:
        """Append finished deliveries at the tail of their lanes: same row, same key, new seq.

        `is_forced`: also those that arrived; from their first part, with receipts of their own.
        """

    async def cancel(
        self, delivery_ids: Sequence[DeliveryId], now: At, by: str
    ) -> list[DeliveryId]:
        """End deliveries that wait or are held; the ids of those that will not go out."""

    async def correct(self, correction: Correction, now: At, by: str) -> DeliveryId | None:
        """Send one of CORRECTABLE anew with another text, as a new delivery at the tail of its lane.

        The old one stays as it was, names its successor and never goes out again. None: it may not.
        """

    async def select(self, where: DeliveryFilter, limit: int) -> list[DeliveryId]:
        """Ids of deliveries that match, oldest first: the preview and the work list of a replay."""

    async def release_held(self, channel: str | None, now: At, by: str) -> int:
        """Let go what a restore held: deliveries, messages it had not answered, requests; how many."""
