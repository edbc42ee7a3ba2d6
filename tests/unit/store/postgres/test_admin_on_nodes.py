"""Tables of administrators on many nodes: who comes at the same moment is told so, and nothing is lost."""

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any

import asyncpg
import msgspec
import pytest

from tests.contracts.store_world import World, database_of
from tests.contracts.test_agent_table import agent
from tests.contracts.test_binding_table import BINDING
from tests.contracts.test_plugin_table import ID, release
from tests.waiting import until
from wunder.errors import Conflict
from wunder.store.postgres.writer import Writer

_WAITS_FOR_A_LOCK = """
SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
"""
Work = Coroutine[Any, Any, Any]


async def overlapping(first: World, does: Work, meanwhile: Work) -> list[Any]:
    """Let `meanwhile` go as far as it can between the last statement of `does` and its COMMIT."""
    writer: Any = first.store._writer
    assert isinstance(writer, Writer)
    await first.store.health.probe()
    session: Any = writer._line.current
    plain, has_come, may_go = session.plain, threading.Event(), threading.Event()

    async def waiting(sql: str) -> None:
        if sql == "COMMIT":
            has_come.set()
            await until(may_go.is_set)
        await plain(sql)

    session.plain = waiting
    watch = await asyncpg.connect(database_of(first.dir))
    try:
        async with asyncio.timeout(30):
            one = asyncio.ensure_future(does)
            await until(has_come.is_set)
            other = asyncio.ensure_future(meanwhile)

            async def is_over() -> bool:
                return other.done() or bool(await watch.fetchval(_WAITS_FOR_A_LOCK))

            await until(is_over)
            may_go.set()
            return list(await asyncio.gather(one, other, return_exceptions=True))
    finally:
        may_go.set()
        session.plain = plain
        await watch.close()


async def test_one_package_that_comes_with_every_node_is_added_once(
    nodes: tuple[World, World],
) -> None:
    first, second = nodes
    added = [node.store.plugins.add_release(release(), "Demo") for node in nodes]
    assert await overlapping(first, *added) == [None, None]
    assert await second.store.plugins.releases(ID) == [release()]
    assert len(await second.store.plugins.plugins()) == 1


async def test_a_release_that_goes_takes_no_plugin_along_that_another_one_came_for(
    nodes: tuple[World, World],
) -> None:
    first, second = nodes
    await first.store.plugins.add_release(release(), "Demo")
    new = release("9.0.0", "f" * 64)
    gone = first.store.plugins.remove_release(ID, release().version)
    await overlapping(first, gone, second.store.plugins.add_release(new, "Demo"))
    assert await first.store.plugins.releases(ID) == [new]
    assert [row.plugin_id for row in await first.store.plugins.plugins()] == [ID]


async def test_there_is_one_default_agent_whoever_makes_one(nodes: tuple[World, World]) -> None:
    first, second = nodes
    for name in ("first", "next"):
        made = [
            node.store.agents.put(agent(f"{name} of {side}", is_default=True), 0)
            for side, node in enumerate(nodes)
        ]
        told = await overlapping(first, *made)
        assert [row.agent_id for row in told] == [f"{name} of 0", f"{name} of 1"]
        found = await second.store.agents.all()
        assert [row.agent_id for row in found if row.is_default] == [f"{name} of 1"]


@pytest.mark.parametrize("table", ["agents", "bindings"])
async def test_of_two_that_make_one_thing_the_second_is_told_that_it_is_there(
    nodes: tuple[World, World], table: str
) -> None:
    row: Any = agent("a") if table == "agents" else BINDING
    made = [getattr(node.store, table).put(row, 0) for node in nodes]
    told = await overlapping(nodes[0], *made)
    assert [type(one) for one in told] == [type(row), Conflict]


async def test_of_two_keys_one_is_the_stores(nodes: tuple[World, World]) -> None:
    first, second = nodes
    told = await overlapping(
        first, first.store.key_check.put(b"a"), second.store.key_check.put(b"b")
    )
    assert told[0] is None and isinstance(told[1], Conflict)
    assert await second.store.key_check.get() == b"a"


async def test_one_key_on_two_nodes_is_no_conflict(nodes: tuple[World, World]) -> None:
    put = [node.store.key_check.put(b"same") for node in nodes]
    assert await overlapping(nodes[0], *put) == [None, None]


async def test_an_agent_that_goes_leaves_no_rule_behind_that_comes_at_that_moment(
    nodes: tuple[World, World],
) -> None:
    first, second = nodes
    await first.store.agents.put(agent("other", is_default=True), 0)
    await first.store.agents.put(agent("gone"), 0)
    rule = msgspec.structs.replace(BINDING, agent_id=agent("gone").agent_id)
    bound, removed = await overlapping(
        first, first.store.bindings.put(rule, 0), second.store.agents.remove(rule.agent_id)
    )
    assert bound.binding_id == rule.binding_id
    assert isinstance(removed, Conflict) and removed.reason == "agent_bound"
