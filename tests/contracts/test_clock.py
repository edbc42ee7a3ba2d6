"""What every clock promises."""

import asyncio
from typing import TYPE_CHECKING

import pytest

from tests.fakes.clock import FakeClock
from wunder.model.ids import At
from wunder.observe.clock import SharedClock, SystemClock

if TYPE_CHECKING:
    from wunder.ports import Clock


@pytest.fixture(params=[SystemClock, SharedClock, FakeClock])
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


# --- a clock that follows one that all nodes share ----------------------------------------------------


class Machine(SharedClock):
    """A machine whose own clocks the test moves."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds = 1000.0

    def monotonic(self) -> float:
        return self.seconds


def test_from_the_first_hearing_on_the_shared_time_is_the_time():
    machine = Machine()
    machine.heard(At(1_800_000_000_000), machine.seconds)
    assert abs(machine.now() - 1_800_000_000_000) <= 1
    machine.seconds += 60
    assert abs(machine.now() - 1_800_000_060_000) <= 1


def test_an_answer_that_was_long_on_its_way_moves_no_clock_that_agrees_with_it():
    machine = Machine()
    machine.heard(At(1_800_000_000_000), machine.seconds)
    asked = machine.seconds
    machine.seconds += 10  # the answer was given after 2 of these seconds
    before = machine.now()
    machine.heard(At(1_800_000_002_000), asked)
    assert machine.now() == before


def test_a_shared_clock_that_was_set_is_followed():
    machine = Machine()
    machine.heard(At(1_800_000_000_000), machine.seconds)
    machine.seconds += 1
    machine.heard(At(1_800_003_601_000), machine.seconds)
    assert abs(machine.now() - 1_800_003_601_000) <= 1
