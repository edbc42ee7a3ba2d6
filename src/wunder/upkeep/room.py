"""The whole room, put together: what the composition root asks for, and what the API speaks to."""

import asyncio
from typing import Protocol

import msgspec

from wunder.upkeep.doors import Doors
from wunder.upkeep.jobs import JobDesk, JobTable
from wunder.upkeep.pairing import PairingDesk, PairingTable
from wunder.upkeep.replay import JobPolicy, ReplayDesk, ReplayTable, ReplayWorker


class Tables(Protocol):
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


class UpkeepPolicy(msgspec.Struct, frozen=True):
    """The settings of every part."""

    jobs: JobPolicy = JobPolicy()


class Upkeep:
    """What administrators do beside the traffic, and the work that goes on in small steps."""

    def __init__(self, tables: Tables, doors: Doors, policy: UpkeepPolicy) -> None:
        self.pairings = PairingDesk(tables.pairings, doors)
        self.jobs = JobDesk(tables.jobs, doors)
        self.replays = ReplayDesk(tables.replays, tables.jobs, doors)
        self._replaying = ReplayWorker(
            self.replays, tables.replays, tables.jobs, doors, policy.jobs
        )

    async def run(self) -> None:
        """Work until cancelled."""
        async with asyncio.TaskGroup() as tg:
            tg.create_task(self._replaying.run(), name="replays")
