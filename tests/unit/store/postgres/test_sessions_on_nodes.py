"""A message that comes in while another node opens the conversation's session is of that session."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import pytest

from tests.contracts.store_world import CHANNEL, RELEASE, UID, World, database_of
from tests.waiting import until
from wunder.errors import FenceLost
from wunder.model.ids import AccountId, RequestId, new_id
from wunder.model.intake import AccountIntake, IntakeUnit, NewReceipt, TakenIn
from wunder.model.message import MessageState
from wunder.model.turn import ClaimedTurn
from wunder.store.postgres.transaction import Tx

_LOCK_LANES = "SELECT 1 FROM channel_lanes WHERE kind = 'turn' FOR UPDATE"
_WAITING = """
SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
  AND wait_event_type = 'Lock' AND (wait_event = 'advisory') = $1
"""
#: Of the server: the name of the lock that a unit here waits for.
GATE = 7


@asynccontextmanager
async def connected(world: World) -> AsyncIterator[asyncpg.Connection]:
    conn = await asyncpg.connect(database_of(world.dir))
    try:
        yield conn
    finally:
        await conn.close()


async def until_waiting(conn: asyncpg.Connection, count: int, at_the_gate: bool = False) -> None:
    """Wait until so many wait for lanes, or at the gate."""

    async def are_waiting() -> bool:
        return bool(await conn.fetchval(_WAITING, at_the_gate) == count)

    await until(are_waiting)


def with_a_receipt(world: World) -> IntakeUnit:
    """A request whose lanes are not all known before it runs."""
    told = NewReceipt("nobody-s", "delivered", world.now)
    part = AccountIntake(
        account_uid=UID,
        channel=CHANNEL,
        account_id=AccountId("main"),
        release=RELEASE,
        messages=(world.new("and then?", platform_id="pm-later"),),
        receipts=(told,),
    )
    return IntakeUnit(RequestId(new_id()), world.now, world.now, world.now, (part,), None)


async def answered_both(first: World, turn: ClaimedTurn, second: World, taken: TakenIn) -> None:
    """The second message is of the session that the first opened, and its turn ends well."""
    (later,) = taken.claimed
    assert later.session_id == "s1"
    await second.answer(later, "then that", session_id="s1")
    for one in (turn, later):
        state, _ = await first.message_state(one.message.message_id)
        assert state == MessageState.ANSWERED


async def test_it_is_claimed_for_that_session_though_a_receipt_comes_with_it(
    nodes: tuple[World, World],
) -> None:
    first, second = nodes
    async with asyncio.timeout(30), connected(first) as holds, connected(first) as looks:
        turn = await first.turn("hello")
        await holds.execute("BEGIN")
        await holds.execute(_LOCK_LANES)
        ends = asyncio.create_task(first.answer(turn, "hi"))
        await until_waiting(looks, 1)
        comes = asyncio.create_task(second.store.intake.take_in(with_a_receipt(second), 1))
        await until_waiting(looks, 2)
        await holds.execute("COMMIT")
        await ends
        await answered_both(first, turn, second, await comes)


async def test_it_is_claimed_for_that_session_though_the_store_refused_what_came_beside_it(
    nodes: tuple[World, World],
) -> None:
    first, second = nodes
    writer: Any = second.store.outbox._writer
    tries = 0

    async def lost(tx: Tx) -> None:
        """Has lost its fence: all that was to be committed with it is run once more, one by one."""
        nonlocal tries
        tries += 1
        if tries > 1:
            await tx.execute(f"SELECT pg_advisory_xact_lock({GATE})")
        raise FenceLost("another node has it")

    async with asyncio.timeout(30), connected(first) as holds, connected(first) as looks:
        turn = await first.turn("hello")
        async with connected(first) as gate:
            await gate.execute(f"SELECT pg_advisory_lock({GATE})")
            refused = asyncio.create_task(writer.commit(lost, lanes=()))
            comes = asyncio.create_task(
                second.take(second.new("and then?", platform_id="pm-later"), claim=1)
            )
            await until_waiting(looks, 1, at_the_gate=True)
            await holds.execute("BEGIN")
            await holds.execute(_LOCK_LANES)
            ends = asyncio.create_task(first.answer(turn, "hi"))
            await until_waiting(looks, 1)
            await gate.execute(f"SELECT pg_advisory_unlock({GATE})")
        # The message waits for its lane, behind the answer.
        await until_waiting(looks, 2)
        await holds.execute("COMMIT")
        await ends
        with pytest.raises(FenceLost):
            await refused
        await answered_both(first, turn, second, await comes)
