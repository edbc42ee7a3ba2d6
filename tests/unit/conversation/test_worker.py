"""Room 2's worker: turns wait for their store, and suspects run alone whenever they turn up."""

import asyncio
from pathlib import Path

import pytest

from tests.contracts.store_world import World, open_sqlite
from tests.journeys.corridor import corridor
from wunder.conversation.worker import WorkerPolicy
from wunder.errors import StoreUnavailable, WunderError
from wunder.model.delivery import DeliveryState
from wunder.model.turn import AgentTurn, Reply


def text(number: int) -> dict:
    return {"id": f"m-{number}", "peer": "p1", "text": str(number)}


async def test_a_store_that_is_away_while_a_turn_reads_is_waited_for(tmp_path: Path) -> None:
    async with corridor(tmp_path) as here:
        await here.post(text(1))
        await here.until_states(DeliveryState.SENT)
        read, tries = here.store.turns.history, 0

        async def away_at_first(*asked):
            nonlocal tries
            tries += 1
            if tries < 3:
                raise StoreUnavailable
            return await read(*asked)

        here.store.turns.history = away_at_first
        await here.post(text(2))
        for number in (1, 2):
            await here.until(lambda number=number: tries == number)
            await here.until(lambda: here.clock.sleepers)
            here.clock.advance(1)
        await here.until_states(DeliveryState.SENT, DeliveryState.SENT)
        assert here.platform.texts("p1") == ["1", "2"]
        assert await here.message_states() == ["answered", "answered"]


@pytest.mark.parametrize(("room", "asked"), [("turns", "claim"), ("outbox", "ready")])
async def test_a_look_that_the_store_refuses_ends_nobody_and_is_taken_again(
    tmp_path: Path, room: str, asked: str
) -> None:
    async with corridor(tmp_path) as here:
        await here.until(lambda: here.worker._free == WorkerPolicy().turns_at_once)
        door = getattr(here.store, room)
        look, tries = getattr(door, asked), 0

        async def refused_at_first(*given):
            nonlocal tries
            tries += 1
            if tries < 3:
                raise WunderError("the store refused this unit of work")
            return await look(*given)

        setattr(door, asked, refused_at_first)
        for number in (1, 2, 3):
            here.worker.wake()
            here.dispatcher.wake()
            await here.until(lambda number=number: tries >= number)
        await here.post(text(1))
        await here.until_states(DeliveryState.SENT)


async def test_who_comes_in_does_not_pass_those_who_wait_for_a_slot(tmp_path: Path) -> None:
    async with corridor(tmp_path) as here:
        gate = asyncio.Event()

        async def answer(turn: AgentTurn) -> tuple[Reply, ...]:
            await gate.wait()
            return (Reply("done"),)

        here.agents.answer_with = answer
        await here.until(lambda: here.worker._free == WorkerPolicy().turns_at_once)
        others = here.worker.reserve(1_000_000) - 1
        here.worker.release(1)
        await here.post({"id": "m-1", "peer": "p1", "text": "1"})
        for number in (2, 3):
            await here.post({"id": f"m-{number}", "peer": f"p{number}", "text": "waits"})
        await here.until_messages("answering", "received", "received")
        await here.until(lambda: here.worker._is_behind)
        here.worker.release(1)  # one slot is free again, and nobody has claimed yet
        assert here.worker.reserve(1) == 0
        here.worker.wake()
        await here.until_messages("answering", "answering", "received")
        gate.set()
        await here.until_messages("answered", "answered", "answered")
        await here.until(lambda: not here.worker._is_behind)
        assert here.worker.reserve(1) == 1
        here.worker.release(1 + others - 1)


async def test_an_account_that_asks_little_is_not_kept_waiting_by_a_flood(tmp_path: Path) -> None:
    async with corridor(tmp_path) as here:
        await here.add_account("quiet")
        order: list[str] = []
        gate = asyncio.Event()

        async def answer(turn: AgentTurn) -> tuple[Reply, ...]:
            await gate.wait()
            order.append(turn.message.account_id)
            return ()

        here.agents.answer_with = answer
        await here.until(lambda: here.worker._free == WorkerPolicy().turns_at_once)
        here.worker.reserve(here.worker._free - 1)  # a single slot for everybody
        for number in range(20):
            await here.post({"id": f"m-{number}", "peer": f"p{number}", "text": "x"})
        for number in range(3):
            item = {"id": f"q-{number}", "peer": f"q{number}", "text": "x"}
            await here.post(item, account="quiet")
        gate.set()
        await here.until(lambda: len(order) == 23)
        assert order[1:7].count("quiet") == 3


_SUSPECT = "UPDATE channel_messages SET state = 'received', claims = 2 WHERE message_id = ?"
_LANE = "UPDATE channel_lanes SET ready_at = 1, is_suspect = 1 WHERE kind = 'turn' AND peer_id = ?"


async def test_a_suspect_that_a_dead_node_left_runs_alone_while_this_one_lives_on(
    tmp_path: Path,
) -> None:
    async with corridor(tmp_path) as here:
        gate, running, together = asyncio.Event(), set(), []

        async def answer(turn: AgentTurn) -> tuple[Reply, ...]:
            said = turn.message.content.text
            running.add(said)
            together.append(set(running))
            if said == "1":
                await gate.wait()
            running.discard(said)
            return (Reply(said),)

        here.agents.answer_with = answer
        await here.post(text(1))
        await here.until(lambda: running == {"1"})
        world = World(open_sqlite, tmp_path, here.clock)
        world.store = here.store
        left = world.new("suspect", "p2", uid=here.book.enabled("chat")[0].uid)
        await world.take(left, claim=1)  # as another node would, which then dies

        def leave(tx) -> None:
            tx.execute(_SUSPECT, (left.message.message_id,))
            tx.execute(_LANE, ("p2",))

        await here.store._writer.commit(leave)
        here.worker.expect_suspects()
        await here.until(lambda: here.worker._is_alone)
        await here.post({"id": "m-3", "peer": "p3", "text": "3"})
        gate.set()

        async def all_answered() -> bool:
            here.clock.advance(0.05)
            return await here.message_states() == ["answered"] * 3

        await here.until(all_answered)
        assert together == [{"1"}, {"suspect"}, {"3"}]


async def test_a_graceful_stop_gives_back_what_it_does_not_finish_uncounted(tmp_path: Path) -> None:
    async with corridor(tmp_path) as here:

        async def never(turn: AgentTurn) -> tuple[Reply, ...]:
            await asyncio.Event().wait()
            raise AssertionError

        here.agents.answer_with = never
        await here.post(text(1))
        await here.until(lambda: here.agents.turns)
        stopping = asyncio.ensure_future(here.worker.drain(5))

        def has_stopped() -> bool:
            here.clock.advance(0.1)
            return stopping.done()

        await here.until(has_stopped)
        await stopping
        assert await here.message_states() == ["received"]
        (again,) = await here.store.turns.claim(9, here.clock.now())
        assert again.claims == 1, "as if it had never begun"
        assert here.worker.reserve(1) == 0


async def test_a_turn_that_lost_its_fence_leaves_the_one_that_took_its_place_alone(
    tmp_path: Path,
) -> None:
    async with corridor(tmp_path) as here:
        gates = [asyncio.Event(), asyncio.Event()]
        asked = 0

        async def answer(turn: AgentTurn) -> tuple[Reply, ...]:
            nonlocal asked
            number = asked
            asked += 1
            await gates[number].wait()
            return (Reply(str(number)),)

        here.agents.answer_with = answer
        await here.post(text(1))
        await here.until(lambda: asked == 1)
        (lost,) = here.worker._running.values()
        await here.store.turns.give_back([lost])  # as who finds this node dead
        here.worker.wake()
        await here.until(lambda: asked == 2)
        free = here.worker._free
        gates[0].set()
        await here.until(lambda: here.worker._free == free + 1)
        assert len(here.worker._running) == 1
        gates[1].set()
        await here.until_states(DeliveryState.SENT)
        assert here.platform.texts("p1") == ["1"]
        assert await here.message_states() == ["answered"]


async def test_a_stop_while_the_store_is_away_leaves_what_it_cannot_give_back(
    tmp_path: Path,
) -> None:
    async with corridor(tmp_path) as here:

        async def away(*asked) -> None:
            raise StoreUnavailable

        gate = asyncio.Event()

        async def answer(turn: AgentTurn) -> tuple[Reply, ...]:
            await gate.wait()
            return ()

        here.agents.answer_with = answer
        await here.post(text(1))
        await here.until(lambda: here.worker._running)
        here.store.turns.give_back = away
        await here.worker.drain(0)
        gate.set()
