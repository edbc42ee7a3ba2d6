"""What every TallyTable promises: each message is counted once, whoever counts, and hours end."""

import asyncio

from tests.contracts.store_world import UID, World
from tests.contracts.test_outbox_desk import finished
from wunder.model.delivery import DeliveryState
from wunder.model.ids import AccountUid, At, BindingId
from wunder.upkeep.doors import Doors
from wunder.upkeep.tally import HOUR_MS, HOURS, Tallies, Tally, TallyPolicy

OTHER = AccountUid("acc-2")
#: Longer than a transaction may live: where nodes write side by side, younger messages wait.
SETTLED_S = 10


async def count(world: World, limit: int = 100) -> int:
    world.clock.advance(SETTLED_S)
    total = 0
    while counted := await world.store.upkeep.tallies.count_on(world.now, limit):
        total += counted
    return total


async def shown(world: World) -> dict[str, tuple[int, int]]:
    since = world.now // HOUR_MS - HOURS + 1
    found = await world.store.upkeep.tallies.tallies(since)
    return {subject: (one.received, one.sent) for subject, one in found.items()}


async def test_messages_are_counted_by_account_and_direction(world: World) -> None:
    await world.take(*(world.new(peer=f"p{number}") for number in range(3)))
    await world.take(world.new(uid=OTHER))
    await world.queue("one", "two", peer="q", binding_id=BindingId("b"))
    assert await count(world) == 7
    # `queue` takes one in, to have something to answer.
    assert await shown(world) == {UID: (4, 2), OTHER: (1, 0), "b": (1, 2)}


async def test_each_message_is_counted_once_in_whatever_pieces(world: World) -> None:
    await world.take(*(world.new(peer=f"p{number}") for number in range(7)))
    assert await count(world, limit=2) == 7
    assert await count(world) == 0
    await world.take(world.new(peer="late"))
    assert await count(world, limit=1) == 1
    assert await shown(world) == {UID: (8, 0)}


async def test_two_that_count_at_once_count_each_message_once(world: World) -> None:
    await world.take(*(world.new(peer=f"p{number}") for number in range(20)))
    world.clock.advance(SETTLED_S)
    table = world.store.upkeep.tallies
    both = await asyncio.gather(*(table.count_on(world.now, 100) for _ in range(2)))
    assert sorted(both) == [0, 20]
    assert await shown(world) == {UID: (20, 0)}


async def test_the_last_24_hours_are_shown_and_the_last_message_stays_known(world: World) -> None:
    await world.take(world.new())
    said_at = world.now
    await count(world)
    world.clock.advance(HOURS * 3600)
    await world.take(world.new(uid=OTHER))
    await count(world)
    assert await shown(world) == {UID: (0, 0), OTHER: (1, 0)}
    table = world.store.upkeep.tallies
    await table.forget(world.now // HOUR_MS - HOURS + 1)
    assert await shown(world) == {UID: (0, 0), OTHER: (1, 0)}
    assert (await table.tallies(0))[UID] == Tally(UID, 1, 0, 0, said_at)


async def test_deliveries_that_did_not_arrive_stand_beside_what_was_sent(world: World) -> None:
    await finished(world, DeliveryState.SENT)
    await finished(world, DeliveryState.FAILED, peer="p2")
    await finished(world, DeliveryState.UNKNOWN, peer="p3")
    await count(world)
    since = world.now // HOUR_MS - HOURS + 1
    mine = (await world.store.upkeep.tallies.tallies(since))[UID]
    assert (mine.sent, mine.failed) == (3, 2)
    world.clock.advance((HOURS + 1) * 3600)
    later = await world.store.upkeep.tallies.tallies(since + HOURS + 1)
    assert later[UID].failed == 0


async def test_counting_goes_on_after_a_restart(world: World) -> None:
    await world.take(world.new())
    await count(world)
    await world.die_and_return()
    await world.take(world.new(peer="p2"))
    assert await count(world) == 1
    assert await shown(world) == {UID: (2, 0)}


async def test_the_worker_counts_what_is_there_and_lists_it(world: World) -> None:
    await world.take(*(world.new(peer=f"p{number}") for number in range(5)))
    world.clock.advance(SETTLED_S)
    doors = Doors(world.store.events, world.clock, lambda: None, dict)
    tallies = Tallies(world.store.upkeep.tallies, doors, TallyPolicy(rows=2, rest_s=0.0))
    assert await tallies.round() == 5
    since, items = await tallies.list()
    assert since == At((world.now // HOUR_MS - HOURS + 1) * HOUR_MS)
    assert [(one.subject, one.received) for one in items] == [(UID, 5)]
