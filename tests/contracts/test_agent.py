"""What every agent promises, whoever answers behind it."""

import pytest

from tests.fakes.agent import FakeAgent
from tests.fakes.agents import FakeLaterTable
from tests.fakes.clock import FakeClock
from tests.fakes.media import FakeMedia
from tests.standins.agent.server import AgentServer
from tests.standins.openai.server import OpenAiServer
from tests.unit.agents.turns import turn
from wunder.agents.echo import EchoAgent
from wunder.agents.http_agent import HttpAgent
from wunder.agents.later import LaterReplies
from wunder.agents.openai_agent import OpenAiAgent
from wunder.agents.settings import EchoSettings, HttpSettings, OpenAiSettings
from wunder.egress.client import EgressPolicy, GuardedClient
from wunder.model.turn import Reply

SECRET = "0123456789abcdef"


@pytest.fixture(params=["fake", "echo", "openai", "http"])
async def agent(request):
    client = GuardedClient(EgressPolicy(allow_hosts=("127.0.0.1",)))
    openai, http = OpenAiServer(), AgentServer(SECRET)
    await openai.start()
    await http.start()
    yield {
        "fake": FakeAgent(),
        "echo": EchoAgent(EchoSettings()),
        "openai": OpenAiAgent(OpenAiSettings(base_url=openai.url, model="m"), client, FakeMedia()),
        "http": HttpAgent(
            HttpSettings(url=http.url, signing_secret=SECRET),
            client,
            FakeClock(),
            LaterReplies(FakeLaterTable()),
        ),
    }[request.param]
    await openai.stop()
    await http.stop()
    await client.close()


async def test_an_agent_answers_with_replies_that_hold_text(agent):
    replies = await agent.answer(turn("hello"))
    assert isinstance(replies, tuple)
    assert [one.text.lower() for one in replies] == ["hello"]
    assert all(isinstance(one, Reply) for one in replies)


async def test_an_agent_may_have_nothing_to_say(agent):
    assert await agent.answer(turn("")) == ()


async def test_the_same_turn_may_be_asked_again(agent):
    first = await agent.answer(turn("again"))
    assert await agent.answer(turn("again")) == first
