"""What every BacklogTable promises: who waits, counted up to a bound, and the kept counters at once."""

from tests.contracts.store_world import UID, World
from wunder.model.ids import AccountUid
from wunder.upkeep.admission import Waiting

OTHER = AccountUid("acc-2")


async def test_what_waits_is_counted_by_account(world: World) -> None:
    await world.take(*(world.new(peer=f"p{number}") for number in range(3)))
    await world.take(world.new(uid=OTHER))
    await world.turn("being answered", peer="busy")
    await world.queue("one", "two", peer="q")
    backlog = world.store.upkeep.backlog
    assert await backlog.waiting(100, 100) == Waiting({UID: 3, OTHER: 1}, {UID: 2})
    assert backlog.figure("channel_messages_received") == 4
    assert backlog.figure("channel_outbox_pending") == 2
    assert backlog.figure("nothing") == 0


async def test_a_count_stops_at_its_bound_and_none_is_none(world: World) -> None:
    await world.take(*(world.new(peer=f"p{number}") for number in range(9)))
    found = await world.store.upkeep.backlog.waiting(5, 0)
    assert (sum(found.messages.values()), found.deliveries) == (5, {})


async def test_the_delivery_that_waits_longest_says_since_when_it_is_due(world: World) -> None:
    backlog = world.store.upkeep.backlog
    assert await backlog.due_since() is None
    await world.take(world.new())  # a message that waits for its turn is none to be delivered
    assert await backlog.due_since() is None
    first = world.now
    await world.queue("one", "two", peer="q")
    world.clock.advance(60)
    await world.queue("three", peer="r")
    assert await backlog.due_since() == first
    assert len(await world.claim(1)) == 1
    # Under way is not due, and what stands behind it has to wait for it.
    assert await backlog.due_since() == world.now
