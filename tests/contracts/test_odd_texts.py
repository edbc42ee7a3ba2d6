"""What every store promises of text that a database refuses: asked for, it is not found; nothing fails."""

from collections.abc import Awaitable, Callable
from random import Random
from typing import Any

import pytest

from tests.contracts.store_world import World
from wunder.model.delivery import DeliveryState
from wunder.model.ids import MAX_NAMED_BYTES, MAX_PROVIDER_MESSAGE_ID, SessionId
from wunder.people.tables import AuditFilter
from wunder.upkeep.ledger import DeliveryFilter, MessageFilter, SessionFilter
from wunder.upkeep.quarantine import QuarantineFilter

#: NUL, which PostgreSQL refuses, and halves of surrogate pairs, which neither engine can encode.
ODD = ("\x00", "a\x00b", "\ud800", "\U0001f600\udfff")
#: Each with what people, platforms or plugins can put into it.
QUESTIONS: dict[str, Callable[[Any, Any], Awaitable[Any]]] = {
    "a delivery": lambda store, odd: store.ledger.delivery(odd),
    "a message": lambda store, odd: store.ledger.message(odd),
    "a trail": lambda store, odd: store.ledger.trail(odd),
    "sessions by text": lambda store, odd: store.ledger.sessions(SessionFilter(text=odd), 5, ""),
    "sessions by channel": lambda store, odd: store.ledger.sessions(
        SessionFilter(channel=odd), 5, ""
    ),
    "messages": lambda store, odd: store.ledger.messages(MessageFilter(text=odd), 5, ""),
    "deliveries": lambda store, odd: store.ledger.deliveries(DeliveryFilter(peer_id=odd), 5, ""),
    "a user who signs in": lambda store, odd: store.users.by_name(odd),
    "the sessions of a user": lambda store, odd: store.sessions.of(odd),
    "a pairing": lambda store, odd: store.upkeep.pairings.named(odd),
    "a job": lambda store, odd: store.upkeep.jobs.job(odd),
    "replays": lambda store, odd: store.upkeep.replays.preview_ids([odd]),
    "attachments": lambda store, odd: store.attachments.find([odd]),
    "releases": lambda store, odd: store.plugins.releases(odd),
    "plugins of nodes": lambda store, odd: store.nodes.plugins(odd),
    "events": lambda store, odd: store.events.events(odd, odd, 5, ""),
    "an item of the quarantine": lambda store, odd: store.upkeep.quarantine.item(odd),
    "the quarantine": lambda store, odd: store.upkeep.quarantine.items(
        QuarantineFilter(reason=odd), 5, ""
    ),
    "lines of a session": lambda store, odd: store.turns.history(odd, 5),
    "a plugin's value": lambda store, odd: store.history.state_get(odd, "", odd),
    "what an account received": lambda store, odd: store.activity.has_received(odd),
    "later replies": lambda store, odd: store.upkeep.later.take([odd]),
    "the audit": lambda store, odd: store.audit.entries(AuditFilter(actor=odd), 5, ""),
}


async def test_whatever_is_asked_for_with_odd_text_is_answered(world: World) -> None:
    for ask in QUESTIONS.values():
        for odd in ODD:
            await ask(world.store, odd)


async def test_a_value_under_an_odd_key_is_found_under_it(world: World) -> None:
    history = world.store.history
    for odd in ODD:
        rev = await history.state_put("ch", "", odd, {"n": odd}, None)  # type: ignore[arg-type]
        found = await history.state_get("ch", "", odd)  # type: ignore[arg-type]
        assert found == (
            {"n": odd.translate({0: "\ufffd", 0xD800: "\ufffd", 0xDFFF: "\ufffd"})},
            rev,
        )


@pytest.mark.parametrize("beyond", [10**30, -(10**30)])
async def test_a_time_beyond_every_calendar_is_a_time(world: World, beyond: int) -> None:
    assert (await world.store.ledger.messages(MessageFilter(since=beyond), 5, "")).items == ()
    assert (await world.store.ledger.deliveries(DeliveryFilter(until=beyond), 5, "")).items == ()


@pytest.mark.parametrize("odd", ["p\x00q", "\ud800"])
@pytest.mark.parametrize("field", ["peer", "thread", "kind"])
async def test_a_conversation_with_odd_text_in_its_name_keeps_its_session(
    world: World, field: str, odd: str
) -> None:
    named = {"peer": "p1", field: odd}
    taken = await world.take(world.new("first", **named), claim=1)
    assert len(taken.claimed) == 1, "nor is its message set aside"
    await world.answer(taken.claimed[0], "reply", session_id="s1")
    taken = await world.take(world.new("second", **named), claim=1)
    assert taken.claimed[0].session_id == "s1"
    assert await world.sends_in_order() == ["reply"]


async def test_a_conversation_with_the_longest_names_is_answered(world: World) -> None:
    """Names that nothing can be squeezed out of: they are in indexes, whose rows PostgreSQL bounds."""
    dice = Random(1)
    peer, thread = (dice.randbytes(MAX_NAMED_BYTES // 2).hex() for _ in range(2))
    turn = await world.turn("question", peer, thread=thread)
    await world.answer(turn, "answer", session_id=SessionId("s1"))
    delivery = await world.claim_one()
    await world.settle(delivery, provider_message_id="\U0001f600" * MAX_PROVIDER_MESSAGE_ID)
    assert await world.state(delivery.delivery_id) is DeliveryState.SENT
