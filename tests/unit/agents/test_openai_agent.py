"""The OpenAI kind against a stand-in endpoint."""

import itertools

import msgspec
import pytest

from tests.fakes.media import FakeMedia
from tests.standins.openai.server import OpenAiServer
from tests.unit.agents.turns import turn
from wunder.agents.openai_agent import OpenAiAgent, prompt
from wunder.agents.openai_stream import Heard
from wunder.agents.settings import OpenAiSettings
from wunder.egress.client import EgressPolicy, GuardedClient
from wunder.errors import AgentFailed
from wunder.model.conversation import HistoryLine
from wunder.model.message import Attachment, Location
from wunder.model.turn import AgentTurn, Reply


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


def agent_at(url, client, media=None, **settings):
    return OpenAiAgent(
        OpenAiSettings(base_url=url, model="small", **settings), client, media or FakeMedia()
    )


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


# --- shown while it is written ----------------------------------------------------------------------


def watched(said: list[str], text: str = "hello") -> AgentTurn:
    return msgspec.structs.replace(turn(text), say=said.append)


async def test_what_comes_is_said_and_the_whole_is_answered(server, client):
    said: list[str] = []
    server.say("你好 world, hello again")
    assert await agent_at(server.url, client).answer(watched(said)) == (
        Reply("你好 world, hello again", "markdown"),
    )
    assert said[-1] == "你好 world, hello again"
    assert all(later.startswith(sooner) for sooner, later in itertools.pairwise(said))
    assert server.requests[0]["stream"] is True


async def test_nobody_watching_asks_for_no_stream(server, client):
    await agent_at(server.url, client).answer(turn())
    assert "stream" not in server.requests[0]


async def test_an_endpoint_that_does_not_stream_is_understood(server, client):
    server.streams_plainly = True
    said: list[str] = []
    assert await agent_at(server.url, client).answer(watched(said)) == (Reply("HELLO", "markdown"),)


async def test_a_stream_that_breaks_off_fails_and_may_be_asked_again(server, client):
    server.break_off_after(1)
    with pytest.raises(AgentFailed) as failed:
        await agent_at(server.url, client).answer(watched([]))
    assert not failed.value.is_permanent


@pytest.mark.parametrize(("status", "is_permanent"), [(401, True), (429, False), (500, False)])
async def test_a_refused_stream_is_a_refusal(server, client, status, is_permanent):
    server.fail(status)
    with pytest.raises(AgentFailed) as failed:
        await agent_at(server.url, client).answer(watched([]))
    assert (failed.value.is_permanent, str(status) in failed.value.detail) == (is_permanent, True)


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b'data: {"choices":[{"delta":{"content":"a"}}]}\r\n\r\ndata: [DONE]\r\n', "a"),
        (
            b': ping\n\ndata: {"choices":[]}\n\ndata: {"choices":[{"delta":{},"finish_reason":"stop"}]}\n',
            "",
        ),
        (b'event: x\ndata: {"choices":[{"delta":{"content":5}}]}\ndata: [DONE]\n', ""),
    ],
)
def test_streams_are_read_in_any_cut(body, text):
    for size in (1, 2, 7, len(body)):
        heard = Heard()
        for start in range(0, len(body), size):
            heard.take("text/event-stream", body[start : start + size])
        assert heard.whole() == text


@pytest.mark.parametrize(
    "event", [b"data: {\n", b"data: \xff\n", b'data: {"error":{"message":"x"}}\n']
)
def test_a_broken_event_fails(event):
    with pytest.raises(AgentFailed):
        Heard().take("text/event-stream", event)


# --- pictures -----------------------------------------------------------------------------------------


async def test_a_model_that_sees_gets_stored_pictures(server, client):
    media = FakeMedia()
    media.stored["b1"] = ("", b"\x89PNG")
    media.stored["big"] = ("", b"x" * 6_000_000)
    attachments = (
        Attachment("image", blob_id="b1", mime="image/png"),
        Attachment("image", blob_id="big", mime="image/png"),
        Attachment("image", blob_id="b1", mime="image/svg+xml"),
        Attachment("file", blob_id="b1", mime="image/png"),
        Attachment("image", media_id="m", missing="late"),
    )
    server.say("a cat")
    agent = agent_at(server.url, client, media, vision=True)
    await agent.answer(turn("what is it", attachments=attachments))
    text, *pictures = server.requests[0]["messages"][-1]["content"]
    assert text["text"].startswith("what is it")
    assert "not available" in text["text"]
    assert pictures == [
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw=="}}
    ]


async def test_without_vision_pictures_are_named_only(server, client):
    await agent_at(server.url, client).answer(
        turn("look", attachments=(Attachment("image", blob_id="b1", mime="image/png"),))
    )
    assert server.requests[0]["messages"][-1]["content"] == "look\n[image]"
