"""What every PairingTable promises, and T1 with strangers: one code an hour, let in by a person."""

import asyncio
from typing import Any

import msgspec
import pytest

from tests.contracts.store_world import CHANNEL, UID, World
from wunder.errors import Conflict, NotFound
from wunder.model.delivery import InlineStanding
from wunder.model.ids import AccountUid, At, MessageId
from wunder.model.intake import NewMessage
from wunder.model.message import Attachment, Content, MessageState
from wunder.model.trail import StepName
from wunder.upkeep.ledger import DeliveryFilter, MessageFilter
from wunder.upkeep.pairing import Pairing, PairingFilter, PairingPolicy

POLICY = PairingPolicy(text="code {code} for {minutes} min")
HOUR_S = 3_600


def stranger(
    world: World, text: str = "hi", peer: str = "p1", policy: PairingPolicy = POLICY, **given: Any
) -> NewMessage:
    new = world.new(text, peer, state=MessageState.UNROUTED, reason="pairing", **given)
    return msgspec.structs.replace(new, stranger=policy.stranger(world.now))


async def knock(world: World, text: str = "hi", peer: str = "p1", **given: Any) -> MessageId:
    new = stranger(world, text, peer, **given)
    await world.take(new, claim=given.get("claim", 0))
    return new.message.message_id


async def all_pairings(world: World, **where: Any) -> list[Pairing]:
    page = await world.store.upkeep.pairings.pairings(PairingFilter(**where), 100, "")
    return list(page.items)


async def decide(world: World, pairing: Pairing, state: Any = "approved") -> int:
    table = world.store.upkeep.pairings
    return (await table.decide(pairing.pairing_id, state, world.now, "ann")).answered


async def codes_said(world: World) -> list[str]:
    return [text for text in await world.sends_in_order() if text.startswith("code ")]


async def test_a_stranger_is_told_a_code_and_the_message_is_kept(world: World) -> None:
    message_id = await knock(world, "what does it cost?")
    assert await world.message_state(message_id) == ("unrouted", "pairing")
    stored = await world.store.ledger.message(message_id)
    assert stored is not None and stored.text == "what does it cost?"
    (asked,) = await all_pairings(world)
    assert (asked.peer_id, asked.peer_name, asked.state) == ("p1", "Ann", "pending")
    assert asked.expires_at == world.now + HOUR_S * 1000
    assert await codes_said(world) == [f"code {asked.code} for 60 min"]
    assert len(asked.code) == 8
    (event,) = (await world.store.events.events("", UID, 9, "")).items
    assert (event.name, event.level) == ("pairing_requested", "warning")
    assert asked.code not in str(event.fields)


async def test_the_code_is_the_first_reply_and_the_answer_the_next(world: World) -> None:
    message_id = await knock(world)
    said = await world.claim_one()
    assert (said.reply_ordinal, said.root_message_id) == (1, message_id)
    assert said.message.reply_to is not None, "platforms that only take replies get one"
    await world.settle(said)
    (asked,) = await all_pairings(world)
    await decide(world, asked)
    (turn,) = await world.store.turns.claim(9, world.now)
    await world.answer(turn, "answer")
    answer = await world.claim_one()
    assert (answer.message.text, answer.reply_ordinal) == ("answer", 2)


async def test_who_writes_on_is_not_answered_again_and_nothing_of_it_is_kept(world: World) -> None:
    await knock(world, "one")
    world.clock.advance(HOUR_S - 1)
    again = await knock(world, "two")
    assert await world.message_state(again) == ("refused", "pairing")
    stored = await world.store.ledger.message(again)
    assert stored is not None and stored.text == ""
    assert len(await all_pairings(world)) == 1
    assert len((await world.store.ledger.deliveries(DeliveryFilter(), 9, "")).items) == 1


async def test_an_hour_later_there_is_a_new_code(world: World) -> None:
    await knock(world, "one")
    world.clock.advance(HOUR_S)
    await knock(world, "two")
    codes = {one.code for one in await all_pairings(world)}
    assert len(codes) == 2
    assert len(await all_pairings(world, open_at=world.now)) == 1, "the first one is over"


async def test_a_peer_has_at_most_three_codes_open(world: World) -> None:
    eager = PairingPolicy(answer_every_s=60)
    for _ in range(5):
        await knock(world, policy=eager)
        world.clock.advance(60)
    assert len(await all_pairings(world, open_at=world.now)) == 3


async def test_a_flood_of_strangers_makes_a_bounded_number_of_codes(world: World) -> None:
    narrow = PairingPolicy(open_per_account=5)
    for number in range(20):
        await knock(world, peer=f"p{number}", policy=narrow)
    assert len(await all_pairings(world)) == 5
    other = AccountUid("acc-2")
    unit = world.unit(stranger(world, peer="q", policy=narrow, uid=other))
    part = msgspec.structs.replace(unit.parts[0], account_uid=other)
    await world.store.intake.take_in(msgspec.structs.replace(unit, parts=(part,)))
    page = await world.store.ledger.deliveries(DeliveryFilter(), 100, "")
    assert len(page.items) == 6, "another account has its own bound"


async def test_an_approved_peer_is_answered_and_stays_in(world: World) -> None:
    message_id = await knock(world, "question")
    (asked,) = await all_pairings(world)
    assert await decide(world, asked) == 1
    (turn,) = await world.store.turns.claim(9, world.now)
    assert (turn.message.message_id, turn.message.content.text) == (message_id, "question")
    await world.answer(turn, "answer")
    new = stranger(world, "next")
    taken = await world.take(new, claim=1)
    assert [one.message.content.text for one in taken.claimed] == ["next"], "born claimed"
    other = stranger(world, "in a thread", thread="t2")
    assert (await world.take(other, claim=1)).claimed, "a peer is let in with all its threads"
    assert (await all_pairings(world))[0].decided_by == "ann"
    steps = await world.steps(message_id)
    assert StepName.NOT_ANSWERED in steps and StepName.REROUTED in steps


async def test_each_kept_message_of_the_peer_is_answered_in_order(world: World) -> None:
    eager = PairingPolicy(answer_every_s=60)
    ids = []
    for text in ("one", "two"):
        ids.append(await knock(world, text, policy=eager))
        world.clock.advance(60)
    newest, _ = await all_pairings(world)
    assert await decide(world, newest) == 2
    assert len(await all_pairings(world)) == 1, "one decision a peer"
    (turn,) = await world.store.turns.claim(9, world.now)
    assert turn.message.message_id == ids[0]


async def test_a_rejected_peer_is_answered_by_nobody(world: World) -> None:
    await knock(world)
    (asked,) = await all_pairings(world)
    assert await decide(world, asked, "rejected") == 0
    world.clock.advance(2 * HOUR_S)
    later = await knock(world, "please")
    assert await world.message_state(later) == ("refused", "pairing_rejected")
    assert len(await all_pairings(world)) == 1
    assert await decide(world, asked) == 1, "an administrator may think again"
    assert (await world.take(stranger(world, "now"), claim=1)).results


async def test_a_code_that_is_over_lets_nobody_in(world: World) -> None:
    await knock(world)
    (asked,) = await all_pairings(world)
    world.clock.advance(HOUR_S)
    with pytest.raises(Conflict) as error:
        await decide(world, asked)
    assert error.value.reason == "expired"
    assert (await all_pairings(world))[0].state == "pending"


async def test_a_forgotten_peer_is_a_stranger_again(world: World) -> None:
    await knock(world)
    (asked,) = await all_pairings(world)
    await decide(world, asked)
    table = world.store.upkeep.pairings
    assert await table.forget(asked.pairing_id)
    assert not await table.forget(asked.pairing_id)
    with pytest.raises(NotFound):
        await decide(world, asked)
    assert await world.message_state(await knock(world)) == ("unrouted", "pairing")


async def test_the_same_webhook_twice_makes_one_code(world: World) -> None:
    new = stranger(world, platform_id="pm")
    unit = world.unit(new)
    await world.store.intake.take_in(unit)
    await world.store.intake.take_in(unit)
    await world.take(stranger(world, platform_id="pm"))
    assert len(await all_pairings(world)) == 1
    assert len((await world.store.ledger.deliveries(DeliveryFilter(), 9, "")).items) == 1


async def test_threads_of_one_stranger_at_once_make_one_code(world: World) -> None:
    news = [stranger(world, thread=f"t{number}") for number in range(20)]
    await asyncio.gather(*(world.take(new) for new in news))
    assert len(await all_pairings(world)) == 1
    page = await world.store.ledger.messages(MessageFilter(state="unrouted"), 100, "")
    assert len(page.items) == 1


async def test_a_webhook_that_waits_can_carry_the_code(world: World) -> None:
    new = msgspec.structs.replace(stranger(world), inline_until=At(world.now + 5_000))
    await world.take(new)
    assert await world.claim(9) == [], "held back for the webhook"
    claimed = await world.store.outbox.claim_inline(
        new.message.message_id, world.grant(), world.now
    )
    assert not isinstance(claimed, InlineStanding)
    assert claimed.message.text.startswith("code ")


async def test_what_a_stranger_sent_along_is_fetched_only_once_let_in(world: World) -> None:
    content = Content(text="look", attachments=(Attachment("image", media_id="m1"),))
    await knock(world, content=content)
    assert await world.store.attachments.due(world.now, 9) == []
    (asked,) = await all_pairings(world)
    await decide(world, asked)
    assert len(await world.store.attachments.due(world.now, 9)) == 1


async def test_figures_are_kept(world: World) -> None:
    await knock(world)
    await knock(world, peer="p2")
    first, second = await all_pairings(world)
    await decide(world, first)
    await decide(world, second, "rejected")
    figures = world.store.health.figures()
    assert figures["channel_pairings_pending"] == 0
    assert (figures["channel_pairings_approved"], figures["channel_pairings_rejected"]) == (1, 1)


async def test_lists_are_newest_first_and_paged(world: World) -> None:
    for number in range(5):
        await knock(world, peer=f"p{number}")
        world.clock.advance(HOUR_S)
    table = world.store.upkeep.pairings
    first = await table.pairings(PairingFilter(), 3, "")
    rest = await table.pairings(PairingFilter(), 3, first.next_cursor)
    peers = [one.peer_id for one in (*first.items, *rest.items)]
    assert peers == ["p4", "p3", "p2", "p1", "p0"]
    assert rest.next_cursor == ""
    assert await all_pairings(world, channel="none") == []
    assert len(await all_pairings(world, channel=CHANNEL, account_id="main", state="pending")) == 5


async def test_a_pairing_is_found_by_its_code_however_it_is_typed(world: World) -> None:
    await knock(world)
    (asked,) = await all_pairings(world)
    table = world.store.upkeep.pairings
    assert await table.named(asked.code.lower()) == [asked]
    assert await table.named(asked.pairing_id) == [asked]
    assert await table.named("NOBODY22") == []


async def test_hostile_names_are_no_trouble(world: World) -> None:
    await knock(world, peer="p\x00\ud800")
    (asked,) = await all_pairings(world)
    await decide(world, asked)
    new = stranger(world, peer="p\x00\ud800")
    await world.take(new)
    assert (await world.message_state(new.message.message_id))[0] == "received"
