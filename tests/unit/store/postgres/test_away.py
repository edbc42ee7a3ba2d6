"""The server goes away, at any byte and for any time: nothing is lost or doubled, all comes back."""

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path

import asyncpg
import msgspec
import pytest

from tests.contracts.store_world import World
from tests.fakes.clock import FakeClock
from tests.postgres_server import postgres
from tests.unit.store.postgres.proxy import Proxy
from wunder.errors import StoreUnavailable
from wunder.model.delivery import ClaimedDelivery, DeliveryState
from wunder.model.intake import Taken
from wunder.store.policy import StorePolicy
from wunder.store.postgres.address import Address
from wunder.store.postgres.store import open_store

#: Impatient: a doubt is asked after for half a second, and a lost server is tried at each call.
POLICY = StorePolicy(
    ballast_bytes=0, database_stall_s=0.5, database_backoff_s=0.0, database_connect_s=1.0
)


@pytest.fixture
async def wire() -> AsyncIterator[Proxy]:
    with tempfile.TemporaryDirectory(prefix="wpx", dir="/tmp") as folder:
        proxy = Proxy(Path(folder), postgres().dir / ".s.PGSQL.5432")
        await proxy.start()
        yield proxy
        await proxy.stop()


@pytest.fixture
async def world(wire: Proxy, tmp_path: Path) -> AsyncIterator[World]:
    url = await postgres().lend_database()

    async def opener(data_dir, clock, policy, machine):
        through = Address(url.replace(str(postgres().dir), str(wire.folder)), policy)
        return await open_store(through, data_dir, clock, machine=machine)

    world = World(opener, tmp_path / "data", FakeClock())
    world.policy = POLICY
    yield await world.open()
    await world.store.close()


async def test_an_idle_connection_that_ended_is_noticed_by_nobody(
    world: World, wire: Proxy
) -> None:
    await world.take(world.new())
    wire.cut()
    await world.take(world.new("2"))
    assert len(await world.store.turns.claim(9, world.now)) == 1
    wire.cut()
    assert (await world.store.outbox.ready(world.now)).accounts == {}


async def test_alone_each_step_of_a_message_asks_the_server_five_times(
    world: World, wire: Proxy
) -> None:
    asked = []
    for _ in range(3):  # parsed and planned with the first, and grown sessions with the second
        asked = [wire.asked]
        turn = await world.turn()
        asked.append(wire.asked)
        (delivery,) = (await world.answer(turn, "ok", grant=world.grant())).claimed
        asked.append(wire.asked)
        await world.settle(delivery)
        asked.append(wire.asked)
    trips = [after - before for before, after in pairwise(asked)]
    assert trips == [5, 5, 5], "begin; life and lanes; what it reads; what it writes; commit"


async def test_while_the_server_is_away_intake_is_refused_and_then_goes_on(
    world: World, wire: Proxy
) -> None:
    turn = await world.turn()
    wire.is_down = True
    wire.cut()
    for _ in range(3):
        with pytest.raises(StoreUnavailable):
            await world.take(world.new("2"))
    with pytest.raises(StoreUnavailable):
        await world.store.outbox.ready(world.now)
    wire.is_down = False
    await world.answer(turn, "still answered")
    assert await world.sends_in_order() == ["still answered"]


async def test_while_the_backoff_runs_nobody_waits_for_a_connection(
    world: World, wire: Proxy
) -> None:
    await world.store.close()
    world.policy = StorePolicy(ballast_bytes=0, database_backoff_s=30, max_backoff_s=60)
    await world.open()
    wire.is_down = True
    wire.cut()
    with pytest.raises(StoreUnavailable):
        await world.take(world.new())
    wire.is_down = False
    with pytest.raises(StoreUnavailable):
        await world.take(world.new())
    world.clock.advance(31)
    await world.take(world.new())


@pytest.mark.parametrize("passing", [0, 1, 5, 11, 12, 13, 20, 24, 29])
async def test_a_wire_cut_at_any_byte_around_commit_loses_and_doubles_nothing(
    world: World, wire: Proxy, passing: int
) -> None:
    await world.take(world.new("0", "p0"))
    wire.cut_after = passing
    messages = [world.new("x", f"p{n}") for n in range(1, 6)]
    taken = await asyncio.gather(*(world.take(message, claim=1) for message in messages))
    assert wire.cuts
    assert [set(one.results.values()) for one in taken] == [{Taken.ACCEPTED}] * 5
    assert [len(one.claimed) for one in taken] == [1] * 5, "each is in somebody's hands"
    figures = world.store.health.figures()
    assert figures["channel_messages_answering"] == 5
    for one in taken:
        await world.answer(one.claimed[0], "ok", grant=world.grant())
    assert world.store.health.figures()["channel_outbox_sending"] == 5


async def test_what_a_commit_claimed_whose_answer_never_came_is_given_back(
    world: World, wire: Proxy
) -> None:
    turn = await world.turn("1")
    wire.cut_after = 12  # COMMIT has arrived, its answer not
    wire.goes_down_with_the_cut = True
    with pytest.raises(StoreUnavailable):
        await world.answer(turn, "reply", grant=world.grant())
    with pytest.raises(StoreUnavailable):
        await world.take(world.new("meanwhile", "p2"))
    wire.is_down = False
    await world.answer(turn, "reply", grant=world.grant())
    claimed = await world.claim_one()
    assert (claimed.message.text, claimed.attempt_no) == ("reply", 2)
    assert [a.outcome for a in await world.attempts(claimed.delivery_id)] == ["not_sent", ""]
    await world.settle(claimed)
    assert await world.state(claimed.delivery_id) is DeliveryState.SENT
    figures = world.store.health.figures()
    assert (figures["channel_outbox_sent"], figures["channel_messages_answered"]) == (1, 1)
    assert not figures.get("channel_outbox_pending") and not figures["channel_outbox_sending"]


#: A COMMIT that a disk holds up for longer than anybody waits, and that cannot be cancelled meanwhile.
_SLOW_COMMIT = """
CREATE FUNCTION hold_up() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  LOOP
    BEGIN
      PERFORM pg_advisory_xact_lock_shared(7);
      RETURN NULL;
    EXCEPTION WHEN query_canceled OR lock_not_available THEN NULL;
    END;
  END LOOP;
END $$;
CREATE CONSTRAINT TRIGGER hold_up AFTER UPDATE ON channel_outbox DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION hold_up()
"""


async def test_what_a_commit_claims_that_ends_after_it_was_given_up_is_given_back(
    world: World,
) -> None:
    (delivery_id,) = await world.queue("answer")
    disk = await asyncpg.connect(world.store.health._address._url)
    await disk.execute(_SLOW_COMMIT)
    try:
        await disk.execute("SELECT pg_advisory_lock(7)")
        async with asyncio.timeout(20):
            with pytest.raises(StoreUnavailable, match="still at this node's last commit"):
                await world.claim()
            await disk.execute("SELECT pg_advisory_unlock(7)")
            claimed: list[ClaimedDelivery] = []
            while not claimed:
                with contextlib.suppress(StoreUnavailable):  # it may be at it for a moment more
                    claimed = await world.claim()
        assert (claimed[0].delivery_id, claimed[0].attempt_no) == (delivery_id, 2)
    finally:
        await disk.execute("SELECT pg_advisory_unlock_all()")
        await disk.execute("DROP FUNCTION hold_up CASCADE")
        await disk.close()


async def test_a_wire_that_falls_silent_is_given_up_and_nothing_is_lost(
    world: World, wire: Proxy
) -> None:
    turn = await world.turn("1")
    wire.fall_silent()
    async with asyncio.timeout(20):
        with pytest.raises(StoreUnavailable):
            await world.take(world.new("2", "p2"))
        with pytest.raises(StoreUnavailable):
            await world.store.outbox.ready(world.now)
    wire.speak_again()
    await world.answer(turn, "still answered")
    assert await world.sends_in_order() == ["still answered"]


@pytest.mark.parametrize("others", [0, 50], ids=["its number is free", "its number is taken"])
@pytest.mark.parametrize("stall_s", [0.1, 20.0], ids=["given up", "waited for"])
async def test_what_the_server_lost_with_its_power_was_not_committed(
    world: World, wire: Proxy, stall_s: float, others: int
) -> None:
    """A server that starts again knows nothing of what it had not written, and gives numbers anew."""
    await world.store.close()
    world.policy = msgspec.structs.replace(POLICY, database_stall_s=stall_s)
    await world.open()
    message = world.new("lost with the power")
    wire.falls_silent_at_commit = True
    taking = asyncio.ensure_future(world.take(message))
    async with asyncio.timeout(60):
        await wire.has_commit.wait()
        await asyncio.to_thread(postgres().kill)
        wire.is_down = True
        wire.speak_again()
        await asyncio.to_thread(postgres().start)
        other = await asyncpg.connect(world.store.health._address._url.replace(*_around(wire)))
        for _ in range(others):
            await other.execute("SELECT pg_current_xact_id()")
        await other.close()
        wire.is_down = False
        try:
            taken = await taking
        except StoreUnavailable:
            taken = await world.take(message)
    assert set(taken.results.values()) == {Taken.ACCEPTED}
    claimed = await world.store.turns.claim(9, world.now)
    assert [turn.message.message_id for turn in claimed] == [message.message.message_id]


def _around(wire: Proxy) -> tuple[str, str]:
    """The wire's folder, and that of the server behind it."""
    return str(wire.folder), str(postgres().dir)


async def test_a_slow_wire_is_not_taken_for_a_silent_one(world: World, wire: Proxy) -> None:
    wire.delay_s = 0.1
    requests = [world.spooled(f"acc-{number}") for number in range(12)]
    async with asyncio.timeout(30):
        kept = await asyncio.gather(*(world.store.intake.spool(one) for one in requests))
    assert kept == [True] * 12


async def test_a_server_that_was_killed_has_everything_that_was_acknowledged(
    world: World,
) -> None:
    accepted = [world.new("x", f"p{n}") for n in range(20)]
    await asyncio.gather(*(world.take(one) for one in accepted))
    server = postgres()
    server.stop()
    with pytest.raises(StoreUnavailable):
        await world.take(world.new("refused", "p99"))
    server.start()
    turns = await world.store.turns.claim(99, world.now)
    assert {t.message.message_id for t in turns} == {one.message.message_id for one in accepted}


async def test_a_transaction_that_stands_still_is_ended_by_the_server(world: World) -> None:
    """A paused node would hold the lanes of its last batch."""
    stuck = await Address(world.store.health._address._url, POLICY).connect("stuck")
    await world.take(world.new())
    await stuck.execute("BEGIN")
    await stuck.execute("SELECT * FROM channel_lanes FOR UPDATE")
    async with asyncio.timeout(10):
        await world.take(world.new("2"))
    with pytest.raises(
        (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
    ):
        await stuck.execute("SELECT 1")
    stuck.terminate()


async def test_a_node_that_starts_waits_for_one_that_is_held_up(world: World) -> None:
    """Who puts right what a dead node left may hold what a start needs for longer than one limit."""
    holder = await Address(world.store.health._address._url, StorePolicy()).connect("holder")
    await world.store.close()
    await holder.execute("BEGIN")
    await holder.execute("SELECT value FROM meta WHERE key = 'epoch' FOR UPDATE")

    async def let_go() -> None:
        # The limit for a lock is 1.5 stalls; this is longer, and the server's own clock runs.
        await holder.execute("SELECT pg_sleep(1.5)")
        await holder.execute("ROLLBACK")

    async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
        tasks.create_task(let_go())
        await world.open()
    await holder.close()


@pytest.mark.parametrize("refused", [0, 1], ids=["at once", "after a connection too many"])
async def test_a_node_whose_session_is_ended_while_it_starts_begins_again(
    world: World, wire: Proxy, refused: int
) -> None:
    """The server ends a session that stood still in its transaction: a starved machine's, say."""
    direct = Address(world.store.health._address._url, StorePolicy())
    holder, ender = await direct.connect("holder"), await direct.connect("ender")
    await world.store.close()
    await holder.execute("BEGIN")
    await holder.execute("SELECT value FROM meta WHERE key = 'epoch' FOR UPDATE")

    async def end_it() -> None:
        ended = 0
        while not ended:
            ended = await ender.fetchval(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                " WHERE application_name = 'wunder opening' AND wait_event_type = 'Lock'"
            )
            wire.refuses = ended * refused
        await holder.execute("ROLLBACK")

    async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
        tasks.create_task(end_it())
        await world.open()
    for conn in (holder, ender):
        await conn.close()


async def test_a_server_that_takes_no_writes_any_more_is_told_once_and_waited_for(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    await world.take(world.new())
    conn = await asyncpg.connect(postgres().url("postgres"))
    name = await conn.fetchval(
        "SELECT DISTINCT datname FROM pg_stat_activity WHERE application_name LIKE 'wunder %'"
    )
    try:
        await conn.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
        await _end_sessions(conn, name)
        for _ in range(3):
            with pytest.raises(StoreUnavailable, match="takes no writes"):
                await world.take(world.new("2"))
        assert capsys.readouterr().err.count('"event":"database_away"') == 1
        await conn.execute(f"ALTER DATABASE {name} RESET default_transaction_read_only")
    finally:
        await conn.close()
    await world.take(world.new("2"))
    assert capsys.readouterr().err.count('"event":"database_back"') == 1


async def _end_sessions(conn: "asyncpg.Connection[asyncpg.Record]", database: str) -> None:
    """As after a fail-over: everybody connects anew."""
    await conn.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", database
    )
