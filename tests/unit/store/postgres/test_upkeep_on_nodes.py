"""Upkeep on many nodes: one code for a stranger, one worker for a job, whichever node hears of it."""

import asyncio

import asyncpg

from tests.contracts.store_world import World, database_of
from tests.contracts.test_outbox_desk import finished
from tests.contracts.test_pairing_table import all_pairings, decide, stranger
from wunder.model.delivery import DeliveryState
from wunder.model.ids import new_id
from wunder.model.message import MessageState
from wunder.upkeep.jobs import NewJob
from wunder.upkeep.ledger import DeliveryFilter, MessageFilter
from wunder.upkeep.replay import ReplayFilter

S = DeliveryState


async def test_two_nodes_that_hear_of_one_stranger_give_one_code(
    nodes: tuple[World, World],
) -> None:
    for round_no in range(5):
        peer = f"peer{round_no}"
        news = [
            (nodes[number % 2], stranger(nodes[0], peer=peer, thread=f"t{number}"))
            for number in range(16)
        ]
        await asyncio.gather(*(world.take(new) for world, new in news))
        mine = [one for one in await all_pairings(nodes[0]) if one.peer_id == peer]
        assert len(mine) == 1
    page = await nodes[1].store.ledger.messages(MessageFilter(state="unrouted"), 100, "")
    assert len(page.items) == 5
    assert len((await nodes[1].store.ledger.deliveries(DeliveryFilter(), 100, "")).items) == 5


async def test_who_was_let_in_on_one_node_is_known_on_the_other(
    nodes: tuple[World, World],
) -> None:
    first, second = nodes
    await first.take(stranger(first))
    (asked,) = await all_pairings(second)
    assert await decide(second, asked) == 1
    new = stranger(first, "next")
    await first.take(new)
    assert (await first.message_state(new.message.message_id))[0] == MessageState.RECEIVED


async def test_a_job_goes_on_on_the_other_node_when_its_own_died(
    nodes: tuple[World, World],
) -> None:
    first, second = nodes
    ids = [await finished(first, S.FAILED, f"text {number}") for number in range(6)]
    replays, wanted = first.store.upkeep.replays, ReplayFilter()
    preview, ends_at = await replays.preview(wanted)
    assert preview.total == 6
    new = NewJob(new_id(), "replay", {"filter": {}}, 6, ends_at, "ann", first.now)
    await first.store.upkeep.jobs.add(new)
    mine = await first.store.upkeep.jobs.claim("replay", 15.0)
    assert mine is not None
    assert await second.store.upkeep.jobs.claim("replay", 15.0) is None, "it is in hands"
    begun = await replays.batch(wanted, 0, ends_at, 2)
    assert await replays.step(mine, begun, begun[-1].cursor, 15.0)
    conn = await asyncpg.connect(database_of(first.dir))
    await conn.execute("UPDATE jobs SET lease_until = 0")  # its node was not heard of for so long
    await conn.close()
    taken = await second.store.upkeep.jobs.claim("replay", 15.0)
    assert taken is not None and taken.cursor == begun[-1].cursor
    late = await replays.batch(wanted, begun[-1].cursor, ends_at, 9)
    assert not await replays.step(mine, late, ends_at, 15.0), "a node that comes back does nothing"
    rest = await second.store.upkeep.replays.batch(wanted, taken.cursor, ends_at, 9)
    assert await second.store.upkeep.replays.step(taken, rest, ends_at, 15.0)
    done = await second.store.upkeep.jobs.job(new.job_id)
    assert done is not None and (done.state, done.done) == ("done", 6)
    assert [(await second.delivery(one)).replays for one in ids] == [1] * 6
    assert await second.sends_in_order() == [f"text {number}" for number in range(6)]
