"""Messages that wait once more: claims given back uncounted, and messages put back by hand as new turns."""

from collections.abc import Sequence
from typing import Any

from wunder.model.conversation import LaneKind
from wunder.model.ids import At, MessageId, derived_id
from wunder.model.trail import Step, StepName
from wunder.model.turn import ClaimedTurn
from wunder.store.held import Lanes
from wunder.store.message_rows import INBOUND_COLUMNS, INBOUND_WIDTH, inbound_of
from wunder.store.unit import Transaction, Unit

_LANE = "SELECT lane_id FROM channel_messages WHERE message_id = ? AND state = 'answering' AND fence = ?"
_GIVE_BACK = """
UPDATE channel_messages SET state = 'received', claims = claims - 1, is_alone = 0
WHERE message_id = ? AND state = 'answering' AND fence = ?
"""
_TO_REROUTE = f"""
SELECT {INBOUND_COLUMNS}, state, reroutes FROM channel_messages
WHERE message_id = ? AND direction = 'in' AND state IN ('unrouted', 'failed')
  AND NOT EXISTS (SELECT 1 FROM channel_accounts a
    WHERE a.account_uid = channel_messages.account_uid AND a.status = 'deleted')
"""  # noqa: S608 - constants of this package
_REROUTE = """
UPDATE channel_messages SET state = 'received', reason = '', lane_id = ?, lane_seq = ?, fence = 0,
  claims = 0, is_alone = 0, reroutes = reroutes + 1, turn_id = ?, session_id = NULL, session_seq = NULL,
  finished_at = NULL
WHERE message_id = ?
"""


def giving_back(lanes: Lanes, turns: Sequence[ClaimedTurn]) -> Unit[None]:
    """Return claims that do not count as unfinished; of those that are lost nothing changes."""

    async def unit(tx: Transaction) -> None:
        for turn in turns:
            named = (turn.message.message_id, turn.fence)
            row = await tx.first(_LANE, named)
            if row is None:
                continue
            lane = await lanes.hold(tx, LaneKind.TURN, row[0])
            if (await tx.run(_GIVE_BACK, named)).rowcount:
                tx.moved("channel_messages", "answering", "received")
                await lane.refresh(tx.now)

    return unit


class Rerouting:
    """Puts a message back at the tail of its lane, as a new turn."""

    def __init__(self, lanes: Lanes) -> None:
        self._lanes = lanes

    async def __call__(self, tx: Any, message_id: MessageId, now: At) -> bool:
        """Put one back; False when it may not, or its account was deleted."""
        row = await tx.first(_TO_REROUTE + tx.for_update, (message_id,))
        if row is None:
            return False
        message = inbound_of(row[:INBOUND_WIDTH])
        state, reroutes = row[INBOUND_WIDTH:]
        place = await self._lanes.enter_turns(tx, message.conversation, now)
        # A turn of its own: what the first one said keeps its ids.
        turn_id = derived_id(message_id, "turn", reroutes + 1)
        await tx.run(_REROUTE, (place.lane_id, place.first_seq, turn_id, message_id))
        tx.moved("channel_messages", state, "received")
        uid, account_id = message.conversation.account_uid, message.account_id
        tx.step(Step(message_id, StepName.REROUTED, now, account_uid=uid, account_id=account_id))
        return True

    def each(self, message_ids: Sequence[MessageId], now: At) -> Unit[int]:
        """Put back `unrouted` and `failed` messages; how many moved."""

        async def unit(tx: Transaction) -> int:
            return sum([await self(tx, message_id, now) for message_id in message_ids])

        return unit
