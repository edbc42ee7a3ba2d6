"""Admission: when what waits is too much, the newest is turned away, fairly, and told when to come again.

What was accepted is never dropped. How much may wait follows from how fast it is answered: a message
accepted now should be answered within `max_wait_s`. Source: ADR 0079.
"""

from collections.abc import Callable, Mapping
from typing import Protocol

import msgspec

from wunder.errors import RequestRefused, WunderError
from wunder.model.ids import AccountUid, At
from wunder.model.trail import Event
from wunder.observe.logs import get_logger
from wunder.upkeep import memory
from wunder.upkeep.doors import Doors
from wunder.upkeep.fair_share import Drain, FairRoom

log = get_logger(__name__)
#: Below this part of the room nobody is looked at.
_QUIET = 0.25
#: A look takes at most this part of the time of its thread.
_DUTY = 0.05
_MEMORY_RETRY_S = 5
#: The kept counters of what waits.
_RECEIVED, _PENDING = "channel_messages_received", "channel_outbox_pending"


class AdmissionPolicy(msgspec.Struct, frozen=True):
    """How much may wait before the newest is turned away with 429 or 503.

    Messages: as many as are answered in `max_wait_s`, at least `messages_floor`, at most
    `messages_ceiling`. Deliveries that wait to be sent: `deliveries`. Half of it is divided among the
    accounts, the other half shared. `memory_bytes`: beyond it nothing is accepted; 0: four fifths of what
    the control group or the machine has.
    """

    max_wait_s: float = 300.0
    messages_floor: int = 2_000
    messages_ceiling: int = 50_000
    deliveries: int = 100_000
    memory_bytes: int = 0
    look_every_s: float = 1.0


class Waiting(msgspec.Struct, frozen=True):
    """How many messages, and how many deliveries, of each account wait."""

    messages: dict[str, int]
    deliveries: dict[str, int]


class BacklogTable(Protocol):
    """What waits, by account; never asked on a message's way."""

    def figure(self, name: str) -> int:
        """A kept counter, at once."""

    async def waiting(self, messages_up_to: int, deliveries_up_to: int) -> Waiting:
        """Count at most so many of each; 0 counts none."""

    async def due_since(self) -> At | None:
        """Since when the delivery that waits longest may be sent, or from when; None where none waits."""


class Gate:
    """Says who may come in. Asked for each webhook: a look at two numbers while little waits."""

    def __init__(
        self,
        table: BacklogTable,
        doors: Doors,
        members: Callable[[], int],
        policy: AdmissionPolicy,
        resident_bytes: Callable[[], int] = memory.resident_bytes,
    ) -> None:
        """Take what it looks at.

        Args:
            table: the counters and the counts.
            doors: clock and events.
            members: how many accounts there are.
            policy: how much may wait.
            resident_bytes: the memory of this process.
        """
        self._table = table
        self._doors = doors
        self._members = members
        self._policy = policy
        self._resident_bytes = resident_bytes
        self._memory_limit = policy.memory_bytes or memory.allowed_bytes()
        self._is_memory_short = False
        self.messages = FairRoom(policy.messages_floor, members())
        self.deliveries = FairRoom(policy.deliveries, members())
        self._answered, self._sent = Drain(), Drain()
        self._shed = 0
        self._shed_before = 0
        self._is_shedding = False

    def refusal(self, account_uid: AccountUid) -> RequestRefused | None:
        """Why a message of this account cannot be taken now; None: it can."""
        if self._is_memory_short:
            return self._refused(503, "memory", _MEMORY_RETRY_S)
        if self._is_quiet(_RECEIVED, self.messages):
            return self.send_refusal(account_uid)
        full = self._full("backlog", self.messages, self._answered, account_uid)
        return full or self.send_refusal(account_uid)

    def has_room(self, account_uid: AccountUid) -> bool:
        """Whether what was kept for later may come in now; nobody is turned away by asking."""
        rooms = {_RECEIVED: self.messages, _PENDING: self.deliveries}
        return not self._is_memory_short and all(
            self._is_quiet(figure, room) or room.admits(account_uid)
            for figure, room in rooms.items()
        )

    def send_refusal(self, account_uid: AccountUid) -> RequestRefused | None:
        """Why nothing more can be queued for this account's platform now; None: it can."""
        if self.is_outbox_quiet:
            return None
        return self._full("outbox", self.deliveries, self._sent, account_uid)

    @property
    def is_outbox_quiet(self) -> bool:
        """True while so little waits that nobody has to be asked for by name."""
        return self._is_quiet(_PENDING, self.deliveries)

    def accepted(self, account_uid: AccountUid, count: int) -> None:
        """Learn what came in since the last look."""
        self.messages.take(account_uid, count)

    def queued(self, account_uid: AccountUid) -> None:
        """Learn of a delivery that was queued since the last look."""
        self.deliveries.take(account_uid)

    async def run(self) -> None:
        """Look until cancelled; the longer a look takes the rarer it is."""
        clock = self._doors.clock
        while True:
            began_s = clock.monotonic()
            try:
                await self.look()
            except WunderError as error:
                log.warning("backlog_not_read", reason=error.code)
            took_s = clock.monotonic() - began_s
            await clock.sleep(max(self._policy.look_every_s, took_s / _DUTY))

    async def look(self) -> None:
        """Measure how fast things end, and, where much waits, whose it is."""
        policy, figure = self._policy, self._table.figure
        messages, deliveries = figure(_RECEIVED), figure(_PENDING)
        now_s = self._doors.clock.monotonic()
        self._answered.look(now_s, self._ended("channel_messages", "answered", "failed"), messages)
        self._sent.look(now_s, self._ended("channel_outbox", "sent", "failed"), deliveries)
        wanted = self._answered.per_s * policy.max_wait_s
        capacity = min(policy.messages_ceiling, max(policy.messages_floor, wanted))
        members = self._members()
        self.messages.resize(capacity, members)
        self.deliveries.resize(policy.deliveries, members)
        much = (
            policy.messages_ceiling if messages >= capacity * _QUIET / 2 else 0,
            policy.deliveries if deliveries >= policy.deliveries * _QUIET / 2 else 0,
        )
        waiting = await self._table.waiting(*much) if any(much) else Waiting({}, {})
        self.messages.replace(waiting.messages)
        self.deliveries.replace(waiting.deliveries)
        self._is_memory_short = 0 < self._memory_limit < self._resident_bytes()
        self._tell()

    async def due_since(self) -> At | None:
        """Since when the delivery that waits longest could have been sent; None where none is due."""
        since = await self._table.due_since()
        return since if since is not None and since <= self._doors.clock.now() else None

    def figures(self) -> Mapping[str, float]:
        """What the metrics show."""
        return {
            "messages_capacity": self.messages.capacity,
            "messages_per_s": round(self._answered.per_s, 3),
            "deliveries_per_s": round(self._sent.per_s, 3),
            "turned_away": float(self._shed),
        }

    def _is_quiet(self, figure: str, room: FairRoom) -> bool:
        return self._table.figure(figure) < room.capacity * _QUIET

    def _full(
        self, name: str, room: FairRoom, drain: Drain, account_uid: AccountUid
    ) -> RequestRefused | None:
        if room.admits(account_uid):
            return None
        wait_s = room.wait_s(account_uid, 1, drain.per_s)
        is_own = room.held(account_uid) > room.share
        return self._refused(429 if is_own else 503, name, wait_s)

    def _ended(self, table: str, *states: str) -> int:
        """How many ever came to these states, those that retention removed included."""
        names = (f"{prefix}{table}_{state}" for prefix in ("", "pruned_") for state in states)
        return sum(map(self._table.figure, names))

    def _refused(self, status: int, reason: str, wait_s: int) -> RequestRefused:
        self._shed += 1
        return RequestRefused(status, f"overloaded_{reason}", retry_after_s=wait_s)

    def _tell(self) -> None:
        """Say once when it starts and once when it ends."""
        is_shedding = self._shed > self._shed_before
        if is_shedding != self._is_shedding:
            name = "intake_overloaded" if is_shedding else "intake_recovered"
            waiting = self._table.figure(_RECEIVED)
            log.warning(name, waiting=waiting, turned_away=self._shed)
            level = "warning" if is_shedding else "info"
            fields = {"waiting": waiting, "turned_away": self._shed}
            self._doors.events.record(Event(name, self._doors.clock.now(), level, fields=fields))
        self._is_shedding, self._shed_before = is_shedding, self._shed
