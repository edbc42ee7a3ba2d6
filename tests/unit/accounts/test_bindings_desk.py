"""Bindings as operators and users write them, over a real store."""

import pytest

from wunder.accounts.agents import AgentDraft
from wunder.accounts.bindings import BindingDraft, RouteQuestion
from wunder.accounts.drafts import AccountDraft
from wunder.errors import Conflict, Invalid, NotFound


@pytest.fixture
async def bound(world):
    """Two accounts, one of them Bob's, and two agents, one of them for users."""
    await world.agents.put(AgentDraft(agent_id="echo", kind="echo"), None, "ann")
    shown = AgentDraft(agent_id="shown", kind="echo", is_visible_to_users=True)
    await world.agents.put(shown, None, "ann")
    for label, owner in (("main", ""), ("bobs", "bob")):
        config = {"app_id": f"app-{label}", "app_secret": "secret"}
        await world.accounts.create(
            AccountDraft(
                channel="chat", account_id=label, provider_config=config, owner_user_id=owner
            ),
            "ann",
        )
    return world


async def put(world, rev=None, binding_id=None, **fields):
    usual = {"channel": "chat", "account_id": "main", "agent_id": "echo"}
    draft = BindingDraft(**{**usual, **fields})
    return await world.bindings.put(draft, rev, "ann", binding_id)


async def faults(writing) -> dict[str, str]:
    with pytest.raises(Invalid) as refused:
        await writing
    return {fault.pointer: fault.code for fault in refused.value.faults}


async def test_a_binding_is_stored_and_current_in_the_book(bound):
    binding = await put(bound)
    assert bound.binding_book.of("chat", "main") == (binding,)
    assert await bound.bindings.list() == [binding]
    changed = await put(bound, binding.rev, binding.binding_id, peer_kind="group")
    assert changed.rev == binding.rev + 1
    assert changed.created_at == binding.created_at
    await bound.bindings.remove(binding.binding_id, "ann")
    assert bound.binding_book.of("chat", "main") == ()
    assert bound.events.names()[-3:] == ["binding_created", "binding_changed", "binding_removed"]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"agent_id": "nobody"}, {"/agent_id": "unknown"}),
        ({"account_id": "nobody"}, {"/account_id": "unknown"}),
        ({"channel": "*"}, {"/channel": "needed"}),
        ({"peer_kind": "robot"}, {"/peer_kind": "enum"}),
        ({"peer_id": ""}, {"/peer_id": "length"}),
        ({"peer_id": "x" * 257}, {"/peer_id": "length"}),
        ({"priority": 10**7}, {"/priority": "range"}),
    ],
)
async def test_a_field_that_names_nothing_is_a_fault(bound, fields, expected):
    assert await faults(put(bound, **fields)) == expected


async def test_an_administrators_binding_may_match_everything(bound):
    assert (await put(bound, channel="*", account_id="*")).channel == "*"
    assert (await put(bound, account_id="*")).account_id == "*"


@pytest.mark.parametrize(
    "fields", [{"account_id": "main"}, {"account_id": "*"}, {"channel": "*", "account_id": "*"}]
)
async def test_a_users_binding_names_exactly_one_account_they_own(bound, fields):
    usual = {"owner_user_id": "bob", "agent_id": "shown"}
    assert (await put(bound, account_id="bobs", **usual)).owner_user_id == "bob"
    assert "/account_id" in await faults(put(bound, **usual, **fields))


async def test_a_users_binding_names_an_agent_meant_for_users(bound):
    found = await faults(put(bound, account_id="bobs", owner_user_id="bob", agent_id="echo"))
    assert found == {"/agent_id": "unknown"}


async def test_the_desk_tells_which_binding_would_serve(bound):
    everybody = await put(bound, channel="*", account_id="*")
    special = await put(bound, peer_kind="group", peer_id="g1", agent_id="shown")
    ask = {"channel": "chat", "account_id": "main", "peer_kind": "group"}
    assert await bound.bindings.test(RouteQuestion(peer_id="g1", **ask)) == special
    assert await bound.bindings.test(RouteQuestion(peer_id="g2", **ask)) == everybody
    await bound.bindings.remove(everybody.binding_id, "ann")
    assert await bound.bindings.test(RouteQuestion(peer_id="g2", **ask)) is None


async def test_an_old_revision_and_an_unknown_id_are_refused(bound):
    binding = await put(bound)
    with pytest.raises(Conflict):
        await put(bound, binding.rev + 5, binding.binding_id)
    with pytest.raises(NotFound):
        await put(bound, None, "unknown")
    with pytest.raises(NotFound):
        await bound.bindings.remove("unknown", "ann")
