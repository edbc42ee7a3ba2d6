"""Tallies: how much goes through each account and each binding, counted behind the traffic.

What is new is counted every few seconds, whoever stored it, and kept by the hour: a message costs nothing
more on its way, and nobody counts rows to see a list (ADR 0089).
"""

from collections.abc import Mapping
from typing import Protocol

import msgspec

from wunder.errors import WunderError
from wunder.model.ids import At
from wunder.observe.logs import get_logger
from wunder.upkeep.doors import Doors

log = get_logger(__name__)
HOUR_MS = 3_600_000
#: What a list shows: this hour and those before it.
HOURS = 24


class TallyPolicy(msgspec.Struct, frozen=True):
    """Choices: a list that is 5 s old is live to a person; 2,000 rows are read in a few milliseconds."""

    every_s: float = 5.0
    rows: int = 2_000
    rest_s: float = 0.1  # between two pieces, where there is more than one


class Tally(msgspec.Struct, frozen=True):
    """What one account or binding had in the last hours, and when it last had anything.

    Of a binding `received` counts turns that it answered. `failed`: deliveries that did not arrive, or
    that nobody knows of, among the latest thousands.
    """

    subject: str
    received: int
    sent: int
    failed: int
    last_at: At


class TallyTable(Protocol):
    """`tallies`. May raise StoreUnavailable."""

    async def count_on(self, now: At, limit: int) -> int:
        """Count the next messages that nobody counted yet; how many there were."""

    async def forget(self, before_hour: int) -> None:
        """Remove hours that nobody asks for any more; what was counted in all stays."""

    async def tallies(self, since_hour: int) -> Mapping[str, Tally]:
        """Every account and binding that ever had a message."""


class Tallies:
    """Counts what is new, on every node; each message is counted once."""

    def __init__(self, table: TallyTable, doors: Doors, policy: TallyPolicy) -> None:
        self._table = table
        self._clock = doors.clock
        self._policy = policy
        self._forgotten = 0

    async def run(self) -> None:
        """Count until cancelled."""
        while True:
            await self._clock.sleep(self._policy.every_s)
            try:
                await self.round()
            except WunderError as error:
                log.warning("tallies_postponed", reason=error.code)

    async def round(self) -> int:
        """Count everything that is there; how much it was."""
        total = 0
        while counted := await self._table.count_on(self._clock.now(), self._policy.rows):
            total += counted
            if counted < self._policy.rows:
                break
            await self._clock.sleep(self._policy.rest_s)
        oldest = self._since()
        if total and oldest > self._forgotten:
            await self._table.forget(oldest)
            self._forgotten = oldest
        return total

    async def list(self) -> tuple[At, list[Tally]]:
        """Since when it was counted, and what."""
        since = self._since()
        found = await self._table.tallies(since)
        return At(since * HOUR_MS), list(found.values())

    def _since(self) -> int:
        return int(self._clock.now()) // HOUR_MS - HOURS + 1
