"""What every PluginHistory promises: counts that outlive the process, and host.state with its quotas."""

import asyncio

import pytest

from tests.contracts.store_world import World
from wunder.errors import Conflict, Invalid
from wunder.model.ids import At, PluginId
from wunder.model.plugin import PluginCounters

ID = PluginId("demo")


async def test_counts_survive_a_restart_of_the_gateway(world: World) -> None:
    first = PluginCounters(ID, "1.0.0", "ready", "ok", 3, 2, "signal 9", At(7))
    await world.store.history.put_counters(first)
    latest = PluginCounters(ID, "1.0.0", "broken", "", 4, 3, "exit 1", None)
    await world.store.history.put_counters(latest)
    await world.die_and_return()
    assert await world.store.history.counters() == [latest]


async def test_a_value_is_kept_with_its_revision(world: World) -> None:
    history = world.store.history
    assert await history.state_get(ID, "a", "k") == (None, 0)
    assert await history.state_put(ID, "a", "k", {"n": [1, "二"]}, 0) == 1
    assert await history.state_put(ID, "a", "k", None, 1) == 2
    assert await history.state_get(ID, "a", "k") == (None, 2)


async def test_values_of_plugins_and_accounts_are_apart(world: World) -> None:
    history = world.store.history
    await history.state_put(ID, "a", "k", 1, None)
    await history.state_put(ID, "", "k", 2, None)
    await history.state_put(PluginId("other"), "a", "k", 3, None)
    assert await history.state_get(ID, "a", "k") == (1, 1)


async def test_of_two_writers_with_the_same_revision_one_wins(world: World) -> None:
    history = world.store.history
    results = await asyncio.gather(
        *(history.state_put(ID, "a", "k", n, 0) for n in range(5)), return_exceptions=True
    )
    assert results.count(1) == 1
    assert [r.reason for r in results if isinstance(r, Conflict)] == ["rev"] * 4


async def test_a_deleted_value_begins_anew(world: World) -> None:
    history = world.store.history
    await history.state_put(ID, "a", "k", 1, None)
    await history.state_delete(ID, "a", "k")
    await history.state_delete(ID, "a", "k")
    assert await history.state_get(ID, "a", "k") == (None, 0)


async def test_a_value_has_at_most_64_kib(world: World) -> None:
    await world.store.history.state_put(ID, "a", "k", "x" * 65_534, None)
    with pytest.raises(Invalid):
        await world.store.history.state_put(ID, "a", "k", "x" * 65_535, None)


async def test_an_account_has_at_most_a_thousand_keys(world: World) -> None:
    history = world.store.history
    await asyncio.gather(*(history.state_put(ID, "a", f"k{n}", n, None) for n in range(1_000)))
    with pytest.raises(Invalid):
        await history.state_put(ID, "a", "one more", 1, None)
    assert await history.state_put(ID, "a", "k7", "changed", None) == 2
    await history.state_put(ID, "b", "k", 1, None)


async def test_an_account_has_at_most_one_mib(world: World) -> None:
    history = world.store.history
    for n in range(16):
        await history.state_put(ID, "a", f"k{n}", "x" * 65_000, None)
    with pytest.raises(Invalid):
        await history.state_put(ID, "a", "k16", "x" * 65_000, None)
