"""Reading: what happened, for people, for readiness and for metrics."""

from typing import Generic, Protocol, TypeVar

import msgspec

from wunder.model.conversation import Session
from wunder.model.delivery import StoredAttempt, StoredDelivery
from wunder.model.ids import At, DeliveryId, MessageId
from wunder.model.message import StoredMessage
from wunder.model.trail import Event, Step
from wunder.ports.rooms import DeliveryFilter

T = TypeVar("T")


class Page(msgspec.Struct, Generic[T], frozen=True):
    """One page of a list; `next_cursor` is "" at the end."""

    items: tuple[T, ...]
    next_cursor: str = ""


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

    async def sessions(self, channel: str, limit: int, cursor: str) -> Page[Session]:
        """Sessions, the last active first."""


class EventLog(Protocol):
    """`channel_events`: written behind message traffic, bounded; newest first."""

    def record(self, event: Event) -> None:
        """Queue an event for the next commit; never blocks, drops the oldest when full, counted."""

    async def events(
        self, plugin_id: str, account_uid: str, limit: int, cursor: str
    ) -> Page[Event]:
        """Events that match, newest first."""


class StoreHealth(Protocol):
    """What readiness, doctor and metrics ask of a store."""

    async def probe(self) -> None:
        """Write and commit one row. Raises: StoreUnavailable, StoreFull."""

    def figures(self) -> dict[str, float]:
        """Kept counters: `<table>_<state>`, `commits`, `rows`, `queue`; never `count(*)`."""

    async def backup(self, target: str) -> None:
        """Write a consistent copy while serving."""
