"""What the tables that are written once are given of this engine."""

from wunder.store.jobs import Leases
from wunder.store.postgres.held import LANES
from wunder.store.postgres.life import DB_NOW
from wunder.store.postgres.turns import reroute_one
from wunder.store.upkeep import Moves

MOVES = Moves(LANES, reroute_one, Leases(now=DB_NOW, is_alone=False))
