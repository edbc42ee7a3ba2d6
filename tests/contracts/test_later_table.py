"""What every LaterTable promises: an answer is left once, for a turn that is being answered, and taken once."""

from tests.contracts.store_world import World
from wunder.model.ids import TurnId
from wunder.model.turn import Reply

SAID = (Reply("late"), Reply("**and more** \x00", format="markdown"))
HOUR_S = 3_600


async def test_what_is_left_for_a_turn_is_taken_by_who_asks_for_it_and_once(world: World) -> None:
    turn, other = await world.turn("question"), await world.turn("other", peer="p2")
    later = world.store.upkeep.later
    assert await later.leave(turn.turn_id, SAID)
    assert await later.take([other.turn_id]) == {}
    assert await later.take([]) == {}
    taken = await later.take([other.turn_id, turn.turn_id])
    assert taken == {turn.turn_id: SAID}
    assert await later.take([turn.turn_id]) == {}


async def test_the_first_answer_counts(world: World) -> None:
    turn = await world.turn("question")
    later = world.store.upkeep.later
    assert await later.leave(turn.turn_id, (Reply("first"),))
    assert not await later.leave(turn.turn_id, (Reply("second"),))
    assert await later.take([turn.turn_id]) == {turn.turn_id: (Reply("first"),)}


async def test_nothing_is_left_for_a_turn_that_nobody_answers(world: World) -> None:
    later = world.store.upkeep.later
    assert not await later.leave(TurnId("unknown"), SAID)
    turn = await world.turn("question")
    await world.answer(turn, "answered")
    assert not await later.leave(turn.turn_id, SAID)


async def test_many_may_wait(world: World) -> None:
    turns = [await world.turn("q", peer=f"p{number}") for number in range(70)]
    later = world.store.upkeep.later
    for turn in turns:
        assert await later.leave(turn.turn_id, (Reply(turn.turn_id),))
    taken = await later.take([turn.turn_id for turn in turns])
    assert taken == {turn.turn_id: (Reply(turn.turn_id),) for turn in turns}


async def test_what_nobody_took_is_forgotten_after_an_hour(world: World) -> None:
    left, next_one = await world.turn("a"), await world.turn("b", peer="p2")
    later = world.store.upkeep.later
    assert await later.leave(left.turn_id, SAID)
    world.clock.advance(HOUR_S + 1)
    assert await later.leave(next_one.turn_id, SAID)
    assert await later.take([left.turn_id]) == {}
