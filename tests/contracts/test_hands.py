"""The door Hands: slots are granted, given back and used, and never more than there are."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from tests.fakes.hands import FakeHands
from tests.journeys.corridor import corridor
from tests.waiting import until


@asynccontextmanager
async def fake(tmp_path):
    yield FakeHands(free=4)


@asynccontextmanager
async def worker(tmp_path):
    async with corridor(tmp_path) as here:
        await until(lambda: here.worker.reserve(1) == 1)  # run() has begun
        here.worker.release(1)
        yield here.worker


@pytest.fixture(params=[fake, worker])
async def hands(request, tmp_path):
    async with request.param(tmp_path) as door:
        yield door


async def test_never_grants_more_than_asked_or_free(hands) -> None:
    assert hands.reserve(3) == 3
    rest = hands.reserve(1_000_000)
    assert hands.reserve(1) == 0
    hands.release(3 + rest)


async def test_what_is_given_back_can_be_reserved_again(hands) -> None:
    everything = hands.reserve(1_000_000)
    hands.release(everything)
    assert hands.reserve(1_000_000) == everything
    hands.release(everything)


async def test_waking_never_blocks(hands) -> None:
    hands.wake()
    hands.wake()
    await asyncio.sleep(0)
