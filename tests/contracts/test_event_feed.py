"""What every EventFeed promises."""

from tests.contracts.store_world import World
from wunder.model.ids import At
from wunder.model.trail import Event


async def tell(world: World, *names: str) -> None:
    for name in names:
        world.store.events.record(Event(name, At(1), fields={"by": "ann"}))
    await world.store.events.flush()


async def test_an_empty_log_has_no_newest_event(world: World) -> None:
    assert await world.store.events.newest_id() == 0
    assert await world.store.events.oldest_id() == 0
    assert await world.store.events.after(0, 10) == []


async def test_events_are_read_forwards_from_where_one_was(world: World) -> None:
    await tell(world, "a_first", "b_second", "c_third")
    first, second, third = await world.store.events.after(0, 10)
    assert [first.name, second.name, third.name] == ["a_first", "b_second", "c_third"]
    assert first.event_id < second.event_id < third.event_id
    assert await world.store.events.after(first.event_id, 1) == [second]
    assert await world.store.events.after(third.event_id, 10) == []
    assert await world.store.events.newest_id() == third.event_id
    assert await world.store.events.oldest_id() == first.event_id


async def test_an_event_comes_back_as_told(world: World) -> None:
    told = Event("plugin_crashed", At(7), "error", "qq", "1.2.3", fields={"exit": "signal 9"})
    world.store.events.record(told)
    await world.store.events.flush()
    [came] = await world.store.events.after(0, 10)
    assert (came.name, came.level, came.plugin_id, came.version) == (
        "plugin_crashed",
        "error",
        "qq",
        "1.2.3",
    )
    assert came.fields == {"exit": "signal 9"}
