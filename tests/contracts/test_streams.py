"""Streams: a delivery begun before its message, taken over by T2, put right after a crash."""

import pytest

from tests.contracts.store_world import World
from wunder.errors import FenceLost
from wunder.model.delivery import DeliveryState, Evidence, Settlement
from wunder.model.ids import At, DeliveryId, derived_id
from wunder.upkeep.ledger import MessageFilter

STREAMING, SENDING, PENDING = DeliveryState.STREAMING, DeliveryState.SENDING, DeliveryState.PENDING
SENT, UNKNOWN, FAILED = DeliveryState.SENT, DeliveryState.UNKNOWN, DeliveryState.FAILED


async def begin(world: World, turn, **given):
    expires_at = At(world.now + 60_000)
    return await world.store.streams.begin(turn, world.grant(1, **given), world.now, expires_at)


async def shown(world: World, delivery, as_id: str = "p1") -> None:
    done = Settlement(delivery, SENT, world.now, "sent", provider_message_id=as_id)
    await world.store.streams.settle(done)


def id_of(turn) -> DeliveryId:
    return DeliveryId(derived_id(turn.turn_id, "delivery"))


async def test_it_has_the_ids_the_place_and_the_ordinal_of_the_first_reply(world: World) -> None:
    turn = await world.turn("question")
    delivery = await begin(world, turn)
    assert delivery.delivery_id == id_of(turn)
    assert delivery.message.message_id == derived_id(turn.turn_id, "message")
    assert (delivery.reply_ordinal, delivery.attempt_no, delivery.shown_as) == (1, 1, None)
    assert await world.state(delivery.delivery_id) is STREAMING
    assert len(await world.attempts(delivery.delivery_id)) == 1
    page = await world.store.ledger.messages(MessageFilter(direction="out"), 10, "")
    assert page.items == ()


async def test_it_holds_its_lane(world: World) -> None:
    turn = await world.turn("question")
    await begin(world, turn)
    await world.send_first("news")
    assert await world.claim(5) == []


async def test_behind_another_nothing_is_begun(world: World) -> None:
    await world.send_first("news")
    turn = await world.turn("question")
    assert await begin(world, turn) is None
    await world.answer(turn, "whole")
    assert await world.sends_in_order() == ["news", "whole"]


async def test_t2_gives_it_its_text_and_the_attempt_that_edits(world: World) -> None:
    turn = await world.turn("question")
    delivery = await begin(world, turn)
    await shown(world, delivery)
    await world.answer(turn, "whole", "more")
    last = await world.claim_one()
    assert (last.delivery_id, last.message.text, last.shown_as) == (id_of(turn), "whole", "p1")
    assert last.attempt_no == 2
    await world.settle(last)
    following = await world.claim_one()
    assert (following.message.text, following.reply_ordinal) == ("more", 2)
    assert following.shown_as is None


async def test_with_a_grant_the_edit_begins_in_t2(world: World) -> None:
    turn = await world.turn("question")
    await shown(world, await begin(world, turn))
    committed = await world.answer(turn, "whole", grant=world.grant(1))
    (last,) = committed.claimed
    assert (last.shown_as, last.message.text) == ("p1", "whole")
    assert await world.state(last.delivery_id) is SENDING
    assert await world.settle(last) == []
    assert await world.state(last.delivery_id) is SENT


async def test_another_claim_of_the_turn_ends_the_first_ones_right(world: World) -> None:
    turn = await world.turn("question")
    await world.store.turns.give_back([turn])
    with pytest.raises(FenceLost):
        await begin(world, turn)


async def test_a_turn_run_again_finds_what_it_shows(world: World) -> None:
    turn = await world.turn("question")
    await shown(world, await begin(world, turn))
    await world.die_and_return()
    (again,) = await world.store.turns.claim(1, world.now)
    found = await begin(world, again)
    assert (found.delivery_id, found.shown_as, found.reply_ordinal) == (id_of(turn), "p1", 1)
    await world.answer(again, "whole")
    assert (await world.claim_one()).shown_as == "p1"


async def test_a_beginning_nobody_heard_of_is_parked_at_open(world: World) -> None:
    turn = await world.turn("question")
    await begin(world, turn)
    await world.die_and_return()
    assert await world.state(id_of(turn)) is UNKNOWN
    (again,) = await world.store.turns.claim(1, world.now)
    assert await begin(world, again) is None
    await world.answer(again, "whole")
    assert await world.state(id_of(turn)) is UNKNOWN
    page = await world.store.ledger.messages(MessageFilter(direction="out"), 10, "")
    assert [message.text for message in page.items] == ["whole"]
    assert await world.claim(5) == []


async def test_where_repeats_are_folded_it_begins_again_under_the_same_key(world: World) -> None:
    turn = await world.turn("question")
    await begin(world, turn, window_s=300)
    await world.die_and_return()
    assert await world.state(id_of(turn)) is STREAMING
    (again,) = await world.store.turns.claim(1, world.now)
    found = await begin(world, again, window_s=300)
    assert (found.attempt_no, found.shown_as, found.had_unknown) == (2, None, True)
    assert found.idempotency_key == id_of(turn)


async def test_an_edit_that_was_cut_off_is_made_again(world: World) -> None:
    turn = await world.turn("question")
    await shown(world, await begin(world, turn))
    await world.answer(turn, "whole", grant=world.grant(1))
    await world.die_and_return()
    assert await world.state(id_of(turn)) is PENDING
    world.clock.advance(5)
    assert (await world.claim_one()).shown_as == "p1"


async def test_a_late_success_of_the_beginning_is_what_will_be_edited(world: World) -> None:
    turn = await world.turn("question")
    delivery = await begin(world, turn, window_s=300)
    lost = Settlement(delivery, STREAMING, world.now, "unknown", error_kind="timeout")
    await world.store.streams.settle(lost)
    late = Evidence(delivery.attempt_id, "p7", world.now)
    assert await world.store.outbox.confirm(late)
    assert await world.state(id_of(turn)) is STREAMING
    await world.answer(turn, "whole")
    assert (await world.claim_one()).shown_as == "p7"


async def test_a_turn_that_says_nothing_ends_it(world: World) -> None:
    turn = await world.turn("question")
    await shown(world, await begin(world, turn))
    await world.answer(turn)
    assert await world.state(id_of(turn)) is FAILED
    await world.send_first("news")
    assert await world.sends_in_order() == ["news"]


async def test_a_turn_without_a_stage_is_as_ever(world: World) -> None:
    turn = await world.turn("question")
    await world.answer(turn, "whole")
    assert (await world.claim_one()).shown_as is None
