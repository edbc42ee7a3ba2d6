"""Many nodes on one database: shared work, leases, fences, news."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
import pytest

from tests.contracts.store_world import CHANNEL, UID, World, database_of, open_postgres
from tests.fakes.clock import FakeClock
from wunder.errors import FenceLost
from wunder.model.delivery import ClaimedDelivery, DeliveryState, Settlement
from wunder.model.ids import AccountId, At, new_id
from wunder.model.intake import SpooledRequest, SpoolVerdict
from wunder.store.policy import StorePolicy
from wunder.store.postgres.address import Address
from wunder.store.postgres.store import PostgresStore
from wunder.upkeep.nodes import Node

S = DeliveryState
_WAITS_FOR_A_LOCK = """
SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
"""


@pytest.fixture
async def nodes(tmp_path: Path) -> AsyncIterator[list[World]]:
    """Three nodes, each with a data directory of its own, on one database."""
    clock = FakeClock()
    opened: list[World] = []
    for number in range(3):
        place = tmp_path / f"node{number}"
        if opened:
            database_of(place, of=opened[0].dir)
        opened.append(await World(open_postgres, place, clock).open())
    yield opened
    for world in opened:
        await world.store.close()


def store(world: World) -> PostgresStore:
    opened: Any = world.store
    assert isinstance(opened, PostgresStore)
    return opened


async def expire_lease(world: World) -> None:
    """What time does to a node that was not heard of, without waiting for it."""
    conn = await asyncpg.connect(database_of(world.dir))
    node_id = store(world).life.node_id
    await conn.execute("UPDATE channel_leases SET lease_until = 1 WHERE node_id = $1", node_id)
    await conn.close()


async def test_any_node_takes_what_another_one_took_in(nodes: list[World]) -> None:
    first, second, third = nodes
    await first.take(first.new("hello"))
    (turn,) = await second.store.turns.claim(9, second.now)
    await second.answer(turn, "hi")
    claimed = await third.claim_one()
    assert claimed.message.text == "hi"
    await third.settle(claimed)
    assert await first.state(claimed.delivery_id) is S.SENT


async def test_a_repeat_on_another_node_is_a_duplicate(nodes: list[World]) -> None:
    first, second, _ = nodes
    unit = first.unit(first.new(platform_id="pm"))
    (one,) = (await first.store.intake.take_in(unit)).results.values()
    (two,) = (await second.take(second.new(platform_id="pm"))).results.values()
    assert (one, two) == ("accepted", "duplicate")


async def test_nobody_overtakes_what_another_node_has_spooled(nodes: list[World]) -> None:
    first, second, _ = nodes
    request = SpooledRequest("s1", UID, CHANNEL, AccountId("main"), b"sealed", first.now)
    await first.store.intake.spool(request)
    assert (await second.take(second.new("later"))).is_behind_spool
    (due,) = await second.store.intake.due_spooled(second.now, 9)
    await second.store.intake.settle_spooled(due, SpoolVerdict.REFUSED, second.now, "forged")
    assert not (await first.take(first.new("later"))).is_behind_spool


async def test_a_head_is_claimed_once_however_many_nodes_ask(nodes: list[World]) -> None:
    for number in range(30):
        await nodes[0].take(nodes[0].new("x", f"p{number}"))
    claims = await asyncio.gather(
        *(world.store.turns.claim(4, world.now) for world in nodes for _ in range(6))
    )
    ids = [turn.message.message_id for claimed in claims for turn in claimed]
    while more := await nodes[0].store.turns.claim(30, nodes[0].now):
        ids += [turn.message.message_id for turn in more]
    assert len(ids) == len(set(ids)) == 30


async def test_an_inline_reply_is_carried_by_one_webhook_whichever_node_holds_it(
    nodes: list[World],
) -> None:
    first = nodes[0]
    for number in range(12):
        new = first.new("question", f"p{number}")
        new = msgspec.structs.replace(new, inline_until=At(first.now + 5_000))
        (turn,) = (await first.take(new, claim=1)).claimed
        await first.answer(turn, "reply")
        message_id = turn.message.message_id
        found = await asyncio.gather(
            *(
                world.store.outbox.claim_inline(message_id, world.grant(), world.now)
                for world in nodes
                for _ in range(2)
            )
        )
        assert sorted(isinstance(one, ClaimedDelivery) for one in found) == [False] * 5 + [True]


async def test_a_conversation_stays_in_order_over_nodes(nodes: list[World]) -> None:
    texts = [str(number) for number in range(12)]
    for number, text in enumerate(texts):
        world = nodes[number % 3]
        await world.take(world.new(text, platform_id=f"pm-{text}"))
    order = []
    for number in range(len(texts)):
        world = nodes[(number * 7) % 3]
        (turn,) = await world.store.turns.claim(9, world.now)
        assert await nodes[(number + 1) % 3].store.turns.claim(9, world.now) == []
        order.append(turn.message.content.text)
        await world.answer(turn, "ok")
    assert order == texts


async def test_nodes_that_write_to_the_same_conversations_at_once_lose_nothing(
    nodes: list[World],
) -> None:
    async def traffic(world: World, seed: int) -> int:
        taken = 0
        for number in range(15):
            peers = [f"p{(seed + number * k) % 7}" for k in (1, 3, 5)]
            news = [world.new("x", peer, platform_id=new_id()) for peer in peers]
            taken += len((await world.take(*news)).results)
        return taken

    counts = await asyncio.gather(*(traffic(w, n) for n, w in enumerate(nodes) for _ in range(2)))
    done = 0
    while turns := await nodes[0].store.turns.claim(9, nodes[0].now):
        for turn in turns:
            await nodes[0].answer(turn)
            done += 1
    assert done == sum(counts) == 270


async def test_a_node_that_writes_is_alive_even_if_its_renewal_waits(nodes: list[World]) -> None:
    busy, other, _ = nodes
    turn = await busy.turn("question")
    await expire_lease(busy)
    busy.clock.advance(busy.policy.lease_s / 2)  # the clock of all three
    await busy.take(busy.new("meanwhile", "p2"))
    await store(other).look_after_leases()
    epoch = store(busy).life.epoch
    await busy.answer(turn, "in time")
    assert store(busy).life.epoch == epoch, "nobody took it over"
    busy.clock.advance(busy.policy.lease_s * 0.8)
    assert store(busy).life.tenure.holds(epoch)


async def test_a_dead_nodes_claims_pass_on_when_its_lease_has_run_out(nodes: list[World]) -> None:
    dead, alive, _ = nodes
    turn = await dead.turn("question")
    (sending,) = await dead.queue("answer", peer="p2")
    await dead.claim_one()
    await store(alive).look_after_leases()
    assert await alive.store.turns.claim(9, alive.now) == [], "its lease still runs"
    await expire_lease(dead)
    await store(alive).look_after_leases()
    (again,) = await alive.store.turns.claim(9, alive.now)
    assert (again.turn_id, again.claims) == (turn.turn_id, 2)
    assert await alive.state(sending) is S.UNKNOWN


async def test_what_a_silent_node_may_still_be_sending_is_not_overtaken_for_a_while(
    nodes: list[World],
) -> None:
    silent, other, _ = nodes
    await silent.queue("one", "two")
    first = await silent.claim_one()
    await expire_lease(silent)
    await store(other).look_after_leases()
    assert await other.state(first.delivery_id) is S.UNKNOWN
    other.clock.advance(other.policy.tombstone_s - 1)
    assert await other.claim() == []
    other.clock.advance(2)
    assert (await other.claim_one()).message.text == "two"


async def test_after_a_node_that_took_its_leave_nobody_waits(nodes: list[World]) -> None:
    leaving, other, _ = nodes
    await leaving.queue("one", "two")
    await leaving.claim_one()
    await store(leaving)._writer.commit(store(leaving).life.release)
    await store(other).look_after_leases()
    assert (await other.claim_one()).message.text == "two"


async def test_a_paused_node_that_was_replaced_has_lost_its_fences(nodes: list[World]) -> None:
    paused, other, _ = nodes
    turn = await paused.turn("question")
    (delivery_id,) = await paused.queue("answer", peer="p2")
    claimed = await paused.claim_one(window_s=3600)
    epoch = store(paused).life.epoch
    await expire_lease(paused)
    await store(other).look_after_leases()
    with pytest.raises(FenceLost):
        await paused.answer(turn, "from the past")
    await paused.settle(claimed, S.FAILED)
    assert await other.state(delivery_id) is S.PENDING, "its outcome is only noted"
    (again,) = await other.store.turns.claim(9, other.now)
    await other.answer(again, "from the present")
    assert store(paused).life.epoch > epoch, "it lives on under another epoch"
    assert (await paused.turn("new", "p3")).fence > 0


async def test_a_reply_on_stage_is_its_that_runs_the_turn_now(nodes: list[World]) -> None:
    paused, other, _ = nodes
    turn = await paused.turn("question")
    grant, ends_at = paused.grant(window_s=3600), At(paused.now + 60_000)
    begun = await paused.store.streams.begin(turn, grant, paused.now, ends_at)
    assert begun is not None
    assert paused.store.streams.is_ours(begun)
    paused.clock.advance(paused.policy.lease_s + 1)  # the clock of all three
    assert not paused.store.streams.is_ours(begun)
    await expire_lease(paused)
    await store(other).look_after_leases()
    (again,) = await other.store.turns.claim(9, other.now)
    goes_on = await other.store.streams.begin(again, grant, other.now, ends_at)
    assert goes_on is not None
    assert other.store.streams.is_ours(goes_on)
    await paused.store.streams.settle(Settlement(begun, S.UNKNOWN, paused.now, "unknown"))
    assert await other.state(begun.delivery_id) is S.STREAMING, "nothing of it is parked"
    late = Settlement(begun, S.SENT, paused.now, "sent", provider_message_id="m-1")
    await paused.store.streams.settle(late)
    assert (await other.delivery(begun.delivery_id)).provider_message_id == "m-1"


async def test_what_a_paused_node_had_sent_counts_all_the_same(nodes: list[World]) -> None:
    paused, other, _ = nodes
    (delivery_id,) = await paused.queue("answer")
    claimed = await paused.claim_one()
    await expire_lease(paused)
    await store(other).look_after_leases()
    assert await other.state(delivery_id) is S.UNKNOWN
    await paused.settle(claimed, provider_message_id="m-1")
    assert await other.state(delivery_id) is S.SENT


async def test_who_takes_over_hears_of_messages_that_were_in_two_crashes(
    nodes: list[World],
) -> None:
    first, second, third = nodes
    heard: list[int] = []
    store(second).on_suspects(lambda: heard.append(2))
    store(third).on_suspects(lambda: heard.append(3))
    await first.turn("question")
    await expire_lease(first)
    await store(second).look_after_leases()
    assert heard == [], "one crash may be anybody's"
    assert len(await second.store.turns.claim(9, second.now)) == 1
    await expire_lease(second)
    await store(third).look_after_leases()
    assert heard == [3]
    suspect = await third.store.turns.claim_suspect(third.now)
    assert suspect is not None
    assert suspect.claims == 3


async def test_a_restart_on_the_same_directory_waits_for_no_lease(nodes: list[World]) -> None:
    first, *_ = nodes
    turn = await first.turn("question")
    await first.store._writer.close()  # as if killed: the lease is not given up
    first.store._opened.lock.release()
    killed = first.store
    await first.open()
    assert first.store.recovered.again == (turn.message.message_id,)
    await killed._quick.close()
    await killed._slow.close()


async def test_a_restart_also_finds_what_its_killed_process_was_committing(
    nodes: list[World],
) -> None:
    first, *_ = nodes
    await first.take(first.new("question"))
    killed = first.store
    # The server has heard a claim and its COMMIT, and is still at them when the process is gone.
    server = await asyncpg.connect(database_of(first.dir))
    await server.execute("BEGIN")
    await server.execute(
        "SELECT 1 FROM channel_leases WHERE name = $1 AND epoch = $2 FOR KEY SHARE",
        killed.life.lease_name,
        killed.life.epoch,
    )
    await server.execute(
        "UPDATE channel_messages SET state = 'answering', claims = 1, epoch = $1", killed.life.epoch
    )
    await server.execute("UPDATE channel_lanes SET ready_at = NULL")
    await killed._writer.close()
    killed._opened.lock.release()
    opening = asyncio.create_task(first.open())
    watch = await asyncpg.connect(database_of(first.dir))
    async with asyncio.timeout(20):
        while not (opening.done() or await watch.fetchval(_WAITS_FOR_A_LOCK)):
            pass
        await server.execute("COMMIT")
        await opening
    assert [turn.claims for turn in await first.store.turns.claim(9, first.now)] == [2]
    for part in (server, watch, killed._quick, killed._slow, killed._bulk):
        await part.close()


async def test_figures_are_the_sum_over_the_nodes_living_and_gone(nodes: list[World]) -> None:
    first, second, third = nodes
    for world in nodes:
        await world.take(world.new(peer=f"p{world.dir.name}"))
    await store(first).look_after_leases()
    assert first.store.health.figures()["channel_messages_received"] == 3
    await expire_lease(third)
    await store(second).look_after_leases()
    await store(first).look_after_leases()
    for world in (first, second):
        assert world.store.health.figures()["channel_messages_received"] == 3
    await third.take(third.new(peer="again"))
    await store(first).look_after_leases()
    assert first.store.health.figures()["channel_messages_received"] == 4


async def test_nodes_hear_of_waiting_work_and_of_changed_tables(nodes: list[World]) -> None:
    first, second, _ = nodes
    heard: asyncio.Queue[str] = asyncio.Queue()
    store(second).on_news(heard.put_nowait)
    running = asyncio.create_task(store(second).run())
    try:
        async with asyncio.timeout(10):
            assert await heard.get() == "", "whatever happened before it listened"
            await store(first).look_after_leases()  # sees that it has peers
            await first.store.accounts.add(first.account())
            assert await heard.get() == "accounts"
            await first.take(first.new())
            assert await heard.get() == "work"
    finally:
        running.cancel()
        await asyncio.wait([running])


async def test_a_node_does_not_hear_itself(nodes: list[World]) -> None:
    first, second, _ = nodes
    heard: asyncio.Queue[str] = asyncio.Queue()
    store(first).on_news(heard.put_nowait)
    running = asyncio.create_task(store(first).run())
    try:
        async with asyncio.timeout(10):
            assert await heard.get() == ""
            await first.store.accounts.add(first.account())
            await second.store.accounts.add(second.account("acc-2", "other"))
            assert await heard.get() == "accounts"
            assert heard.empty()
    finally:
        running.cancel()
        await asyncio.wait([running])


async def test_a_node_sees_when_another_last_renewed_its_lease_and_its_latest_life(
    nodes: list[World],
) -> None:
    first, second, _ = nodes
    for world in (first, second):
        node = Node(
            store(world).life.node_id, store(world).life.epoch, "serving", "1", "h", "p", "3", "u",
            1, At(1), At(1),
        )  # fmt: skip
        await store(world).nodes.introduce(node)

    async def seen() -> Node:
        rows = await store(first).nodes.all()
        return next(row for row in rows if row.node_id == store(second).life.node_id)

    began = await seen()
    assert began.is_alive
    assert began.seen_at > 1
    await store(second).look_after_leases()
    renewed = await seen()
    assert renewed.seen_at > began.seen_at
    await expire_lease(second)
    assert not (await seen()).is_alive
    await store(first).look_after_leases()
    dead = await seen()
    assert not dead.is_alive
    assert dead.seen_at >= renewed.seen_at, "its lease is gone; when it was last heard of is not"
    await second.take(second.new("x"))
    again = await seen()
    assert again.is_alive
    assert again.epoch == store(second).life.epoch > began.epoch


def test_the_address_shows_no_secret() -> None:
    address = Address(
        "postgresql://me:s3cret@db.example:5433/wunder?sslmode=require", StorePolicy()
    )
    assert "s3cret" not in f"{address!r} {address.shown}"
