"""What every catalogue of agents promises."""

import pytest

from tests.fakes.agent import FakeAgent
from tests.fakes.agents import FakeAgentBook, FakeAgents, FakeLaterTable
from tests.fakes.clock import FakeClock
from tests.fakes.media import FakeMedia
from wunder.agents.catalog import AgentCatalog
from wunder.agents.http_wire import turn_token
from wunder.agents.later import LaterReplies
from wunder.egress.client import GuardedClient
from wunder.model.binding import AgentSpec
from wunder.model.ids import AgentId, TurnId
from wunder.model.turn import Reply


def catalog():
    book = FakeAgentBook(AgentSpec(AgentId("one"), "echo", {}, {}, 1))
    later = LaterReplies(FakeLaterTable())
    return AgentCatalog(book, GuardedClient(), FakeClock(), FakeMedia(), later)


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


async def test_replies_to_a_turn_that_does_not_wait_are_not_accepted(agents):
    assert not await agents.accept_replies(TurnId("t"), "", (Reply("x"),))
    assert not await agents.accept_replies(TurnId("t"), "token", ())


async def test_whose_token_is_of_no_agent_here_leaves_nothing_for_other_nodes():
    table = FakeLaterTable()
    turn_id = TurnId("t")
    table.answering.add(turn_id)
    http = AgentSpec(AgentId("h"), "http", {"url": "http://x"}, {"signing_secret": "s"}, 1)
    book = FakeAgentBook(AgentSpec(AgentId("one"), "echo", {}, {}, 1), http)
    agents = AgentCatalog(book, GuardedClient(), FakeClock(), FakeMedia(), LaterReplies(table))
    said = (Reply("x"),)
    assert not await agents.accept_replies(turn_id, turn_token("other", turn_id), said)
    assert not await agents.accept_replies(turn_id, turn_token("s", TurnId("another")), said)
    assert not await agents.accept_replies(turn_id, "\udc80", said)
    assert table.left == {}
    assert await agents.accept_replies(turn_id, turn_token("s", turn_id), said)
    assert table.left == {turn_id: said}
