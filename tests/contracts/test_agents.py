"""What every catalogue of agents promises."""

import pytest

from tests.fakes.agent import FakeAgent
from tests.fakes.agents import FakeAgents
from tests.fakes.clock import FakeClock
from tests.fakes.media import FakeMedia
from wunder.agents.catalog import AgentCatalog
from wunder.egress.client import GuardedClient
from wunder.model.binding import AgentSpec
from wunder.model.ids import AgentId, TurnId
from wunder.model.turn import Reply


def catalog():
    specs = {"one": AgentSpec(AgentId("one"), "echo", {}, {}, 1)}
    return AgentCatalog(
        specs.get, lambda: AgentId("one"), GuardedClient(), FakeClock(), FakeMedia()
    )


@pytest.fixture(params=["fake", "catalog"])
def agents(request):
    return FakeAgents(one=FakeAgent()) if request.param == "fake" else catalog()


def test_a_known_agent_is_found_and_the_same_until_it_changes(agents):
    assert agents.get(AgentId("one")) is not None
    assert agents.get(AgentId("one")) is agents.get(AgentId("one"))


def test_an_unknown_agent_is_not_found(agents):
    assert agents.get(AgentId("two")) is None


def test_the_default_is_one_of_them(agents):
    assert agents.get(agents.default_id()) is not None


def test_replies_to_a_turn_that_does_not_wait_are_not_accepted(agents):
    assert not agents.accept_replies(TurnId("t"), "", (Reply("x"),))
    assert not agents.accept_replies(TurnId("t"), "token", ())
