"""Progressive replies over locked lanes."""

from collections.abc import Callable
from typing import TypeVar

from wunder.model.conversation import Conversation, LaneKind
from wunder.model.ids import At
from wunder.store.policy import StorePolicy
from wunder.store.postgres import lanes
from wunder.store.postgres.delivery_rows import MARKS
from wunder.store.postgres.evidence import LATE
from wunder.store.postgres.held import LANES
from wunder.store.postgres.lane_book import lane_key
from wunder.store.postgres.receipts import RECEIPTS
from wunder.store.postgres.transaction import Tx
from wunder.store.postgres.writer import Writer
from wunder.store.streams import SqlStreams, StreamMoves, Taken
from wunder.store.unit import Unit

T = TypeVar("T")


def streams(writer: Writer, policy: StorePolicy, holds: Callable[[int], bool]) -> SqlStreams:
    """The door to progressive replies; what a unit works on is locked beforehand."""

    async def work(unit: Unit[T], conversation: Conversation, kinds: tuple[LaneKind, ...]) -> T:
        keys = [lane_key(kind, conversation) for kind in kinds]
        return await writer.commit(unit, lanes=keys)

    moves = StreamMoves(LANES, RECEIPTS, LATE, _take_free, MARKS, holds)
    return SqlStreams(work, moves, policy)


async def _take_free(tx: Tx, conversation: Conversation, now: At) -> Taken | None:
    lane = await tx.lanes.of(LaneKind.DELIVERY, conversation)
    if lane.waiting or lane.rests_at(now):
        return None
    place = await lanes.enter(tx, LaneKind.DELIVERY, conversation, 1, now, is_claimed=True)
    return Taken(place.lane_id, place.first_seq, place.fence)
