"""What every BindingTable promises."""

import msgspec
import pytest

from tests.contracts.store_world import World
from wunder.errors import Conflict, NotFound
from wunder.model.binding import Binding
from wunder.model.ids import AgentId, At, BindingId

BINDING = Binding(
    binding_id=BindingId("b1"),
    channel="ch",
    account_id="*",
    peer_kind="group",
    peer_id="*",
    agent_id=AgentId("echo"),
    priority=-3,
    is_enabled=False,
    events=True,
    owner_user_id="u1",
    created_at=At(5),
)


async def test_a_binding_comes_back_as_it_was_stored(world: World) -> None:
    assert await world.store.bindings.put(BINDING, None) == BINDING
    assert await world.store.bindings.all() == [BINDING]


async def test_a_change_raises_the_revision_and_keeps_the_birthday(world: World) -> None:
    await world.store.bindings.put(BINDING, 0)
    newer = msgspec.structs.replace(BINDING, priority=9, created_at=At(77))
    stored = await world.store.bindings.put(newer, 1)
    assert (stored.rev, stored.priority, stored.created_at) == (2, 9, At(5))
    assert await world.store.bindings.all() == [stored]


async def test_a_change_over_somebody_elses_is_refused(world: World) -> None:
    await world.store.bindings.put(BINDING, None)
    await world.store.bindings.put(BINDING, 1)
    with pytest.raises(Conflict) as refused:
        await world.store.bindings.put(BINDING, 1)
    assert (refused.value.reason, refused.value.state) == ("rev", {"rev": 2})


async def test_what_is_not_there_is_neither_changed_nor_removed(world: World) -> None:
    with pytest.raises(NotFound):
        await world.store.bindings.put(BINDING, 1)
    with pytest.raises(NotFound):
        await world.store.bindings.remove("b1")


async def test_a_removed_binding_is_gone(world: World) -> None:
    await world.store.bindings.put(BINDING, None)
    await world.store.bindings.remove("b1")
    assert await world.store.bindings.all() == []
