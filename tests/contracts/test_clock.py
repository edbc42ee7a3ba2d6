"""What every clock promises."""

import asyncio
from typing import TYPE_CHECKING

import pytest

from tests.fakes.clock import FakeClock
from wunder.observe.clock import SystemClock

if TYPE_CHECKING:
    from wunder.ports import Clock


@pytest.fixture(params=[SystemClock, FakeClock])
def clock(request):
    made: Clock = request.param()
    return made


def test_now_is_unix_milliseconds_of_this_century(clock):
    assert isinstance(clock.now(), int)
    assert 1_500_000_000_000 < clock.now() < 4_102_444_800_000


def test_monotonic_never_goes_back(clock):
    first = clock.monotonic()
    assert clock.monotonic() >= first


async def test_sleeping_for_no_time_lets_others_run(clock):
    seen = []
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        group.create_task(asyncio.sleep(0)).add_done_callback(lambda _: seen.append("other"))
        await clock.sleep(0)
        await clock.sleep(-1)
    assert seen == ["other"]


async def test_a_fake_sleeper_wakes_when_the_test_says():
    clock = FakeClock(now_ms=1_000)
    woken = []

    async def sleeper(seconds: float) -> None:
        await clock.sleep(seconds)
        woken.append(seconds)

    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        for seconds in (3.0, 1.0, 2.0):
            group.create_task(sleeper(seconds))
        await asyncio.sleep(0)
        assert clock.sleepers == 3
        clock.advance(1.5)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert woken == [1.0]
        await clock.run_for(10)
    assert woken == [1.0, 2.0, 3.0]
    assert clock.now() == 12_500


async def test_run_for_counts_sleeps_begun_on_the_way():
    clock = FakeClock()
    ticks = []

    async def ticker() -> None:
        for _ in range(5):
            await clock.sleep(1)
            ticks.append(clock.monotonic())

    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        group.create_task(ticker())
        await clock.run_for(5)
    assert ticks == [1, 2, 3, 4, 5]


def test_wall_time_can_step_alone():
    clock = FakeClock(now_ms=10_000)
    clock.step_wall(-5)
    assert clock.now() == 5_000
    assert clock.monotonic() == 0
