"""What every EventLog promises: written behind the traffic, bounded, filtered, newest first."""

import msgspec

from tests.contracts.store_world import UID, World
from wunder.model.ids import AccountId, AccountUid
from wunder.model.trail import Event


def event(world: World, name: str, **given) -> Event:
    return Event(name=name, at=world.now, **given)


async def names(world: World, plugin_id: str = "", uid: str = "", limit: int = 99) -> list[str]:
    page = await world.store.events.events(plugin_id, uid, limit, "")
    return [e.name for e in page.items]


async def test_an_event_is_committed_with_the_next_work(world: World) -> None:
    told = event(
        world,
        "plugin_crashed",
        level="error",
        plugin_id="ch",
        version="1",
        account_uid=UID,
        account_id=AccountId("main"),
        fields={"signal": 9},
    )
    world.store.events.record(told)
    await world.take(world.new())
    (stored,) = (await world.store.events.events("", "", 9, "")).items
    assert stored.event_id > 0
    assert msgspec.structs.replace(stored, event_id=0) == told


async def test_without_other_work_housekeeping_commits_it(world: World) -> None:
    world.store.events.record(event(world, "a"))
    await world.store.sweep()
    assert await names(world) == ["a"]


async def test_nothing_recorded_is_lost_at_close(world: World) -> None:
    for n in range(200):
        world.store.events.record(event(world, f"e{n}"))
    await world.die_and_return()
    assert len(await names(world, limit=999)) == 200


async def test_events_are_filtered_and_paged_newest_first(world: World) -> None:
    for n in range(3):
        world.store.events.record(event(world, f"p{n}", plugin_id="ch"))
        world.store.events.record(event(world, f"a{n}", account_uid=AccountUid("x")))
    await world.store.sweep()
    assert await names(world, "ch") == ["p2", "p1", "p0"]
    assert await names(world, "", "x") == ["a2", "a1", "a0"]
    assert await names(world, "ch", "x") == []
    page = await world.store.events.events("", "", 4, "")
    rest = await world.store.events.events("", "", 4, page.next_cursor)
    assert [e.name for e in (*page.items, *rest.items)] == ["a2", "p2", "a1", "p1", "a0", "p0"]
    assert rest.next_cursor == ""


async def test_when_too_many_wait_the_oldest_go_and_are_counted(world: World) -> None:
    world.policy = msgspec.structs.replace(world.policy, events_queued=10)
    await world.die_and_return()
    for n in range(25):
        world.store.events.record(event(world, f"e{n}"))
    await world.store.sweep()
    assert await names(world) == [f"e{n}" for n in range(24, 14, -1)]
    assert world.store.health.figures()["events_dropped"] == 15


async def test_the_table_is_bounded(world: World) -> None:
    world.policy = msgspec.structs.replace(world.policy, events_kept=50)
    await world.die_and_return()
    for n in range(180):
        world.store.events.record(event(world, f"e{n}"))
    await world.store.sweep()
    await world.store.sweep()
    assert await names(world, limit=999) == [f"e{n}" for n in range(179, 129, -1)]


async def test_an_event_of_a_failed_batch_is_written_with_the_next(world: World) -> None:
    world.store.events.record(event(world, "kept"))
    bad = world.new(meta={"x": object()})
    await world.take(bad)
    assert await names(world) == ["kept"]


async def test_an_event_that_is_no_json_fails_nobody(world: World) -> None:
    world.store.events.record(event(world, "odd", fields={"x": object()}))
    await world.take(world.new())
    (stored,) = (await world.store.events.events("", "", 9, "")).items
    assert stored.fields == {"not_json": ["x"]}
