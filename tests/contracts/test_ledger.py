"""What every Ledger promises: lists newest first by cursor, and the trail for either direction's id."""

import pytest

from tests.contracts.store_world import RELEASE, UID, World
from wunder.errors import Invalid
from wunder.model.delivery import DeliveryState
from wunder.model.ids import AccountUid, At, DeliveryId
from wunder.model.message import Attachment, Content, MessageState
from wunder.model.trail import StepName
from wunder.upkeep.ledger import DeliveryFilter, MessageFilter, SessionFilter

ALL = MessageFilter()


async def test_pages_run_newest_first_without_gap_or_repeat(world: World) -> None:
    for n in range(7):
        await world.take(world.new(str(n)))
    seen, cursor = [], ""
    while True:
        page = await world.store.ledger.messages(ALL, 3, cursor)
        seen += [m.text for m in page.items]
        cursor = page.next_cursor
        if not cursor:
            break
        await world.take(world.new("newer"))  # does not disturb who reads on
    assert seen == list("6543210")


async def test_a_strange_cursor_is_refused(world: World) -> None:
    for cursor in ("x", "-1", "1; drop table meta", "9" * 40):
        with pytest.raises(Invalid):
            await world.store.ledger.messages(ALL, 3, cursor)


async def test_messages_are_filtered_by_place_state_direction_and_time(world: World) -> None:
    turn = await world.turn("in", "p1")
    world.clock.advance(60)
    await world.answer(turn, "out")
    await world.take(world.new("quiet", "p2", state=MessageState.NO_ANSWER))
    await world.take(world.new("elsewhere", uid=AccountUid("acc-2")))

    async def texts(**given) -> list[str]:
        page = await world.store.ledger.messages(MessageFilter(**given), 9, "")
        return [m.text for m in page.items]

    assert await texts(peer_id="p1") == ["elsewhere", "out", "in"]
    assert await texts(direction="out") == ["out"]
    assert await texts(state="no_answer") == ["quiet"]
    assert await texts(session_id="s1") == ["out", "in"]
    assert await texts(since=At(world.now), direction="in") == ["elsewhere", "quiet"]
    assert await texts(until=At(world.now)) == ["in"]
    assert await texts(channel="nothing") == []
    assert await texts(account_id="main", text="qui") == ["quiet"]


async def test_refused_messages_are_found_by_their_state(world: World) -> None:
    await world.take(world.new(state=MessageState.REFUSED, reason="denied"), world.new())
    page = await world.store.ledger.messages(MessageFilter(state="refused"), 9, "")
    assert [m.reason for m in page.items] == ["denied"]


async def test_a_stored_message_tells_who_said_what_in_answer_to_what(world: World) -> None:
    content = Content("mixed", "look", (Attachment("image", media_id="m1", size=3),))
    turn = await world.turn(content=content, thread="t")
    await world.answer(turn, "nice")
    out, inbound = (await world.store.ledger.messages(ALL, 9, "")).items
    assert (inbound.direction, inbound.type, inbound.attachments) == (
        "in",
        "mixed",
        content.attachments,
    )
    assert (inbound.sender_id, inbound.sender_name, inbound.thread_id) == ("p1", "Ann", "t")
    assert (inbound.state, inbound.turn_id, inbound.session_id) == ("answered", turn.turn_id, "s1")
    assert (out.direction, out.text, out.state) == ("out", "nice", "")
    assert (out.in_reply_to, out.turn_id) == (inbound.message_id, turn.turn_id)


async def test_the_trail_is_the_same_for_either_direction(world: World) -> None:
    turn = await world.turn()
    await world.answer(turn, "x")
    await world.settle(await world.claim_one())
    out, inbound = (await world.store.ledger.messages(ALL, 9, "")).items
    steps = await world.store.ledger.trail(inbound.message_id)
    assert steps == await world.store.ledger.trail(out.message_id)
    assert steps[-1].step is StepName.SENT


async def test_the_trail_is_in_order_over_restarts(world: World) -> None:
    turn = await world.turn()
    await world.die_and_return()
    (turn,) = await world.store.turns.claim(1, world.now)
    await world.answer(turn, "x")
    await world.claim_one()
    await world.die_and_return()
    steps = await world.steps(turn.message.message_id)
    assert steps[3:] == [StepName.QUEUED, StepName.SENDING, StepName.UNKNOWN]


async def test_deliveries_are_listed_and_filtered(world: World) -> None:
    first, second = await world.queue("1", "2")
    await world.settle(await world.claim_one(), DeliveryState.FAILED, error_kind="too_large")
    ledger = world.store.ledger
    page = await ledger.deliveries(DeliveryFilter(), 1, "")
    assert [d.delivery_id for d in page.items] == [second]
    rest = await ledger.deliveries(DeliveryFilter(), 9, page.next_cursor)
    assert [(d.delivery_id, d.error_kind) for d in rest.items] == [(first, "too_large")]
    failed = await ledger.deliveries(DeliveryFilter(states=(DeliveryState.FAILED,)), 9, "")
    assert [d.delivery_id for d in failed.items] == [first]
    assert await ledger.delivery(DeliveryId("nobody")) is None


async def test_a_delivery_says_who_tried_it_and_how_its_message_begins(world: World) -> None:
    await world.queue("早上好" + "x" * 200)
    waiting = (await world.store.ledger.deliveries(DeliveryFilter(), 1, "")).items[0]
    assert (waiting.plugin_id, waiting.version) == ("", "")
    await world.settle(await world.claim_one(), DeliveryState.SENT)
    sent = (await world.store.ledger.deliveries(DeliveryFilter(), 1, "")).items[0]
    assert (sent.plugin_id, sent.version) == (RELEASE.plugin_id, RELEASE.version)
    assert sent.excerpt == "早上好" + "x" * 117


async def test_sessions_are_listed_the_last_active_first(world: World) -> None:
    for n in (1, 2, 3):
        await world.answer(await world.turn(peer=f"p{n}"), "x", session_id=f"s{n}")
        world.clock.advance(1)
    await world.answer(await world.turn(peer="p1"), "again", session_id="s1")
    ledger = world.store.ledger
    page = await ledger.sessions(SessionFilter("ch"), 2, "")
    assert [(s.session_id, s.message_count) for s in page.items] == [("s1", 4), ("s3", 2)]
    rest = await ledger.sessions(SessionFilter("ch"), 2, page.next_cursor)
    assert ([s.session_id for s in rest.items], rest.next_cursor) == (["s2"], "")
    assert (await ledger.sessions(SessionFilter("nothing"), 9, "")).items == ()

    async def found(**asked: str) -> list[str]:
        listed = await ledger.sessions(SessionFilter(**asked), 9, "")
        return [one.session_id for one in listed.items]

    assert await found(text="aNN") == ["s1", "s3", "s2"], "by a part of the name"
    assert await found(text="2") == await found(text="s2") == ["s2"], "by the peer's id, by its own"
    assert (await found(text="%"), await found(account_id="other")) == ([], [])
    assert await found(account_id="main", channel="ch", text="p3") == ["s3"]
    (newest, *_) = page.items
    assert (newest.conversation.account_uid, newest.peer_name, newest.agent_id) == (
        UID,
        "Ann",
        "echo",
    )
