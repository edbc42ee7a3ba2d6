"""The door Interrupter: ends the running turn of one conversation, once, and no other."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from tests.fakes.interrupter import FakeInterrupter
from tests.journeys.corridor import corridor
from wunder.model.conversation import Conversation

TALK = Conversation(f"{'main':0<32}", "user", "ann")
OTHER = Conversation(f"{'main':0<32}", "user", "bob")


@asynccontextmanager
async def fake(tmp_path):
    yield FakeInterrupter(TALK)


@asynccontextmanager
async def worker(tmp_path):
    async with corridor(tmp_path) as here:

        async def never(turn):
            await asyncio.Event().wait()

        here.agents.answer_with = never
        await here.post({"id": "1", "peer": "ann", "text": "hi"})
        await here.until(lambda: here.agents.turns)
        yield here.worker


@pytest.fixture(params=[fake, worker])
async def interrupter(request, tmp_path):
    async with request.param(tmp_path) as door:
        yield door


async def test_a_running_turn_is_ended(interrupter) -> None:
    assert interrupter.interrupt(TALK)


async def test_a_conversation_without_a_turn_is_left_alone(interrupter) -> None:
    assert not interrupter.interrupt(OTHER)
