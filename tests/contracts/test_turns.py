"""What every Turns promises: claims on the turn lanes, T2, suspects (delivery semantics, Turns)."""

import asyncio
import random

import pytest

from tests.contracts import raw_rows
from tests.contracts.store_world import DAY_MS, UID, World
from wunder.errors import FenceLost
from wunder.model.account import DeliverySettings
from wunder.model.delivery import DeliveryState
from wunder.model.ids import MessageId, SessionId, new_id
from wunder.model.message import MessageState
from wunder.model.trail import Step, StepName
from wunder.model.turn import ClaimedTurn, TurnCommit
from wunder.upkeep.ledger import Correction, SessionFilter


async def crash_while_answering(world: World, times: int) -> None:
    """The process dies so often with the head of p1 in hand."""
    for _ in range(times):
        await world.die_and_return()
        await world.store.turns.claim(9, world.now)


# --- lanes -----------------------------------------------------------------------------------------


async def test_turns_of_a_conversation_run_in_order_of_arrival(world: World) -> None:
    for text in ("1", "2", "3"):
        await world.take(world.new(text))
    order = []
    for _ in range(3):
        (turn,) = await world.store.turns.claim(9, world.now)
        order.append(turn.message.content.text)
        await world.answer(turn, "ok")
    assert order == ["1", "2", "3"]


async def test_arrival_decides_and_neither_ids_nor_clocks(world: World) -> None:
    """The three naive orders (by id, by uuid, by time) each reorder this conversation."""
    texts = [str(n) for n in range(12)]
    for text in texts:
        # The wall clock jumps about; message ids are random.
        world.clock.step_wall(random.Random(text).choice([-3600, 3600]))
        await world.take(world.new(text))
    world.clock.step_wall(10 * 86_400)
    order = []
    while turns := await world.store.turns.claim(1, world.now):
        order.append(turns[0].message.content.text)
        await world.answer(turns[0], "ok")
    assert order == texts


async def test_only_the_head_of_a_conversation_may_be_claimed(world: World) -> None:
    await world.take(world.new("1"), world.new("2"), world.new("3"))
    assert [t.message.content.text for t in await world.store.turns.claim(9, world.now)] == ["1"]
    assert await world.store.turns.claim(9, world.now) == []


async def test_conversations_do_not_wait_for_each_other(world: World) -> None:
    await world.take(*(world.new("x", f"p{n}") for n in range(5)))
    assert len(await world.store.turns.claim(9, world.now)) == 5


async def test_who_waits_longest_is_claimed_first(world: World) -> None:
    for peer in ("b", "c", "a"):
        await world.take(world.new("x", peer))
        world.clock.advance(1)
    claimed = await world.store.turns.claim(2, world.now)
    assert [t.message.conversation.peer_id for t in claimed] == ["b", "c"]


async def test_a_head_is_claimed_once_however_many_ask(world: World) -> None:
    await world.take(*(world.new("x", f"p{n}") for n in range(10)))
    claims = await asyncio.gather(*(world.store.turns.claim(3, world.now) for _ in range(8)))
    ids = [turn.message.message_id for claimed in claims for turn in claimed]
    assert len(ids) == len(set(ids)) == 10


# --- T2 --------------------------------------------------------------------------------------------


async def test_a_turn_ends_in_one_transaction_with_its_replies_in_order(world: World) -> None:
    turn = await world.turn()
    assert (await world.answer(turn, "one", "two")).queued == 2
    assert (await world.message_state(turn.message.message_id))[0] == "answered"
    places = await raw_rows.run(world, "SELECT lane_seq FROM channel_outbox ORDER BY reply_ordinal")
    assert places == [(1,), (2,)], "not the order in which rows happen to lie"
    assert await world.sends_in_order() == ["one", "two"]


async def test_replies_carry_what_the_platform_needs_to_thread_them(world: World) -> None:
    turn = await world.turn(meta={"hook": "h"}, thread="t1", platform_id="pm-77")
    await world.answer(turn, "one", "two")
    first = await world.claim_one()
    assert first.message.reply_to == "pm-77"
    assert first.message.meta == {"hook": "h"}
    assert first.message.conversation == turn.message.conversation
    assert first.root_message_id == turn.message.message_id
    assert first.reply_ordinal == 1
    (second,) = await world.settle(first, take_next=True)
    assert second.reply_ordinal == 2


async def test_the_first_reply_is_born_sending_when_its_lane_is_empty(world: World) -> None:
    turn = await world.turn()
    committed = await world.answer(turn, "one", "two", grant=world.grant())
    (delivery,) = committed.claimed
    assert committed.queued == 1
    assert (delivery.message.text, delivery.attempt_no, delivery.part) == ("one", 1, 0)
    assert await world.state(delivery.delivery_id) is DeliveryState.SENDING
    assert await world.claim(9) == [], "the second waits behind it"


async def test_nothing_is_born_sending_behind_a_waiting_delivery(world: World) -> None:
    await world.queue("earlier")
    turn = await world.turn()
    committed = await world.answer(turn, "later", grant=world.grant())
    assert (committed.claimed, committed.queued) == ((), 1)
    assert await world.sends_in_order() == ["earlier", "later"]


async def test_a_lost_fence_changes_nothing(world: World) -> None:
    turn = await world.turn()
    await world.die_and_return()
    (again,) = await world.store.turns.claim(9, world.now)
    assert again.fence > turn.fence
    with pytest.raises(FenceLost):
        await world.answer(turn, "from the dead")
    assert await world.claim(9) == []
    await world.answer(again, "alive")
    assert await world.sends_in_order() == ["alive"]


async def test_committing_the_same_turn_again_is_a_no_op(world: World) -> None:
    turn = await world.turn()
    await world.answer(turn, "once")
    await world.answer(turn, "once")
    assert await world.sends_in_order() == ["once"]
    (session,) = (await world.store.ledger.sessions(SessionFilter(), 9, "")).items
    assert session.message_count == 2


async def test_a_turn_cannot_end_in_a_state_that_is_no_end(world: World) -> None:
    turn = await world.turn()
    with pytest.raises(FenceLost):
        await world.answer(turn, state=MessageState.REFUSED)
    assert (await world.message_state(turn.message.message_id))[0] == "answering"


@pytest.mark.parametrize(
    "state", [MessageState.NO_ANSWER, MessageState.UNROUTED, MessageState.FAILED]
)
async def test_a_turn_without_reply_releases_its_lane(world: World, state: MessageState) -> None:
    turn = await world.turn("1")
    await world.take(world.new("2"))
    await world.answer(turn, state=state, reason="because")
    assert await world.message_state(turn.message.message_id) == (state, "because")
    (following,) = await world.store.turns.claim(9, world.now)
    assert following.message.content.text == "2"


async def test_a_turn_that_touches_no_session_opens_none(world: World) -> None:
    turn = await world.turn()
    await world.store.turns.commit(TurnCommit(turn, MessageState.UNROUTED, world.now))
    assert (await world.store.ledger.sessions(SessionFilter(), 9, "")).items == ()


async def test_the_given_steps_and_the_stores_own_make_the_trail(world: World) -> None:
    turn = await world.turn()
    message_id = turn.message.message_id
    commit = TurnCommit(
        turn,
        MessageState.ANSWERED,
        world.now,
        steps=(Step(message_id, StepName.ANSWERED, world.now),),
    )
    await world.store.turns.commit(commit)
    assert (await world.steps(message_id))[-1] is StepName.ANSWERED


# --- sessions ----------------------------------------------------------------------------------------


async def test_history_is_the_dialogue_in_order_and_ends_before_the_running_turn(
    world: World,
) -> None:
    first = await world.turn("q1")
    await world.take(world.new("q2"))  # arrives while the first is answered
    await world.answer(first, "a1", "a1b")
    (second,) = await world.store.turns.claim(9, world.now)
    lines = await world.store.turns.history(SessionId("s1"), 20)
    assert [(line.role, line.text) for line in lines] == [
        ("user", "q1"),
        ("assistant", "a1"),
        ("assistant", "a1b"),
    ]
    await world.answer(second, "a2")
    lines = await world.store.turns.history(SessionId("s1"), 2)
    assert [line.text for line in lines] == ["q2", "a2"]


async def test_a_turn_speaks_after_what_a_person_corrected_while_it_ran(world: World) -> None:
    await world.answer(await world.turn("q1"), "wrong")
    delivery = await world.claim_one()
    await world.settle(delivery, DeliveryState.FAILED)
    turn = await world.turn("q2")
    right = Correction(delivery.delivery_id, MessageId(new_id()), "right")
    assert await world.store.outbox_desk.correct(right, world.now, "ann")
    await world.answer(turn, "a2")
    lines = await world.store.turns.history(SessionId("s1"), 9)
    assert [line.text for line in lines] == ["q1", "wrong", "right", "q2", "a2"]


async def test_a_claim_names_the_current_session_of_its_conversation(world: World) -> None:
    turn = await world.turn("1")
    assert turn.session_id is None
    await world.answer(turn, "a", session_id="s1")
    again = await world.turn("2")
    assert again.session_id == "s1"
    await world.answer(again, "b", session_id="s2")
    assert (await world.turn("3")).session_id == "s2"
    assert (await world.turn("other", "p2")).session_id is None


# --- crashes, suspects, poison -------------------------------------------------------------------------


async def test_a_turn_whose_process_died_runs_again_with_the_same_turn_id(world: World) -> None:
    turn = await world.turn()
    await world.die_and_return()
    assert world.store.recovered.again == (turn.message.message_id,)
    (again,) = await world.store.turns.claim(9, world.now)
    assert (again.turn_id, again.claims) == (turn.turn_id, 2)


async def test_the_head_keeps_its_place_over_a_crash(world: World) -> None:
    await world.turn("1")
    await world.take(world.new("2"))
    await world.die_and_return()
    (again,) = await world.store.turns.claim(9, world.now)
    assert again.message.content.text == "1"


async def test_a_message_with_two_unfinished_claims_is_a_suspect_and_runs_alone(
    world: World,
) -> None:
    await world.take(world.new("poison?"))
    await world.take(world.new("bystander", "p2"))
    await world.store.turns.claim(1, world.now)
    await world.die_and_return()
    await world.store.turns.claim(1, world.now)
    await world.die_and_return()
    assert [t.message.content.text for t in await world.store.turns.claim(9, world.now)] == [
        "bystander"
    ]
    suspect = await world.store.turns.claim_suspect(world.now)
    assert suspect is not None
    assert (suspect.message.content.text, suspect.is_alone, suspect.claims) == ("poison?", True, 3)
    assert await world.store.turns.claim_suspect(world.now) is None


async def test_a_suspect_that_ends_well_was_only_a_bystander(world: World) -> None:
    await world.turn("1")
    await world.take(world.new("2"))
    await crash_while_answering(world, 1)
    await world.die_and_return()
    suspect = await world.store.turns.claim_suspect(world.now)
    assert suspect is not None
    await world.answer(suspect, "fine")
    (following,) = await world.store.turns.claim(9, world.now)
    assert (following.message.content.text, following.claims) == ("2", 1)


async def poison(world: World, *behind: str, times_alone: int = 2) -> ClaimedTurn:
    turn = await world.turn("poison")
    for text in behind:
        await world.take(world.new(text))
    await crash_while_answering(world, 1)
    await world.die_and_return()
    for _ in range(times_alone):
        assert await world.store.turns.claim_suspect(world.now) is not None
        await world.die_and_return()
    return turn


async def test_only_unfinished_claims_made_alone_fail_a_message(world: World) -> None:
    turn = await poison(world)
    message_id = turn.message.message_id
    assert world.store.recovered.poisoned == (message_id,)
    assert await world.message_state(message_id) == ("failed", "poison")
    assert await world.store.turns.claim_suspect(world.now) is None


async def test_who_is_killed_once_while_it_runs_alone_may_be_a_bystander(world: World) -> None:
    turn = await poison(world, times_alone=1)
    assert world.store.recovered.again == (turn.message.message_id,)
    assert await world.store.turns.claim(9, world.now) == [], "it stays a suspect"
    suspect = await world.store.turns.claim_suspect(world.now)
    assert suspect is not None
    assert (suspect.turn_id, suspect.is_alone, suspect.claims) == (turn.turn_id, True, 4)
    await world.answer(suspect, "fine")
    assert await world.sends_in_order() == ["fine"]


async def test_a_poisoned_message_gets_an_apology_an_alert_and_frees_its_lane(world: World) -> None:
    turn = await poison(world, "next")
    assert await world.sends_in_order() == [world.policy.apology]
    (event,) = (await world.store.events.events("", "", 9, "")).items
    assert (event.name, event.level) == ("message_poisoned", "error")
    assert event.message_id == turn.message.message_id
    (following,) = await world.store.turns.claim(9, world.now)
    assert following.message.content.text == "next"


@pytest.mark.parametrize(("own", "sent"), [("Sorry!", ["Sorry!"]), ("", [])])
async def test_an_account_chooses_its_own_apology(world: World, own: str, sent: list[str]) -> None:
    await world.store.accounts.add(world.account(delivery=DeliverySettings(apology=own)))
    await poison(world)
    assert await world.sends_in_order() == sent


async def test_a_claim_given_back_does_not_count(world: World) -> None:
    new = world.new()
    await world.take(new)
    for _ in range(5):
        turns = await world.store.turns.claim(9, world.now)
        assert turns[0].claims == 1
        await world.store.turns.give_back(turns)
    assert (await world.message_state(new.message.message_id))[0] == "received"


async def test_giving_back_a_lost_claim_changes_nothing(world: World) -> None:
    turn = await world.turn()
    await world.answer(turn, "done")
    await world.store.turns.give_back([turn])
    assert (await world.message_state(turn.message.message_id))[0] == "answered"


# --- by hand ---------------------------------------------------------------------------------------------


async def test_unrouted_and_failed_messages_go_back_to_the_tail(world: World) -> None:
    turn = await world.turn("lost")
    await world.answer(turn, state=MessageState.UNROUTED)
    running = await world.turn("running")
    await world.take(world.new("waiting"))
    message_id = turn.message.message_id
    assert await world.store.turns.reroute([message_id, running.message.message_id], world.now) == 1
    await world.answer(running, "ok")
    order = []
    while turns := await world.store.turns.claim(1, world.now):
        order.append(turns[0].message.content.text)
        await world.answer(turns[0], "ok")
    assert order == ["waiting", "lost"]
    assert StepName.REROUTED in await world.steps(message_id)


async def test_a_rerouted_message_is_a_turn_of_its_own_and_may_say_more(world: World) -> None:
    turn = await world.turn()
    await world.answer(turn, "apology", state=MessageState.FAILED)
    await world.store.turns.reroute([turn.message.message_id], world.now)
    (again,) = await world.store.turns.claim(9, world.now)
    assert again.turn_id != turn.turn_id
    assert again.claims == 1
    await world.answer(again, "answer")
    first = await world.claim_one()
    (second,) = await world.settle(first, take_next=True)
    assert (first.message.text, second.message.text) == ("apology", "answer")
    assert (first.reply_ordinal, second.reply_ordinal) == (1, 2), "ordinals go on"


async def test_answered_messages_are_not_rerouted(world: World) -> None:
    turn = await world.turn()
    await world.answer(turn, "done")
    assert await world.store.turns.reroute([turn.message.message_id], world.now) == 0


async def test_what_came_for_an_account_that_is_gone_is_not_rerouted(world: World) -> None:
    await world.store.accounts.add(world.account())
    new = world.new(state=MessageState.UNROUTED)
    await world.take(new)
    await world.store.accounts.remove(UID, world.now)
    assert await world.store.turns.reroute([new.message.message_id], world.now) == 0
    assert await world.store.turns.claim(9, world.now) == []


async def test_a_reply_without_ttl_lives_a_day(world: World) -> None:
    turn = await world.turn()
    await world.answer(turn, "x", ttl_ms=-world.now)
    assert (await world.claim_one()).expires_at == world.now + DAY_MS
