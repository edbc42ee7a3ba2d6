"""How retention goes about: in the order of what refers to what, small steps, pauses, behind the traffic."""

import asyncio

from tests.fakes.clock import FakeClock
from wunder.model.ids import At
from wunder.upkeep.doors import Doors
from wunder.upkeep.retention import Kept, Pruned, Retention, RetentionPolicy

DAY_MS = 86_400_000


class World:
    """A table of which a test says how much is old, and how long a step takes."""

    def __init__(self, policy: RetentionPolicy, steps: int = 3, step_s: float = 0.01) -> None:
        self.clock = FakeClock()
        self.figures: dict[str, float] = {}
        self.asked: list[tuple[Kept, At, int, float]] = []
        self.left = dict.fromkeys(Kept, steps)
        self.step_s = step_s
        doors = Doors(None, self.clock, lambda: None, lambda: self.figures)  # type: ignore[arg-type]
        self.retention = Retention(self, doors, policy)

    async def prune(self, kept: Kept, before: At, cursor: int, limit: int) -> Pruned:
        self.asked.append((kept, before, limit, self.clock.monotonic()))
        self.clock.advance(self.step_s)
        self.left[kept] -= 1
        return Pruned(limit, cursor + 1 if self.left[kept] > 0 else None)


async def went(world: World, seconds: float = 10_000) -> int:
    """Run one round on the simulated clock."""

    async with asyncio.TaskGroup() as tg:
        task = tg.create_task(world.retention.round())
        await world.clock.run_for(seconds)
    return task.result()


async def test_what_refers_to_others_goes_first_and_each_has_its_age() -> None:
    world = World(RetentionPolicy(messages_days=10, details_days=5))
    assert await went(world) == 50 * 3 * len(Kept)
    order = list(dict.fromkeys(kept for kept, *_ in world.asked))
    assert order[:4] == [Kept.DELIVERIES, Kept.MESSAGES, Kept.ATTEMPTS, Kept.TRAIL]
    start = 1_700_000_000_000
    ages = {kept: (start - before) / DAY_MS for kept, before, *_ in world.asked}
    assert round(ages[Kept.MESSAGES]) == 10
    assert round(ages[Kept.TRAIL]) == 5


async def test_zero_days_keep_for_ever() -> None:
    world = World(RetentionPolicy(messages_days=0, details_days=0))
    await went(world)
    assert not {kept for kept, *_ in world.asked} & {Kept.DELIVERIES, Kept.MESSAGES, Kept.TRAIL}
    assert Kept.EVENTS in {kept for kept, *_ in world.asked}


async def test_the_work_takes_its_part_of_the_time_and_no_more() -> None:
    world = World(RetentionPolicy(duty=0.1), steps=100, step_s=0.02)
    await went(world)
    times = [at for kept, _, _, at in world.asked if kept is Kept.DELIVERIES]
    assert len(times) == 100
    assert times[-1] - times[0] >= 99 * 0.02 * 9


async def test_it_rests_while_the_store_is_busy() -> None:
    world = World(RetentionPolicy(queue_up_to=10))
    world.figures["queue"] = 11

    async with asyncio.TaskGroup() as tg:
        task = tg.create_task(world.retention.round())
        await world.clock.run_for(60)
        assert len(world.asked) == 1
        world.figures["queue"] = 3
        await world.clock.run_for(10_000)
        assert task.done()


async def test_it_rests_for_a_day_after_the_wall_clock_stepped() -> None:
    world = World(RetentionPolicy())
    world.clock.step_wall(365 * 86_400)
    assert await went(world) == 0
    world.clock.step_wall(-365 * 86_400)
    assert await went(world) == 0
    world.clock.advance(86_401)
    assert await went(world) > 0


async def test_a_small_correction_of_the_clock_is_no_reason_to_rest() -> None:
    world = World(RetentionPolicy())
    world.clock.step_wall(30)
    assert await went(world) > 0
