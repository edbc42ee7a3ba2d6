"""What every AgentTable promises: exactly one default, and nobody bound to nothing."""

import msgspec
import pytest

from tests.contracts.store_world import World
from wunder.errors import Conflict, NotFound
from wunder.model.binding import AgentRow, Binding
from wunder.model.ids import AgentId, At, BindingId


def agent(agent_id: str, **given) -> AgentRow:
    return AgentRow(
        agent_id=AgentId(agent_id),
        kind=given.get("kind", "openai"),
        config={"model": "m", "n": [1]},
        secrets=b"sealed",
        secret_rev=1,
        is_default=given.get("is_default", False),
        is_visible_to_users=True,
        created_at=At(given.get("created_at", 5)),
        updated_at=At(6),
    )


async def defaults(world: World) -> list[str]:
    return [row.agent_id for row in await world.store.agents.all() if row.is_default]


async def test_an_agent_comes_back_as_it_was_stored(world: World) -> None:
    row = agent("a", is_default=True)
    assert await world.store.agents.put(row, None) == row
    assert await world.store.agents.all() == [row]


async def test_the_first_agent_is_the_default_whatever_it_says(world: World) -> None:
    assert (await world.store.agents.put(agent("a"), None)).is_default
    assert not (await world.store.agents.put(agent("b"), None)).is_default
    assert await defaults(world) == ["a"]


async def test_making_one_the_default_ends_the_other(world: World) -> None:
    await world.store.agents.put(agent("a"), None)
    await world.store.agents.put(agent("b", is_default=True), None)
    assert await defaults(world) == ["b"]


async def test_the_default_cannot_step_down_without_a_successor(world: World) -> None:
    await world.store.agents.put(agent("a"), None)
    with pytest.raises(Conflict) as refused:
        await world.store.agents.put(agent("a"), None)
    assert refused.value.reason == "default_needed"


async def test_a_change_over_somebody_elses_is_refused(world: World) -> None:
    row = await world.store.agents.put(agent("a", is_default=True), 0)
    await world.store.agents.put(msgspec.structs.replace(row, config={}), 1)
    with pytest.raises(Conflict) as refused:
        await world.store.agents.put(row, 1)
    assert (refused.value.reason, refused.value.state) == ("rev", {"rev": 2})
    with pytest.raises(NotFound):
        await world.store.agents.put(agent("nobody"), 4)


async def test_an_agent_that_bindings_name_is_not_removed(world: World) -> None:
    await world.store.agents.put(agent("a"), None)
    await world.store.agents.put(agent("b"), None)
    binding = Binding(BindingId("b1"), "*", "*", "*", "*", AgentId("b"))
    await world.store.bindings.put(binding, None)
    with pytest.raises(Conflict) as refused:
        await world.store.agents.remove(AgentId("b"))
    assert (refused.value.reason, refused.value.state) == ("agent_bound", {"bindings": ["b1"]})
    await world.store.bindings.remove("b1")
    await world.store.agents.remove(AgentId("b"))
    assert [row.agent_id for row in await world.store.agents.all()] == ["a"]


async def test_the_default_is_not_removed(world: World) -> None:
    await world.store.agents.put(agent("a"), None)
    with pytest.raises(Conflict) as refused:
        await world.store.agents.remove(AgentId("a"))
    assert refused.value.reason == "default_needed"
    with pytest.raises(NotFound):
        await world.store.agents.remove(AgentId("nobody"))
