"""What every AccountTable promises: labels, revisions, and what a deletion takes with it."""

import msgspec
import pytest

from tests.contracts.store_world import UID, World
from wunder.errors import Conflict, FenceLost, NotFound
from wunder.model.account import AccountConfig, AccountRow, DeliverySettings
from wunder.model.binding import Binding
from wunder.model.delivery import DeliveryState
from wunder.model.ids import AccountId, AccountUid, AgentId, BindingId, PluginId


def changed(row: AccountRow, **changes) -> AccountRow:
    return msgspec.structs.replace(row, **changes)


async def test_an_account_comes_back_as_it_was_stored(world: World) -> None:
    config = AccountConfig(
        {"app_id": "1", "nested": {"a": [1, 2]}}, delivery=DeliverySettings(ttl_s=5)
    )
    row = world.account(config=config, external_id="bot-1")
    await world.store.accounts.add(row)
    assert await world.store.accounts.all() == [row]


async def test_a_label_is_unique_on_its_channel(world: World) -> None:
    await world.store.accounts.add(world.account())
    with pytest.raises(Conflict) as refused:
        await world.store.accounts.add(world.account("acc-2"))
    assert refused.value.reason == "account_exists"
    await world.store.accounts.add(changed(world.account("acc-3"), channel="other"))


async def test_the_same_external_identity_is_not_enabled_twice(world: World) -> None:
    await world.store.accounts.add(world.account(external_id="bot"))
    second = world.account("acc-2", "second", external_id="bot")
    with pytest.raises(Conflict) as refused:
        await world.store.accounts.add(second)
    assert refused.value.reason == "external_id_in_use"
    await world.store.accounts.add(changed(second, status="disabled"))
    with pytest.raises(Conflict):
        await world.store.accounts.update(second, 1)


async def test_a_change_raises_the_revision(world: World) -> None:
    row = world.account()
    await world.store.accounts.add(row)
    stored = await world.store.accounts.update(changed(row, display_name="New"), 1)
    assert (stored.rev, stored.display_name) == (2, "New")
    assert await world.store.accounts.all() == [stored]


async def test_a_change_over_somebody_elses_is_refused_with_the_state(world: World) -> None:
    row = world.account()
    await world.store.accounts.add(row)
    await world.store.accounts.update(row, 1)
    with pytest.raises(Conflict) as refused:
        await world.store.accounts.update(changed(row, display_name="late"), 1)
    assert (refused.value.reason, refused.value.state["rev"]) == ("rev", 2)
    assert (await world.store.accounts.update(row, None)).rev == 3


async def test_renaming_onto_another_account_is_refused(world: World) -> None:
    await world.store.accounts.add(world.account())
    second = world.account("acc-2", "second")
    await world.store.accounts.add(second)
    with pytest.raises(Conflict):
        await world.store.accounts.update(changed(second, account_id=AccountId("main")), None)


async def test_what_is_not_there_is_neither_changed_nor_removed(world: World) -> None:
    with pytest.raises(NotFound):
        await world.store.accounts.update(world.account("nobody"), None)
    with pytest.raises(NotFound):
        await world.store.accounts.remove(AccountUid("nobody"), world.now)


async def test_a_deleted_account_is_gone_and_cannot_be_changed(world: World) -> None:
    row = world.account()
    await world.store.accounts.add(row)
    await world.store.accounts.remove(UID, world.now)
    assert await world.store.accounts.all() == []
    with pytest.raises(NotFound):
        await world.store.accounts.update(row, None)
    with pytest.raises(NotFound):
        await world.store.accounts.remove(UID, world.now)


async def test_deleting_cancels_every_delivery_in_the_same_transaction(world: World) -> None:
    await world.store.accounts.add(world.account())
    waiting, behind = await world.queue("1", "2")
    (sending,) = await world.queue("3", peer="p2")
    claimed = [d for d in await world.claim(9) if d.delivery_id == sending]
    await world.store.outbox.settle([])
    assert await world.store.accounts.remove(UID, world.now) == 3
    for delivery_id in (waiting, behind, sending):
        assert await world.state(delivery_id) is DeliveryState.CANCELLED
    assert await world.claim(9) == []
    assert not (await world.store.outbox.ready(world.now)).accounts
    await world.settle(claimed[0], provider_message_id="m")
    assert await world.state(sending) is DeliveryState.SENT, "evidence stays monotone"


async def test_deleting_ends_turns_and_their_late_results_are_lost(world: World) -> None:
    await world.store.accounts.add(world.account())
    running = await world.turn("1")
    waiting = world.new("2")
    await world.take(waiting)
    await world.store.accounts.remove(UID, world.now)
    with pytest.raises(FenceLost):
        await world.answer(running, "too late")
    for message_id in (running.message.message_id, waiting.message.message_id):
        assert await world.message_state(message_id) == ("failed", "account_deleted")
    assert await world.store.turns.claim(9, world.now) == []


async def test_deleting_takes_spool_state_and_bindings_along(world: World) -> None:
    await world.store.accounts.add(world.account())
    await world.store.intake.spool(world.spooled(UID))
    await world.store.history.state_put(PluginId("ch"), UID, "k", 1, None)
    own = Binding(BindingId("b1"), "ch", "main", "*", "*", AgentId("echo"))
    others = Binding(BindingId("b2"), "ch", "*", "*", "*", AgentId("echo"))
    await world.store.bindings.put(own, None)
    await world.store.bindings.put(others, None)
    await world.store.accounts.remove(UID, world.now)
    assert await world.store.intake.due_spooled(world.now, 9) == []
    assert await world.store.history.state_get(PluginId("ch"), UID, "k") == (None, 0)
    assert [b.binding_id for b in await world.store.bindings.all()] == ["b2"]


async def test_a_new_account_with_an_old_name_inherits_nothing(world: World) -> None:
    await world.store.accounts.add(world.account())
    turn = await world.turn("old", platform_id="pm")
    await world.answer(turn, "x", session_id="old-session")
    await world.store.accounts.remove(UID, world.now)
    await world.store.accounts.add(world.account("acc-2"))
    fresh = await world.turn("new", platform_id="pm", uid=AccountUid("acc-2"))
    assert fresh.session_id is None
    assert await world.claim(9, uid="acc-2") == []
