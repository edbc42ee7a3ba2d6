"""Lanes in the hands of units that are written once: held, looked at, put right and left."""

from typing import Any, NamedTuple, Protocol

from wunder.model.conversation import Conversation, LaneKind
from wunder.model.ids import At, DeliveryId
from wunder.store.place import Place
from wunder.store.standing import Standing


class HeldLane(Protocol):
    """A lane that nobody else changes until the unit that holds it is committed."""

    async def refresh(self, now: At) -> None:
        """Work out anew when its head may be claimed."""

    async def leave(self, now: At, released: str) -> None:
        """Take out the row `released`, whose end is written; the next one becomes ready."""

    async def rest(self, until: At | None) -> None:
        """Keep it shut until a time, or open it; takes effect when its head is looked at next."""

    async def claim(self) -> int:
        """Mark its head as taken; the fence of this claim."""

    async def bump_fence(self) -> int:
        """Make every claim so far an old one."""

    async def empty(self) -> None:
        """Take everything out, and make every claim so far an old one."""


class HeldDelivery(NamedTuple):
    """Where a delivery stands, as long as its lane is held."""

    standing: Standing
    lane: HeldLane


class Lanes(Protocol):
    """How an engine holds lanes inside a unit; each `tx` is a transaction of that engine."""

    async def hold(self, tx: Any, kind: LaneKind, lane_id: int) -> HeldLane:
        """A lane that a row names."""

    async def look(self, tx: Any, delivery_id: DeliveryId) -> HeldDelivery | None:
        """Hold a delivery's lane, then see where it stands; None where there is none."""

    async def enter(self, tx: Any, conversation: Conversation, at: At) -> int:
        """The next place at the tail of a conversation's lane of deliveries."""

    async def enter_turns(self, tx: Any, conversation: Conversation, at: At) -> Place:
        """The next place at the tail of a conversation's lane of turns."""
