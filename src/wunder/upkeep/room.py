"""The whole room, put together: what the composition root asks for, and what the API speaks to."""

import asyncio
from collections.abc import Callable
from typing import NamedTuple, Protocol

import msgspec

from wunder.ports import Intake, Sealer
from wunder.upkeep.admission import AdmissionPolicy, BacklogTable, Gate
from wunder.upkeep.doors import Doors
from wunder.upkeep.jobs import JobDesk, JobTable
from wunder.upkeep.pairing import PairingDesk, PairingTable
from wunder.upkeep.quarantine import QuarantineDesk, QuarantineTable
from wunder.upkeep.replay import JobPolicy, ReplayDesk, ReplayTable, ReplayWorker
from wunder.upkeep.retention import Retention, RetentionPolicy, RetentionTable
from wunder.upkeep.tally import Tallies, TallyPolicy, TallyTable


class Counts(Protocol):
    """What the store counts."""

    @property
    def backlog(self) -> BacklogTable:
        """What waits."""

    @property
    def tallies(self) -> TallyTable:
        """`tallies`."""


class Tables(Counts, Protocol):
    """The store's tables of upkeep."""

    @property
    def pairings(self) -> PairingTable:
        """`channel_pairings`."""

    @property
    def jobs(self) -> JobTable:
        """`jobs`."""

    @property
    def replays(self) -> ReplayTable:
        """What replays ask of `channel_outbox`."""

    @property
    def quarantine(self) -> QuarantineTable:
        """`channel_quarantine`."""

    @property
    def retention(self) -> RetentionTable:
        """Everything that grows."""


class Around(NamedTuple):
    """What is asked of others: how many accounts there are, T1, and the seal of kept requests."""

    members: Callable[[], int]
    intake: Intake
    sealer: Sealer


class UpkeepPolicy(msgspec.Struct, frozen=True):
    """The settings of every part."""

    jobs: JobPolicy = JobPolicy()
    admission: AdmissionPolicy = AdmissionPolicy()
    retention: RetentionPolicy = RetentionPolicy()


class Upkeep:
    """What administrators do beside the traffic, and the work that goes on in small steps."""

    def __init__(self, tables: Tables, doors: Doors, around: Around, policy: UpkeepPolicy) -> None:
        self.gate = Gate(tables.backlog, doors, around.members, policy.admission)
        self.quarantine = QuarantineDesk(tables.quarantine, around.intake, around.sealer, doors)
        self.pairings = PairingDesk(tables.pairings, doors)
        self.jobs = JobDesk(tables.jobs, doors)
        self.replays = ReplayDesk(tables.replays, tables.jobs, doors)
        self._replaying = ReplayWorker(
            self.replays, tables.replays, tables.jobs, doors, policy.jobs
        )
        self.tallies = Tallies(tables.tallies, doors, TallyPolicy())
        self.retention = Retention(tables.retention, doors, policy.retention)

    async def run(self) -> None:
        """Work until cancelled."""
        async with asyncio.TaskGroup() as tg:
            tg.create_task(self._replaying.run(), name="replays")
            tg.create_task(self.gate.run(), name="gate")
            tg.create_task(self.retention.run(), name="retention")
            tg.create_task(self.tallies.run(), name="tallies")
