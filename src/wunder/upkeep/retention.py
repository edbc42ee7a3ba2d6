"""Retention: what is old goes, a few rows at a time, behind the traffic.

Nothing that is still under way goes, however old; keys against repeats have a life of their own.
"""

from collections.abc import Iterator
from enum import StrEnum
from typing import Protocol

import msgspec

from wunder.errors import WunderError
from wunder.model.ids import At
from wunder.observe.logs import get_logger
from wunder.upkeep.doors import Doors

log = get_logger(__name__)
_DAY_MS = 86_400_000
#: A step of the wall clock that is no correction, and how long nothing goes after it (choices).
_STEP_S, _REST_S = 3_600.0, 86_400.0


class Kept(StrEnum):
    """What grows, in the order in which it is looked at: what refers to others goes first."""

    DELIVERIES = "deliveries"  # with their attempts and their outbound message
    MESSAGES = "messages"  # inbound, with their trail
    ATTEMPTS = "attempts"  # of deliveries that stay
    TRAIL = "trail"  # of messages that stay
    SESSIONS = "sessions"
    EVENTS = "events"
    AUDIT = "audit"
    QUARANTINE = "quarantine"
    SPOOL = "spool"  # goes into the quarantine
    PAIRINGS = "pairings"  # codes that are over, and what concerns accounts that are gone
    JOBS = "jobs"


class RetentionPolicy(msgspec.Struct, frozen=True):
    """For how many days things are kept; 0 keeps them for ever. Days count from when something ended.

    `messages_days`: messages with their deliveries; `details_days`: attempts and trails of messages that
    stay; `spool_days`: requests that nobody could parse go into the quarantine. A step removes at most
    `rows` rows and the work takes at most the `duty`-th part of the time; it rests while more than
    `queue_up_to` units of work wait for the store. Attachments: `[attachments] kept_s`.
    """

    messages_days: float = 90.0
    details_days: float = 30.0
    sessions_days: float = 180.0
    events_days: float = 30.0
    audit_days: float = 730.0
    quarantine_days: float = 30.0
    spool_days: float = 7.0
    jobs_days: float = 30.0
    rows: int = 50
    duty: float = 0.1
    queue_up_to: int = 64
    every_s: float = 300.0

    def cutoffs(self, now: At) -> Iterator[tuple[Kept, At]]:
        """What ended before which time goes now."""
        days = {
            Kept.DELIVERIES: self.messages_days,
            Kept.MESSAGES: self.messages_days,
            Kept.ATTEMPTS: self.details_days,
            Kept.TRAIL: self.details_days,
            Kept.SESSIONS: self.sessions_days,
            Kept.EVENTS: self.events_days,
            Kept.AUDIT: self.audit_days,
            Kept.QUARANTINE: self.quarantine_days,
            Kept.SPOOL: self.spool_days,
            Kept.PAIRINGS: 1.0,  # a stranger is answered once an hour, whatever is kept
            Kept.JOBS: self.jobs_days,
        }
        for kept in Kept:
            if days[kept] > 0:
                yield kept, At(now - int(days[kept] * _DAY_MS))


class Pruned(msgspec.Struct, frozen=True):
    """What one step did: how many rows went, and where the next one begins; None: this was the end."""

    rows: int
    cursor: int | None


class RetentionTable(Protocol):
    """What retention asks of the store. May raise StoreUnavailable."""

    async def prune(self, kept: Kept, before: At, cursor: int, limit: int) -> Pruned:
        """Look at the next `limit` rows behind `cursor` (0: from the oldest) and remove what is old."""


class Retention:
    """Goes through everything that grows, again and again.

    It rests after a step of the wall clock: a wrong year must not take what the right one keeps.
    """

    def __init__(self, table: RetentionTable, doors: Doors, policy: RetentionPolicy) -> None:
        self._table = table
        self._doors = doors
        self._policy = policy
        self._offset_s = self._wall_ahead_s()
        self._rests_until_s = float("-inf")

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            await self._doors.clock.sleep(self._policy.every_s)
            try:
                await self.round()
            except WunderError as error:
                log.warning("retention_postponed", reason=error.code)

    async def round(self) -> int:
        """Go through everything once; how many rows went."""
        if self._is_clock_in_doubt():
            return 0
        gone: dict[str, int] = {}
        for kept, before in self._policy.cutoffs(self._doors.clock.now()):
            rows = await self._prune(kept, before)
            if rows:
                gone[kept.value] = rows
        if gone:
            log.info("old_rows_removed", **gone)
        return sum(gone.values())

    def _wall_ahead_s(self) -> float:
        return self._doors.clock.now() / 1000 - self._doors.clock.monotonic()

    def _is_clock_in_doubt(self) -> bool:
        """True for a day after the wall clock stepped by more than an hour."""
        ahead_s, now_s = self._wall_ahead_s(), self._doors.clock.monotonic()
        if abs(ahead_s - self._offset_s) > _STEP_S:
            log.warning("retention_rests", stepped_s=round(ahead_s - self._offset_s))
            self._rests_until_s = now_s + _REST_S
        self._offset_s = ahead_s
        return now_s < self._rests_until_s

    async def _prune(self, kept: Kept, before: At) -> int:
        clock, policy, total = self._doors.clock, self._policy, 0
        cursor: int | None = 0
        while cursor is not None:
            began_s = clock.monotonic()
            pruned = await self._table.prune(kept, before, cursor, policy.rows)
            total, cursor = total + pruned.rows, pruned.cursor
            if cursor is not None:
                took_s = clock.monotonic() - began_s
                await clock.sleep(took_s * (1 / policy.duty - 1))
                while self._doors.figures().get("queue", 0) > policy.queue_up_to:
                    await clock.sleep(1.0)
        return total
