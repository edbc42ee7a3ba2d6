"""Units of work side by side: what several of them put off in one round is written as it stood last."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.contracts.store_world import World
from tests.fakes.clock import FakeClock
from tests.postgres_server import postgres
from wunder.store.postgres.address import Address
from wunder.store.postgres.store import open_store
from wunder.store.postgres.transaction import Tx


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    url = await postgres().lend_database()

    async def opener(data_dir, clock, policy, machine):
        return await open_store(Address(url, policy), data_dir, clock, machine=machine)

    world = World(opener, tmp_path / "data", FakeClock())
    yield await world.open()
    await world.store.close()


@pytest.mark.parametrize("rounds", range(5))
async def test_a_lane_is_not_left_shut_by_repeats_that_arrive_with_an_outcome(
    world: World, rounds: int
) -> None:
    async def repeat(tx: Tx) -> None:
        for _ in range(rounds):
            await tx.execute("SELECT 1")
        await tx.settle_down()

    _, second = await world.queue("one", "two")
    sent = await world.claim_one()
    writer: Any = world.store.outbox._writer

    await asyncio.gather(
        writer.commit(repeat, lanes=()), world.settle(sent), writer.commit(repeat, lanes=())
    )

    assert (await world.claim_one()).delivery_id == second
