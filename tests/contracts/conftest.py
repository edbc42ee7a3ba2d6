"""The store under test, for each engine; nothing here concerns the contracts of other doors."""

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
