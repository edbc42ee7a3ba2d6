"""What tests of many nodes share: two of them on one database."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.contracts.store_world import World, database_of, give_back, open_postgres
from tests.fakes.clock import FakeClock


@pytest.fixture
async def nodes(tmp_path: Path) -> AsyncIterator[tuple[World, World]]:
    """Two nodes on one database, by one clock."""
    clock = FakeClock()
    first = await World(open_postgres, tmp_path / "one", clock).open()
    database_of(tmp_path / "two", of=first.dir)
    second = await World(open_postgres, tmp_path / "two", clock).open()
    yield first, second
    await second.store.close()
    await first.store.close()
    give_back(first.dir)
