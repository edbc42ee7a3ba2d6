"""Looking for what waits costs nothing where the kept figures say that nothing does."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.contracts.store_world import ENGINES, World, give_back
from tests.fakes.clock import FakeClock


@pytest.fixture(params=sorted(ENGINES))
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    world = await World(ENGINES[request.param], tmp_path / "data", FakeClock()).open()
    yield world
    await world.store.close()
    give_back(world.dir)


async def test_nothing_waits_and_nobody_is_asked(world: World) -> None:
    await world.store.turns.claim(9, world.now)
    before = world.store.health.figures()["units"]
    assert await world.store.turns.claim(9, world.now) == []
    assert world.store.health.figures()["units"] == before


async def test_what_waits_is_found_at_once(world: World) -> None:
    await world.store.turns.claim(9, world.now)
    await world.take(world.new("1"))
    assert [t.message.content.text for t in await world.store.turns.claim(9, world.now)] == ["1"]


async def test_it_is_looked_now_and_then_whatever_the_figures_say(world: World) -> None:
    await world.store.turns.claim(9, world.now)
    before = world.store.health.figures()["units"]
    world.clock.advance(2)
    await world.store.turns.claim(9, world.now)
    assert world.store.health.figures()["units"] == before + 1
