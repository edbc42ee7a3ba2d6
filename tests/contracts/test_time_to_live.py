"""A delivery's time to live is what it was given first, however often its end was moved."""

import pytest

from tests.contracts.store_world import DAY_MS, World
from wunder.model.delivery import DeliveryState, Settlement
from wunder.model.ids import At, DeliveryId, MessageId, derived_id, new_id
from wunder.upkeep.ledger import Correction

S = DeliveryState
HOUR_S = 3600


async def fail(world: World) -> None:
    await world.settle(await world.claim_one(), S.FAILED)


async def fail_later(world: World) -> DeliveryId:
    """A delivery that failed, and was replayed a day later in vain."""
    (delivery_id,) = await world.queue("x")
    await fail(world)
    world.clock.advance(24 * HOUR_S)
    await world.store.outbox_desk.replay([delivery_id], world.now, "ann")
    await fail(world)
    world.clock.advance(HOUR_S)
    return delivery_id


@pytest.mark.parametrize("is_forced", [False, True])
async def test_a_second_replay_has_as_much_time_as_the_first(world: World, is_forced: bool) -> None:
    delivery_id = await fail_later(world)
    desk = world.store.outbox_desk
    assert await desk.replay([delivery_id], world.now, "ann", is_forced=is_forced)
    assert (await world.delivery(delivery_id)).expires_at == world.now + DAY_MS


async def test_a_second_replay_of_what_arrived_has_as_much_time_as_the_first(world: World) -> None:
    (delivery_id,) = await world.queue("x")
    desk = world.store.outbox_desk
    for _ in range(3):
        await world.settle(await world.claim_one())
        world.clock.advance(24 * HOUR_S)
        assert await desk.replay([delivery_id], world.now, "ann", is_forced=True)
        assert (await world.delivery(delivery_id)).expires_at == world.now + DAY_MS


async def test_a_correction_of_what_was_replayed_has_as_much_time_as_the_first(
    world: World,
) -> None:
    delivery_id = await fail_later(world)
    correction = Correction(delivery_id, MessageId(new_id()), "right")
    successor = await world.store.outbox_desk.correct(correction, world.now, "ann")
    assert successor is not None
    assert (await world.delivery(successor)).expires_at == world.now + DAY_MS


async def test_a_replay_of_what_a_restore_held_has_as_much_time_as_the_first(world: World) -> None:
    (delivery_id,) = await world.queue("x")
    await world.settle(await world.claim_one(), S.HELD)
    world.clock.advance(72 * HOUR_S)
    desk = world.store.outbox_desk
    await desk.release_held(None, world.now, "ann")
    await fail(world)
    assert await desk.replay([delivery_id], world.now, "ann") == [delivery_id]
    assert (await world.delivery(delivery_id)).expires_at == world.now + DAY_MS


async def test_what_was_held_twice_does_not_count_its_first_wait_twice(world: World) -> None:
    (delivery_id,) = await world.queue("x")
    desk = world.store.outbox_desk
    for _ in range(2):
        await world.settle(await world.claim_one(), S.HELD)
        world.clock.advance(72 * HOUR_S)
        await desk.release_held(None, world.now, "ann")
        assert (await world.delivery(delivery_id)).expires_at == world.now + DAY_MS


async def test_a_replay_of_what_was_long_shown_has_as_much_time_as_the_first(world: World) -> None:
    turn = await world.turn("question")
    ends_at = At(world.now + DAY_MS)
    begun = await world.store.streams.begin(turn, world.grant(1), world.now, ends_at)
    done = Settlement(begun, S.SENT, world.now, "sent", provider_message_id="p1")
    await world.store.streams.settle(done)
    world.clock.advance(HOUR_S)
    await world.answer(turn, "whole")
    await fail(world)
    delivery_id = DeliveryId(derived_id(turn.turn_id, "delivery"))
    assert await world.store.outbox_desk.replay([delivery_id], world.now, "ann") == [delivery_id]
    assert (await world.delivery(delivery_id)).expires_at == world.now + DAY_MS
