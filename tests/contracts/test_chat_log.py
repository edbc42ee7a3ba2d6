"""What every ChatLog promises: a conversation as its user sees it, and a stamp that moves with it."""

from tests.contracts.store_world import UID, World
from wunder.model.conversation import Conversation
from wunder.model.delivery import DeliveryState
from wunder.model.ids import AccountUid, SessionId
from wunder.model.message import MessageState
from wunder.model.turn import ClaimedTurn, TurnCommit

HERS = Conversation(UID, "user", "p1")


async def said(world: World, limit: int = 50) -> list[tuple[str, str, str]]:
    """Direction, text and where it is, oldest first."""
    found = await world.store.chat.lines(HERS, limit)
    return [(m.direction, m.text, d.state if d else m.state) for m, d in found]


async def stamp(world: World, peer: str = "p1") -> tuple[int, ...] | None:
    return (await world.store.chat.stamps(UID, [peer])).get(peer)


def ended(turn: ClaimedTurn, world: World, state: MessageState) -> TurnCommit:
    return TurnCommit(turn=turn, state=state, at=world.now, reason="why")


async def test_a_conversation_is_told_oldest_first_with_what_became_of_each_reply(
    world: World,
) -> None:
    turn = await world.turn("hello")
    await world.answer(turn, "hi", "how are you?")
    await world.settle(await world.claim_one())
    await world.take(world.new("fine"))
    assert await said(world) == [
        ("in", "hello", "answered"),
        ("out", "hi", "sent"),
        ("out", "how are you?", "pending"),
        ("in", "fine", "received"),
    ]


async def test_what_belongs_to_others_is_not_told(world: World) -> None:
    await world.answer(await world.turn("mine"), "yours")
    await world.answer(await world.turn("hers", "p2"), "theirs", session_id="s2")
    await world.take(world.new("other account", uid=AccountUid("acc-2")))
    await world.take(world.new("in a group", kind="group"))
    await world.take(world.new("refused there", "p2", state=MessageState.REFUSED))
    await world.send_first("to another", "p2")
    assert [text for _, text, _ in await said(world)] == ["mine", "yours"]


async def test_a_message_that_ended_outside_every_session_is_told_too(world: World) -> None:
    await world.take(world.new("refused", state=MessageState.REFUSED))
    turn = await world.turn("nobody listens")
    await world.store.turns.commit(ended(turn, world, MessageState.UNROUTED))
    await world.send_first("sent first")
    assert await said(world) == [
        ("in", "", "refused"),  # without its words
        ("in", "nobody listens", "unrouted"),
        ("out", "sent first", "pending"),
    ]


async def test_an_earlier_session_of_the_conversation_is_told_before_the_new_one(
    world: World,
) -> None:
    await world.answer(await world.turn("old"), "older reply", session_id="s1")
    await world.answer(await world.turn("/new"), "started", session_id="s2")
    await world.answer(await world.turn("new"), "new reply", session_id="s2")
    texts = [text for _, text, _ in await said(world)]
    assert texts == ["old", "older reply", "/new", "started", "new", "new reply"]
    assert [text for _, text, _ in await said(world, 3)] == ["started", "new", "new reply"]


async def test_the_last_lines_are_told_of_a_long_talk(world: World) -> None:
    for n in range(30):
        await world.answer(await world.turn(f"q{n}"), f"a{n}")
    texts = [text for _, text, _ in await said(world, 5)]
    assert texts == ["a27", "q28", "a28", "q29", "a29"]


async def test_markdown_is_told_as_what_it_is(world: World) -> None:
    await world.answer(await world.turn("q"), "a")
    assert [m.format for m, _ in await world.store.chat.lines(HERS, 9)] == ["plain", "plain"]


async def test_a_stamp_moves_with_each_thing_that_a_page_would_show(world: World) -> None:
    seen = [await stamp(world)]

    async def moved() -> bool:
        seen.append(await stamp(world))
        return seen[-1] != seen[-2]

    assert seen == [None]
    await world.take(world.new("q"))
    assert await moved()
    turn = (await world.store.turns.claim(1, world.now))[0]
    assert await moved()
    await world.answer(turn, "a")
    assert await moved()
    delivery = await world.claim_one()
    assert await moved()
    await world.settle(delivery, DeliveryState.FAILED)
    assert await moved()
    await world.store.outbox_desk.replay([delivery.delivery_id], world.now, "me")
    assert await moved()
    assert not await moved()


async def test_stamps_of_many_are_asked_at_once(world: World) -> None:
    for n in range(70):
        await world.take(world.new("q", f"peer-{n}"))
    found = await world.store.chat.stamps(UID, [f"peer-{n}" for n in range(80)])
    assert sorted(found) == sorted(f"peer-{n}" for n in range(70))
    assert await world.store.chat.stamps(UID, []) == {}


async def test_a_name_that_is_no_text_for_a_database_is_looked_for_all_the_same(
    world: World,
) -> None:
    assert await world.store.chat.lines(Conversation(UID, "user", "a\x00b\ud800"), 9) == []
    assert await world.store.chat.stamps(UID, ["a\x00b\ud800"]) == {}


async def test_a_rerouted_reply_is_found_with_its_delivery(world: World) -> None:
    turn = await world.turn("q")
    await world.store.turns.commit(ended(turn, world, MessageState.UNROUTED))
    await world.store.turns.reroute([turn.message.message_id], world.now)
    again = (await world.store.turns.claim(1, world.now))[0]
    await world.answer(again, "a", session_id=SessionId("s1"))
    assert await said(world) == [("in", "q", "answered"), ("out", "a", "pending")]
