"""What every OutboxDesk promises: replay, selection, and letting go after a restore."""

import pytest

from tests.contracts.store_world import DAY_MS, World
from wunder.model.delivery import DeliveryState
from wunder.model.ids import At, DeliveryId
from wunder.model.trail import StepName
from wunder.upkeep.ledger import DeliveryFilter

S = DeliveryState


async def finished(
    world: World, state: DeliveryState, text: str = "x", peer: str = "p1"
) -> DeliveryId:
    (delivery_id,) = await world.queue(text, peer=peer)
    await world.settle(await world.claim_one(), state)
    return delivery_id


@pytest.mark.parametrize("state", [S.FAILED, S.UNKNOWN, S.EXPIRED])
async def test_a_replay_is_the_same_row_with_the_same_key_at_the_tail(
    world: World, state: DeliveryState
) -> None:
    delivery_id = await finished(world, state, "replayed")
    await world.queue("waiting")
    world.clock.advance(3600)
    assert await world.store.outbox_desk.replay([delivery_id], world.now, "ann") == [delivery_id]
    delivery = await world.delivery(delivery_id)
    assert (delivery.state, delivery.replays, delivery.retries_used) == (S.PENDING, 1, 0)
    assert delivery.expires_at == world.now + DAY_MS, "its time begins anew"
    order = []
    for _ in range(2):
        claimed = await world.claim_one()
        order.append((claimed.message.text, claimed.idempotency_key == claimed.delivery_id))
        await world.settle(claimed)
    assert order == [("waiting", True), ("replayed", True)]


@pytest.mark.parametrize("state", [S.SENT, S.CANCELLED])
async def test_what_arrived_or_was_cancelled_is_not_replayed(
    world: World, state: DeliveryState
) -> None:
    delivery_id = await finished(world, state)
    assert await world.store.outbox_desk.replay([delivery_id], world.now, "ann") == []


async def test_what_is_still_under_way_is_not_replayed(world: World) -> None:
    (delivery_id,) = await world.queue("x")
    assert await world.store.outbox_desk.replay([delivery_id], world.now, "ann") == []
    assert await world.store.outbox_desk.replay([DeliveryId("nobody")], world.now, "ann") == []


async def test_a_replay_remembers_that_the_first_try_may_have_arrived(world: World) -> None:
    delivery_id = await finished(world, S.UNKNOWN)
    await world.store.outbox_desk.replay([delivery_id], world.now, "ann")
    assert (await world.claim_one()).had_unknown


async def test_deliveries_of_a_deleted_account_are_not_replayed(world: World) -> None:
    account = world.account()
    await world.store.accounts.add(account)
    delivery_id = await finished(world, S.FAILED)
    await world.store.accounts.remove(account.account_uid, world.now)
    assert await world.store.outbox_desk.replay([delivery_id], world.now, "ann") == []


async def test_who_replayed_is_in_the_trail(world: World) -> None:
    delivery_id = await finished(world, S.FAILED)
    await world.store.outbox_desk.replay([delivery_id], world.now, "ann")
    root = (await world.delivery(delivery_id)).root_message_id
    assert root is not None
    step = (await world.store.ledger.trail(root))[-1]
    assert (step.step, step.detail["by"]) == (StepName.REPLAYED, "ann")


async def test_selection_is_by_state_place_and_time_oldest_first(world: World) -> None:
    desk = world.store.outbox_desk
    first = await finished(world, S.FAILED)
    world.clock.advance(60)
    second = await finished(world, S.UNKNOWN, peer="p2")
    await finished(world, S.SENT, peer="p3")
    both = DeliveryFilter(states=(S.FAILED, S.UNKNOWN))
    assert await desk.select(both, 9) == [first, second]
    assert await desk.select(both, 1) == [first]
    assert await desk.select(DeliveryFilter(states=(S.FAILED,)), 9) == [first]
    assert await desk.select(DeliveryFilter(peer_id="p2"), 9) == [second]
    assert await desk.select(DeliveryFilter(channel="none"), 9) == []
    assert await desk.select(DeliveryFilter(states=both.states, since=At(world.now)), 9) == [second]
    assert await desk.select(DeliveryFilter(states=both.states, until=At(world.now)), 9) == [first]


async def test_held_deliveries_go_in_order_once_a_person_lets_them(world: World) -> None:
    await world.queue("1", "2")
    await world.settle(await world.claim_one(), S.HELD)
    await world.queue("other", peer="p2")
    await world.settle(await world.claim_one(), S.HELD)
    assert await world.claim(9) == []
    assert await world.store.outbox_desk.release_held("nothing", world.now, "ann") == 0
    assert await world.store.outbox_desk.release_held("ch", world.now, "ann") == 2
    assert sorted(await world.sends_in_order()) == ["1", "2", "other"]


async def test_held_deliveries_do_not_expire_by_having_been_held(world: World) -> None:
    (delivery_id,) = await world.queue("x")
    await world.settle(await world.claim_one(), S.HELD)
    world.clock.advance(3 * 86_400)
    await world.store.sweep()
    await world.store.outbox_desk.release_held(None, world.now, "ann")
    assert (await world.delivery(delivery_id)).expires_at == world.now + DAY_MS
    assert await world.sends_in_order() == ["x"]
