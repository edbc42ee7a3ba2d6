"""What every Outbox promises of replies that may travel in a webhook's response (Inline replies)."""

import asyncio

import msgspec

from tests.contracts.store_world import World
from wunder.model.delivery import ClaimedDelivery, DeliveryState, InlineStanding
from wunder.model.ids import At, DeliveryId, MessageId
from wunder.model.intake import NewMessage
from wunder.model.turn import ClaimedTurn

WINDOW_S = 5


def held(world: World, platform_id: str = "pm", **given) -> NewMessage:
    """A message whose webhook can carry the reply."""
    until = At(world.now + WINDOW_S * 1000)
    return msgspec.structs.replace(
        world.new("question", platform_id=platform_id, **given), inline_until=until
    )


async def asked(world: World) -> ClaimedTurn:
    (turn,) = (await world.take(held(world), claim=1)).claimed
    assert turn.inline_until == world.now + WINDOW_S * 1000
    return turn


async def carry(world: World, message_id: MessageId) -> ClaimedDelivery | InlineStanding:
    return await world.store.outbox.claim_inline(message_id, world.grant(), world.now)


async def only_delivery(world: World, turn: ClaimedTurn) -> DeliveryId:
    found = await carry(world, turn.message.message_id)
    assert isinstance(found, ClaimedDelivery)
    return found.delivery_id


async def test_the_first_reply_waits_for_its_webhook_until_the_window_ends(world: World) -> None:
    turn = await asked(world)
    done = await world.answer(turn, "reply", grant=world.grant())
    assert done.claimed == (), "no slot takes it from the webhook"
    assert await world.claim(9) == []
    assert (await world.store.outbox.ready(world.now)).next_at == world.now + WINDOW_S * 1000
    world.clock.advance(WINDOW_S)
    assert await carry(world, turn.message.message_id) is InlineStanding.OVER
    assert await world.sends_in_order() == ["reply"]


async def test_of_several_webhooks_one_takes_the_reply(world: World) -> None:
    turn = await asked(world)
    message_id = turn.message.message_id
    assert await carry(world, message_id) is InlineStanding.WAITING, "nobody has answered yet"
    await world.answer(turn, "reply")
    found = await asyncio.gather(*(carry(world, message_id) for _ in range(4)))
    (claimed,) = [one for one in found if isinstance(one, ClaimedDelivery)]
    assert claimed.message.text == "reply"
    assert found.count(InlineStanding.OVER) == 3
    assert await world.state(claimed.delivery_id) is DeliveryState.SENDING
    await world.settle(claimed)
    world.clock.advance(WINDOW_S)
    assert await world.claim(9) == []
    assert await world.state(claimed.delivery_id) is DeliveryState.SENT


async def test_a_repeat_holds_back_no_reply_that_was_tried_already(world: World) -> None:
    turn = await asked(world)
    await world.answer(turn, "reply")
    claimed = await carry(world, turn.message.message_id)
    assert isinstance(claimed, ClaimedDelivery)
    await world.settle(claimed, DeliveryState.PENDING, retry_s=0)
    world.clock.advance(WINDOW_S - 1)
    await world.take(held(world))
    world.clock.advance(1)
    assert await world.sends_in_order() == ["reply"], "the dispatcher has it from here on"


async def test_a_repeat_with_less_time_left_takes_none_from_the_first(world: World) -> None:
    turn = await asked(world)
    await world.answer(turn, "reply")
    hurried = msgspec.structs.replace(held(world), inline_until=At(world.now + 1_000))
    await world.take(hurried)
    world.clock.advance(2)
    assert await world.claim(9) == [], "the first webhook holds on"
    assert isinstance(await carry(world, turn.message.message_id), ClaimedDelivery)


async def test_a_repeat_of_the_webhook_joins_and_prolongs_the_wait(world: World) -> None:
    turn = await asked(world)
    await world.answer(turn, "reply")
    world.clock.advance(WINDOW_S - 1)
    again = held(world)
    taken = await world.take(again)
    assert taken.originals == {again.message.message_id: turn.message.message_id}
    world.clock.advance(2)
    assert await world.claim(9) == [], "the repeat may carry it still"
    assert isinstance(await carry(world, turn.message.message_id), ClaimedDelivery)


async def test_a_repeat_while_the_turn_runs_prolongs_the_wait_of_its_reply(world: World) -> None:
    turn = await asked(world)
    world.clock.advance(WINDOW_S - 1)
    await world.take(held(world))
    await world.answer(turn, "reply")
    world.clock.advance(2)
    assert await world.claim(9) == [], "the repeat may carry it still"
    assert isinstance(await carry(world, turn.message.message_id), ClaimedDelivery)


async def test_only_the_first_reply_is_held_and_the_next_goes_behind_it(world: World) -> None:
    turn = await asked(world)
    await world.answer(turn, "one", "two")
    assert await world.claim(9) == []
    claimed = await carry(world, turn.message.message_id)
    assert isinstance(claimed, ClaimedDelivery)
    await world.settle(claimed)
    assert await world.sends_in_order() == ["two"]


async def test_who_settles_the_one_before_does_not_take_it_from_its_webhook(world: World) -> None:
    await world.send_first("before")
    before = await world.claim_one()
    turn = await asked(world)
    await world.answer(turn, "reply")
    assert await world.settle(before, take_next=True) == [], "it waits for its webhook"
    world.clock.advance(WINDOW_S)
    assert await world.sends_in_order() == ["reply"]


async def test_what_was_not_written_goes_the_normal_way_with_the_window(world: World) -> None:
    turn = await asked(world)
    await world.answer(turn, "reply")
    claimed = await carry(world, turn.message.message_id)
    assert isinstance(claimed, ClaimedDelivery)
    await world.settle(claimed, DeliveryState.PENDING, retry_s=0)
    world.clock.advance(WINDOW_S)
    assert await world.sends_in_order() == ["reply"]
    assert (await world.delivery(claimed.delivery_id)).retries_used == 0


async def test_a_turn_without_a_reply_keeps_no_webhook_waiting(world: World) -> None:
    turn = await asked(world)
    await world.answer(turn)
    assert await carry(world, turn.message.message_id) is InlineStanding.OVER


async def test_a_response_under_way_when_the_process_died_may_have_arrived(world: World) -> None:
    turn = await asked(world)
    await world.answer(turn, "reply")
    delivery_id = await only_delivery(world, turn)
    await world.die_and_return()
    assert await world.state(delivery_id) is DeliveryState.UNKNOWN
