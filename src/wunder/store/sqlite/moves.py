"""What the tables that are written once are given of this engine."""

from wunder.model.ids import At, MessageId
from wunder.store.jobs import Leases
from wunder.store.sqlite.held import LANES
from wunder.store.sqlite.transaction import Tx
from wunder.store.sqlite.turns import reroute_one
from wunder.store.upkeep import Moves


async def _reroute(tx: Tx, message_id: MessageId, now: At) -> bool:
    return reroute_one(tx, message_id, now)


MOVES = Moves(LANES, _reroute, Leases(now="NULL", is_alone=True))
