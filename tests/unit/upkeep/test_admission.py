"""The gate: how much may wait follows from how fast it is answered; the newest is turned away."""

from collections import Counter

import pytest

from tests.fakes.clock import FakeClock
from wunder.model.ids import AccountUid
from wunder.model.trail import Event
from wunder.upkeep.admission import AdmissionPolicy, Gate, Waiting
from wunder.upkeep.doors import Doors
from wunder.upkeep.fair_share import Drain, HeldBytes

A, B = AccountUid("a"), AccountUid("b")
POLICY = AdmissionPolicy(
    max_wait_s=10.0, messages_floor=100, messages_ceiling=10_000, deliveries=1_000, memory_bytes=1
)


class World:
    """A backlog that a test writes down."""

    def __init__(self, members: int = 2, policy: AdmissionPolicy = POLICY) -> None:
        self.clock = FakeClock()
        self.counts: Counter[str] = Counter()
        self.waiting_now = Waiting({}, {})
        self.asked: list[tuple[int, int]] = []
        self.events: list[Event] = []
        self.resident = 0
        doors = Doors(self, self.clock, lambda: None, dict)  # type: ignore[arg-type]
        self.gate = Gate(self, doors, lambda: members, policy, lambda: self.resident)

    def record(self, event: Event) -> None:
        self.events.append(event)

    def figure(self, name: str) -> int:
        return self.counts[name]

    async def waiting(self, messages_up_to: int, deliveries_up_to: int) -> Waiting:
        self.asked.append((messages_up_to, deliveries_up_to))
        return self.waiting_now

    async def backlog(self, **messages: int) -> None:
        self.counts["channel_messages_received"] = sum(messages.values())
        self.waiting_now = Waiting(messages, {})
        await self.gate.look()

    async def outbox(self, **deliveries: int) -> None:
        self.counts["channel_outbox_pending"] = sum(deliveries.values())
        self.waiting_now = Waiting({}, deliveries)
        await self.gate.look()

    def status(self, account: AccountUid) -> int:
        refused = self.gate.refusal(account)
        return 200 if refused is None else refused.http_status


async def test_while_little_waits_nobody_is_looked_at() -> None:
    world = World()
    await world.backlog(a=5)
    assert world.asked == []
    assert world.status(A) == world.status(B) == 200


async def test_a_flood_is_told_429_and_others_come_in() -> None:
    world = World()
    await world.backlog(a=80)
    assert world.status(A) == 429
    assert world.status(B) == 200


async def test_what_came_in_since_the_last_look_counts() -> None:
    world = World()
    await world.backlog(a=40, b=1)
    assert world.status(A) == 200
    world.gate.accepted(A, 30)
    world.counts["channel_messages_received"] = 71
    assert world.status(A) == 429
    assert world.status(B) == 200


async def test_room_grows_with_how_fast_messages_are_answered() -> None:
    world = World()
    await world.backlog(a=80)
    assert world.status(A) == 429
    for _ in range(60):
        world.clock.advance(1)
        world.counts["channel_messages_answered"] += 50
        await world.backlog(a=80)
    assert world.gate.figures()["messages_per_s"] == pytest.approx(50, rel=0.1)
    assert world.gate.messages.capacity == pytest.approx(500, rel=0.1), "10 s at 50 a second"
    assert world.status(A) == 200


async def test_room_never_grows_beyond_its_ceiling() -> None:
    world = World()
    for _ in range(10):
        world.clock.advance(1)
        world.counts["channel_messages_answered"] += 1_000_000
        await world.backlog(a=80)
    assert world.gate.messages.capacity == POLICY.messages_ceiling


async def test_when_to_come_again_follows_from_the_drain() -> None:
    world = World()
    for _ in range(100):
        world.clock.advance(1)
        world.counts["channel_messages_answered"] += 10
        await world.backlog(a=180)
    refused = world.gate.refusal(A)
    assert refused is not None
    # Of the room for 100 each account has 25 and 50 are shared: A comes in again at 49, at 10 a second.
    assert refused.retry_after_s == 14
    assert refused.reason == "overloaded_backlog"


async def test_without_a_measure_the_wait_is_a_plain_guess() -> None:
    world = World()
    await world.backlog(a=180)
    refused = world.gate.refusal(A)
    assert refused is not None and refused.retry_after_s == 30


async def test_a_full_outbox_turns_its_own_account_away() -> None:
    world = World()
    await world.outbox(a=900)
    assert world.status(A) == 429
    assert world.status(B) == 200


async def test_a_full_outbox_takes_no_message_sent_first_either() -> None:
    world = World()
    before = world.gate.is_outbox_quiet
    await world.outbox(a=700)
    assert (before, world.gate.is_outbox_quiet) == (True, False)
    refused = world.gate.send_refusal(A)
    assert refused is not None and refused.reason == "overloaded_outbox"
    for _ in range(249):
        assert world.gate.send_refusal(B) is None
        world.gate.queued(B)
    assert world.gate.send_refusal(B) is None, "its own share"


async def test_everything_is_turned_away_while_memory_is_short() -> None:
    world = World()
    world.resident = 2
    await world.gate.look()
    refused = world.gate.refusal(B)
    assert refused is not None
    assert (refused.http_status, refused.reason) == (503, "overloaded_memory")
    world.resident = 0
    await world.gate.look()
    assert world.status(B) == 200


async def test_it_is_said_once_when_it_starts_and_once_when_it_ends() -> None:
    world = World()
    await world.backlog(a=180)
    for _ in range(3):
        world.status(A)
        await world.backlog(a=180)
    await world.backlog(a=1)
    await world.backlog(a=1)
    assert [event.name for event in world.events] == ["intake_overloaded", "intake_recovered"]
    assert world.gate.figures()["turned_away"] == 3


async def test_what_retention_removed_is_not_taken_for_a_standstill() -> None:
    world = World()
    for _ in range(60):
        world.clock.advance(1)
        world.counts["channel_messages_answered"] += 20
        world.counts["channel_messages_answered"] -= 20
        world.counts["pruned_channel_messages_answered"] += 20
        await world.backlog(a=80)
    assert world.gate.figures()["messages_per_s"] == pytest.approx(20, rel=0.1)


def test_an_idle_system_is_not_taken_for_a_slow_one() -> None:
    drain = Drain()
    drain.look(0, 0, 10)
    drain.look(1, 100, 10)
    for second in range(2, 100):
        drain.look(second, 100 + second, 0)
    assert drain.per_s == 100


def test_bytes_in_memory_are_bounded_and_shared() -> None:
    held = HeldBytes(1_000)
    assert held.wait_s("a", 500, 0.0) == 0
    assert held.wait_s("a", 100, 0.0) > 0, "half of what was free is left to others"
    assert held.wait_s("b", 250, 0.0) == 0
    held.let_go("a", 500)
    assert held.wait_s("a", 100, 1.0) == 0
