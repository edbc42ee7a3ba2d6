"""The OpenAI kind against a stand-in endpoint."""

import pytest

from tests.standins.openai.server import OpenAiServer
from tests.unit.agents.turns import turn
from wunder.agents.openai_agent import OpenAiAgent, prompt
from wunder.agents.settings import OpenAiSettings
from wunder.egress.client import EgressPolicy, GuardedClient
from wunder.errors import AgentFailed
from wunder.model.conversation import HistoryLine
from wunder.model.message import Attachment, Location
from wunder.model.turn import Reply


@pytest.fixture
async def server():
    server = OpenAiServer()
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def client():
    client = GuardedClient(EgressPolicy(allow_hosts=("127.0.0.1",)))
    yield client
    await client.close()


def agent_at(url, client, **settings):
    return OpenAiAgent(OpenAiSettings(base_url=url, model="small", **settings), client)


async def failure(agent) -> AgentFailed:
    with pytest.raises(AgentFailed) as failed:
        await agent.answer(turn())
    return failed.value


async def test_an_answer_is_one_markdown_reply(server, client):
    agent = agent_at(server.url, client, api_key="k", temperature=0.5, max_tokens=9)
    assert await agent.answer(turn("hello")) == (Reply("HELLO", "markdown"),)
    asked, headers = server.requests[0], server.headers[0]
    assert asked["model"] == "small"
    assert (asked["temperature"], asked["max_tokens"]) == (0.5, 9)
    assert headers["Authorization"] == "Bearer k"
    assert headers["Idempotency-Key"] == "b" * 32


async def test_the_environment_adds_nothing(server, client, monkeypatch):
    for name in ("OPENAI_ORG_ID", "OPENAI_PROJECT_ID", "OPENAI_API_KEY"):
        monkeypatch.setenv(name, "from-the-environment")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    await agent_at(server.url, client).answer(turn())
    assert "from-the-environment" not in str(dict(server.headers[0]))


async def test_meta_never_reaches_the_endpoint(server, client):
    await agent_at(server.url, client).answer(turn())
    assert "never" not in str(server.requests[0])


@pytest.mark.parametrize("content", ["", "  \n", None, 5, ["x"]])
async def test_an_answer_without_text_says_nothing(server, client, content):
    server.say(content)
    assert await agent_at(server.url, client).answer(turn()) == ()


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 422, 302])
async def test_a_refusal_is_permanent(server, client, status):
    server.fail(status)
    failed = await failure(agent_at(server.url, client))
    assert failed.is_permanent
    assert str(status) in failed.detail
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", [408, 409, 429, 500, 502, 503])
async def test_what_may_pass_is_tried_again_by_the_turn_and_not_by_the_sdk(server, client, status):
    server.fail(status)
    assert not (await failure(agent_at(server.url, client))).is_permanent
    assert len(server.requests) == 1


async def test_a_used_up_quota_is_permanent(server, client):
    server.fail(429, "insufficient_quota")
    assert (await failure(agent_at(server.url, client))).is_permanent


@pytest.mark.parametrize("body", ["no json", {}, {"choices": []}, {"choices": None}, [], "[]", "5"])
async def test_what_is_no_completion_fails_the_turn(server, client, body):
    server.answer_raw(body)
    assert (await failure(agent_at(server.url, client))).detail


async def test_an_endpoint_that_hangs_is_left_after_the_limit(server, client):
    server.hang()
    failed = await failure(agent_at(server.url, client, timeout_s=0.05))
    assert not failed.is_permanent


async def test_rule_10_an_endpoint_that_is_not_global_is_refused_for_good(server):
    strict = GuardedClient()
    failed = await failure(agent_at(server.url, strict))
    assert failed.is_permanent
    assert "refused_address" in failed.detail
    assert not server.requests
    await strict.close()


async def test_nobody_listening_may_pass(server, client):
    await server.stop()
    failed = await failure(agent_at(server.url, client))
    assert not failed.is_permanent
    assert "connect" in failed.detail


def test_history_is_bounded_by_messages_and_characters_newest_kept():
    history = tuple(HistoryLine("user", str(n) * 10) for n in range(6))
    settings = OpenAiSettings(
        base_url="", model="", system_prompt="be kind", history_messages=4, history_chars=35
    )
    lines = prompt(turn("now", history=history), settings)
    assert [one["content"] for one in lines] == ["be kind", "3" * 10, "4" * 10, "5" * 10, "now"]
    none = OpenAiSettings(base_url="", model="", history_messages=0)
    assert len(prompt(turn("now", history=history), none)) == 1


def test_in_a_group_names_stand_before_what_people_say():
    history = (HistoryLine("user", "hi", "Bob"), HistoryLine("assistant", "hello", ""))
    settings = OpenAiSettings(base_url="", model="")
    lines = prompt(turn("now", kind="group", history=history), settings)
    assert [one["content"] for one in lines] == ["Bob: hi", "hello", "Ann: now"]


def test_what_is_attached_is_named():
    attachments = (Attachment("image", name="cat.png"), Attachment("file"))
    asked = turn("look", attachments=attachments, location=Location(1.5, 2.5))
    line = prompt(asked, OpenAiSettings(base_url="", model=""))[0]
    assert line["content"] == "look\n[image: cat.png]\n[file]\n[location: 1.5, 2.5]"


def test_settings_show_no_key():
    assert "secret" not in repr(OpenAiSettings(base_url="", model="m", api_key="secret"))
