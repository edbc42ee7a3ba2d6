"""What every store promises when somebody sets the wall clock (delivery semantics, Time)."""

from typing import Any

import msgspec
import pytest

from tests.contracts.store_world import CHANNEL, UID, World
from wunder.errors import StoreUnavailable
from wunder.model.delivery import DeliveryState
from wunder.model.ids import AccountId, At
from wunder.model.intake import SpooledRequest, SpoolVerdict
from wunder.model.message import Attachment, Content

HOUR_S = 3600


async def test_after_a_step_back_a_retry_waits_no_longer_than_the_longest_backoff(
    world: World,
) -> None:
    delivery_id, behind = await world.queue("hello", "behind")
    await world.settle(await world.claim_one(), DeliveryState.PENDING, retry_s=2)
    world.clock.step_wall(-HOUR_S)
    assert await world.claim() == [], "room 3 looks at the clock before the house is kept"
    await world.store.sweep()
    # Whatever moves in the lane has its head looked at anew.
    assert await world.store.outbox_desk.cancel([behind], world.now, "ann") == [behind]
    world.clock.advance(world.policy.max_backoff_s)
    assert (await world.claim_one()).delivery_id == delivery_id


async def test_after_a_step_back_waiting_messages_are_answered_at_once(world: World) -> None:
    await world.take(world.new("hello"))
    world.clock.step_wall(-HOUR_S)
    await world.store.sweep()
    assert len(await world.store.turns.claim(9, world.now)) == 1


async def test_after_a_step_back_a_spooled_request_waits_no_longer_than_the_longest_backoff(
    world: World,
) -> None:
    waits_until = At(world.now + 2000)
    request = SpooledRequest("s1", UID, CHANNEL, AccountId("main"), b"x", world.now)
    await world.store.intake.spool(request)
    (due,) = await world.store.intake.due_spooled(world.now, 9)
    await world.store.intake.settle_spooled(due, SpoolVerdict.LATER, waits_until, "not_ready")
    world.clock.step_wall(-HOUR_S)
    await world.store.sweep()
    world.clock.advance(world.policy.max_backoff_s)
    assert len(await world.store.intake.due_spooled(world.now, 9)) == 1


async def test_after_a_step_back_an_attachment_waits_no_longer_than_the_longest_backoff(
    world: World,
) -> None:
    picture = Content(text="x", attachments=(Attachment(kind="image", media_id="m1"),))
    await world.take(world.new(content=picture))
    (row,) = await world.store.attachments.due(world.now, 9)
    assert await world.store.attachments.claim(row, At(world.now + 60_000))
    world.clock.step_wall(-HOUR_S)
    await world.store.sweep()
    world.clock.advance(world.policy.max_backoff_s)
    assert len(await world.store.attachments.due(world.now, 9)) == 1


async def test_a_step_back_is_not_forgotten_where_the_store_could_not_write_at_that_moment(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: Any) -> None:
        raise StoreUnavailable

    delivery_id, _behind = await world.queue("hello", "behind")
    await world.settle(await world.claim_one(), DeliveryState.PENDING, retry_s=2)
    world.clock.step_wall(-HOUR_S)
    with monkeypatch.context() as for_a_moment, pytest.raises(StoreUnavailable):
        for_a_moment.setattr(world.store._writer, "work", away)
        await world.store.sweep()
    await world.store.sweep()
    world.clock.advance(world.policy.max_backoff_s)
    assert (await world.claim_one()).delivery_id == delivery_id


async def test_after_a_step_back_a_lane_rests_on_for_the_call_without_an_answer(
    world: World,
) -> None:
    world.policy = msgspec.structs.replace(world.policy, tombstone_s=120.0)
    await world.die_and_return()
    await world.queue("first", "second")
    claimed = await world.claim_one()
    rests_until = At(world.now + 120_000)
    await world.settle(claimed, DeliveryState.UNKNOWN, lane_until=rests_until)
    world.clock.step_wall(-HOUR_S)
    await world.store.sweep()
    world.clock.advance(119)
    assert await world.claim() == []
    world.clock.advance(2)
    assert (await world.claim_one()).message.text == "second"


async def test_a_window_that_seems_to_begin_in_the_future_counts_as_over(world: World) -> None:
    """How long ago it really began, nobody knows: the platform may not fold repeats any more."""
    (delivery_id,) = await world.queue("hello")
    await world.claim_one(window_s=300)
    world.clock.step_wall(-HOUR_S)
    await world.die_and_return()
    assert await world.state(delivery_id) is DeliveryState.UNKNOWN


@pytest.mark.parametrize("ahead_s", [0.01, 1, 4])
async def test_a_clock_that_was_a_little_ahead_opens_no_window_where_nothing_is_folded(
    world: World, ahead_s: float
) -> None:
    (delivery_id,) = await world.queue("answer")
    await world.claim_one(window_s=None)
    world.clock.step_wall(-ahead_s)
    await world.die_and_return()
    assert await world.state(delivery_id) is DeliveryState.UNKNOWN, (
        "it may have arrived: never sent again blindly"
    )
