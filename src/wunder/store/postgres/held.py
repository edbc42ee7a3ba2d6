"""Lanes for units that are written once: locked rows, so that no other node changes them."""

from wunder.model.conversation import Conversation, LaneKind
from wunder.model.ids import At, DeliveryId
from wunder.store.held import HeldDelivery, HeldLane, Lanes
from wunder.store.place import Place
from wunder.store.postgres import lanes
from wunder.store.postgres.lane_book import Lane
from wunder.store.postgres.standing import standing_of
from wunder.store.postgres.transaction import Tx


class PostgresLane:
    """A lane of the transaction's book."""

    def __init__(self, tx: Tx, kind: LaneKind, lane: Lane) -> None:
        self._tx = tx
        self._is_of_turns = kind is LaneKind.TURN
        self._lane = lane

    async def refresh(self, now: At) -> None:
        """Work out anew when its head may be claimed."""
        refresh = lanes.refresh_turns if self._is_of_turns else lanes.refresh_deliveries
        await refresh(self._tx, self._lane, now)

    async def leave(self, now: At, released: str) -> None:
        """Take out the row `released`, whose end may be put off."""
        if self._is_of_turns:
            await lanes.leave_turns(self._tx, self._lane, now, released)
        else:
            await lanes.leave_deliveries(self._tx, self._lane, now, released)

    async def rest(self, until: At | None) -> None:
        """Keep it shut until a time, or open it."""
        lanes.rest(self._lane, until)

    async def claim(self) -> int:
        """Mark its head as taken."""
        return lanes.claim(self._lane)

    async def bump_fence(self) -> int:
        """Make every claim so far an old one."""
        return lanes.bump_fence(self._lane)

    async def empty(self) -> None:
        """Take everything out, and make every claim so far an old one."""
        lanes.empty(self._lane)


class PostgresLanes:
    """Lanes that this node has locked."""

    async def hold(self, tx: Tx, kind: LaneKind, lane_id: int) -> HeldLane:
        """Lock a lane that a row names."""
        return PostgresLane(tx, kind, await tx.lanes.by_id(lane_id))

    async def look(self, tx: Tx, delivery_id: DeliveryId) -> HeldDelivery | None:
        """Lock a delivery's lane; then look again, since another node may have settled it meanwhile."""
        standing = await standing_of(tx, delivery_id)
        if standing is not None and not tx.lanes.holds(standing.lane_id):
            await tx.lanes.by_id(standing.lane_id)
            standing = await standing_of(tx, delivery_id)
        if standing is None:
            return None
        return HeldDelivery(standing, await self.hold(tx, LaneKind.DELIVERY, standing.lane_id))

    async def enter(self, tx: Tx, conversation: Conversation, at: At) -> int:
        """The next place at the tail of a conversation's lane of deliveries."""
        place = await lanes.enter(tx, LaneKind.DELIVERY, conversation, 1, at, is_claimed=False)
        return place.first_seq

    async def enter_turns(self, tx: Tx, conversation: Conversation, at: At) -> Place:
        """The next place at the tail of a conversation's lane of turns."""
        return await lanes.enter(tx, LaneKind.TURN, conversation, 1, at, is_claimed=False)


LANES: Lanes = PostgresLanes()
