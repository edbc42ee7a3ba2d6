"""The tables of upkeep in one place; what each engine does in its own way is given to them."""

from collections.abc import Callable
from typing import NamedTuple

from wunder.store.again import Rerouting
from wunder.store.backlog import SqlBacklogTable
from wunder.store.held import Lanes
from wunder.store.jobs import Leases, SqlJobTable
from wunder.store.later_replies import SqlLaterTable
from wunder.store.pairing import SqlPairingTable
from wunder.store.policy import StorePolicy
from wunder.store.quarantine_table import SqlQuarantineTable
from wunder.store.reads import Reads
from wunder.store.replays import SqlReplayTable
from wunder.store.retention import SqlRetentionTable
from wunder.store.tally import SqlTallyTable
from wunder.store.unit import Works


class Moves(NamedTuple):
    """What an engine does in its own way inside a unit: hold lanes, answer a message again, lease."""

    lanes: Lanes
    reroute: Rerouting
    leases: Leases


class UpkeepTables:
    """Doors of administration and of work in small steps."""

    def __init__(
        self,
        writer: Works,
        reader: Reads,
        moves: Moves,
        figure: Callable[[str], int],
        policy: StorePolicy,
    ) -> None:
        self.pairings = SqlPairingTable(writer, reader, moves.reroute)
        self.jobs = SqlJobTable(writer, reader, moves.leases)
        self.quarantine = SqlQuarantineTable(writer, reader)
        self.retention = SqlRetentionTable(writer, reader, policy)
        self.backlog = SqlBacklogTable(reader, figure)
        self.tallies = SqlTallyTable(writer, reader, is_alone=moves.leases.is_alone)
        self.replays = SqlReplayTable(writer, reader, self.jobs, moves.lanes)
        self.later = SqlLaterTable(writer, reader)
