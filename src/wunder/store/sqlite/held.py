"""Lanes for units that are written once: the one writer holds them all."""

from wunder.model.conversation import Conversation, LaneKind
from wunder.model.ids import At, DeliveryId
from wunder.store.held import HeldDelivery, HeldLane, Lanes
from wunder.store.place import Place
from wunder.store.sqlite import lanes
from wunder.store.sqlite.standing import standing_of
from wunder.store.sqlite.transaction import Tx

_EMPTY = """
UPDATE channel_lanes SET waiting = 0, ready_at = NULL, is_suspect = 0, fence = fence + 1 WHERE lane_id = ?
"""


class SqliteLane:
    """A lane by its id."""

    def __init__(self, tx: Tx, kind: LaneKind, lane_id: int) -> None:
        self._tx = tx
        self._is_of_turns = kind is LaneKind.TURN
        self._lane_id = lane_id

    async def refresh(self, now: At) -> None:
        """Work out anew when its head may be claimed."""
        refresh = lanes.refresh_turns if self._is_of_turns else lanes.refresh_deliveries
        refresh(self._tx, self._lane_id, now)

    async def leave(self, now: At, released: str) -> None:
        """Take out one row."""
        del released  # its end is written: the head is the next one
        if self._is_of_turns:
            lanes.leave_turns(self._tx, self._lane_id, now)
        else:
            lanes.leave_deliveries(self._tx, self._lane_id, now)

    async def rest(self, until: At | None) -> None:
        """Keep it shut until a time, or open it."""
        lanes.rest(self._tx, self._lane_id, until)

    async def claim(self) -> int:
        """Mark its head as taken."""
        return lanes.claim(self._tx, self._lane_id)

    async def bump_fence(self) -> int:
        """Make every claim so far an old one."""
        return lanes.bump_fence(self._tx, self._lane_id)

    async def empty(self) -> None:
        """Take everything out, and make every claim so far an old one."""
        self._tx.execute(_EMPTY, (self._lane_id,))


class SqliteLanes:
    """All lanes of the file."""

    async def hold(self, tx: Tx, kind: LaneKind, lane_id: int) -> HeldLane:
        """A lane that a row names."""
        return SqliteLane(tx, kind, lane_id)

    async def look(self, tx: Tx, delivery_id: DeliveryId) -> HeldDelivery | None:
        """Where a delivery stands, and its lane."""
        standing = standing_of(tx, delivery_id)
        if standing is None:
            return None
        return HeldDelivery(standing, SqliteLane(tx, LaneKind.DELIVERY, standing.lane_id))

    async def enter(self, tx: Tx, conversation: Conversation, at: At) -> int:
        """The next place at the tail of a conversation's lane of deliveries."""
        place = lanes.enter(tx, LaneKind.DELIVERY, conversation, 1, at, is_claimed=False)
        return place.first_seq

    async def enter_turns(self, tx: Tx, conversation: Conversation, at: At) -> Place:
        """The next place at the tail of a conversation's lane of turns."""
        return lanes.enter(tx, LaneKind.TURN, conversation, 1, at, is_claimed=False)


LANES: Lanes = SqliteLanes()
