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
