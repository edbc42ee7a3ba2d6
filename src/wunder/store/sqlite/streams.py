"""Progressive replies in the file."""

from typing import TypeVar

from wunder.model.conversation import Conversation, LaneKind
from wunder.model.ids import At
from wunder.store.policy import StorePolicy
from wunder.store.sqlite import lanes
from wunder.store.sqlite.delivery_rows import MARKS
from wunder.store.sqlite.evidence import LATE
from wunder.store.sqlite.held import LANES
from wunder.store.sqlite.receipts import RECEIPTS
from wunder.store.sqlite.transaction import Tx
from wunder.store.sqlite.writer import Writer
from wunder.store.streams import SqlStreams, StreamMoves, Taken
from wunder.store.unit import Unit

T = TypeVar("T")

_WAITING = """
SELECT waiting FROM channel_lanes
WHERE kind = 'delivery' AND account_uid = ? AND peer_kind = ? AND peer_id = ? AND thread_id = ?
"""


def streams(writer: Writer, policy: StorePolicy) -> SqlStreams:
    """The door to progressive replies."""

    async def work(unit: Unit[T], conversation: Conversation, kinds: tuple[LaneKind, ...]) -> T:
        del conversation, kinds  # the one writer holds them all
        return await writer.work(unit)

    moves = StreamMoves(LANES, RECEIPTS, LATE, _take_free, MARKS, _always)
    return SqlStreams(work, moves, policy)


def _always(_epoch: int) -> bool:
    return True  # a file has one node


async def _take_free(tx: Tx, conversation: Conversation, now: At) -> Taken | None:
    waiting = tx.one(_WAITING, conversation.key)
    if waiting is not None and waiting[0]:
        return None
    place = lanes.enter(tx, LaneKind.DELIVERY, conversation, 1, now, is_claimed=True)
    if not place.is_free:
        lanes.leave_deliveries(tx, place.lane_id, now)
        return None
    return Taken(place.lane_id, place.first_seq, place.fence)
