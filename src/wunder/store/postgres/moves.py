"""What the tables that are written once are given of this engine."""

from wunder.store.again import Rerouting
from wunder.store.jobs import Leases
from wunder.store.postgres.held import LANES
from wunder.store.postgres.life import DB_NOW
from wunder.store.upkeep import Moves

MOVES = Moves(LANES, Rerouting(LANES), Leases(now=DB_NOW, is_alone=False))
