"""What every store tells of its health."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.fakes.clock import FakeClock
from tests.fakes.store_health import FakeStoreHealth
from wunder.ports import StoreHealth
from wunder.store.sqlite.store import open_store


@pytest.fixture(params=["fake", "sqlite"])
async def health(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[StoreHealth]:
    if request.param == "fake":
        yield FakeStoreHealth()
        return
    store = await open_store(tmp_path / "data", FakeClock())
    yield store.health
    await store.close()


async def test_a_probe_of_a_sound_store_commits(health: StoreHealth) -> None:
    before = health.figures()["commits"]
    await health.probe()
    await health.probe()
    assert health.figures()["commits"] == before + 2


async def test_figures_are_numbers_by_name(health: StoreHealth) -> None:
    figures = health.figures()
    assert figures
    assert all(isinstance(value, float) for value in figures.values())


async def test_a_backup_is_written_where_it_was_asked_for(
    health: StoreHealth, tmp_path: Path
) -> None:
    target = tmp_path / "copy.db"
    await health.backup(str(target))
    assert target.stat().st_size > 0
