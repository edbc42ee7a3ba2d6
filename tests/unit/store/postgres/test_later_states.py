"""Rows in states of a later version: never claimed, never changed, and nobody trips over them."""

from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from tests.contracts.store_world import World, database_of, open_postgres
from tests.fakes.clock import FakeClock
from wunder.model.delivery import DeliveryState
from wunder.model.message import MessageState
from wunder.upkeep.ledger import DeliveryFilter, MessageFilter

LATER = "weighing"


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    opened = await World(open_postgres, tmp_path / "node", FakeClock()).open()
    yield opened
    await opened.store.close()
    conn = await asyncpg.connect(database_of(opened.dir))
    await conn.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    await conn.close()


async def in_a_later_state(world: World, table: str, key: str, value: str) -> None:
    """What a node of a later version does, whose migration widened the CHECK."""
    conn = await asyncpg.connect(database_of(world.dir))
    name = await conn.fetchval(
        "SELECT conname FROM pg_constraint WHERE conrelid = $1::regclass AND contype = 'c'"
        " AND pg_get_constraintdef(oid) LIKE '%state%'",
        table,
    )
    if name:
        await conn.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
    done = await conn.execute(f"UPDATE {table} SET state = $1 WHERE {key} = $2", LATER, value)
    assert done == "UPDATE 1"
    await conn.close()


async def state_of(world: World, table: str, key: str, value: str) -> str:
    conn = await asyncpg.connect(database_of(world.dir))
    found: str = await conn.fetchval(f"SELECT state FROM {table} WHERE {key} = $1", value)
    await conn.close()
    return found


async def test_a_delivery_in_a_later_state_is_left_alone(world: World) -> None:
    (later,) = await world.queue("later", peer="p1")
    (other,) = await world.queue("other", peer="p2")
    await in_a_later_state(world, "channel_outbox", "delivery_id", later)
    claimed = await world.claim(9)
    assert [one.delivery_id for one in claimed] == [other]
    world.clock.advance(2 * 86_400)
    await world.store.sweep()
    assert await state_of(world, "channel_outbox", "delivery_id", later) == LATER
    page = await world.store.ledger.deliveries(DeliveryFilter(), 9, "")
    assert {str(one.state) for one in page.items} <= {*map(str, DeliveryState), LATER}
    assert len(page.items) == 2


async def test_a_message_in_a_later_state_is_left_alone(world: World) -> None:
    await world.take(world.new("later", peer="p1"))
    await world.take(world.new("other", peer="p2"))
    page = await world.store.ledger.messages(MessageFilter(text="later"), 9, "")
    await in_a_later_state(world, "channel_messages", "message_id", page.items[0].message_id)
    claimed = await world.store.turns.claim(9, world.now)
    assert [turn.message.content.text for turn in claimed] == ["other"]
    page = await world.store.ledger.messages(MessageFilter(), 9, "")
    assert {str(one.state) for one in page.items} <= {*map(str, MessageState), LATER}


async def test_a_dead_nodes_rows_in_a_later_state_are_not_put_right_by_an_older_node(
    world: World,
) -> None:
    await world.queue("x")
    claimed = await world.claim_one()
    await in_a_later_state(world, "channel_outbox", "delivery_id", claimed.delivery_id)
    await world.die_and_return()
    assert await state_of(world, "channel_outbox", "delivery_id", claimed.delivery_id) == LATER


async def test_a_step_of_a_later_version_is_shown_by_its_word(world: World) -> None:
    (delivery_id,) = await world.queue("x")
    root = (await world.delivery(delivery_id)).root_message_id
    assert root is not None
    conn = await asyncpg.connect(database_of(world.dir))
    more = f'[["{LATER}", 1, "", "", "", "", "", 0, {{}}]]'
    later = "INSERT INTO channel_trail (message_id, step, at, more) VALUES ($1, $2, 1, $3)"
    await conn.execute(later, root, LATER, more)
    await conn.close()
    told = [str(step) for step in await world.steps(root)]
    assert told.count(LATER) == 2
