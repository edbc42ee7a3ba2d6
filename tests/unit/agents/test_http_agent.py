"""The HTTP kind against a stand-in agent: the contract to the letter."""

import asyncio
import hashlib
import hmac
import json

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.agents import FakeLaterTable
from tests.fakes.clock import FakeClock
from tests.standins.agent.server import AgentServer
from tests.unit.agents.turns import turn
from wunder.agents.http_agent import HttpAgent, _Answer
from wunder.agents.http_wire import EventStream, read_replies, signature, turn_token
from wunder.agents.later import LaterReplies
from wunder.agents.settings import HttpSettings
from wunder.egress.answer import Response
from wunder.egress.client import EgressPolicy, GuardedClient
from wunder.errors import AgentFailed
from wunder.model.conversation import HistoryLine
from wunder.model.ids import TurnId
from wunder.model.message import Attachment
from wunder.model.turn import Reply

SECRET = "0123456789abcdef"
TURN = TurnId("b" * 32)


@pytest.fixture
async def server():
    server = AgentServer(SECRET)
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def client():
    client = GuardedClient(EgressPolicy(allow_hosts=("127.0.0.1",)))
    yield client
    await client.close()


@pytest.fixture
def table():
    return FakeLaterTable()


@pytest.fixture
def later(table):
    return LaterReplies(table)


@pytest.fixture
def agent(server, client, later):
    return HttpAgent(
        HttpSettings(url=server.url, signing_secret=SECRET, timeout_s=3, later_s=3),
        client,
        FakeClock(now_ms=1_700_000_000_999),
        later,
    )


async def failure(agent) -> AgentFailed:
    with pytest.raises(AgentFailed) as failed:
        await agent.answer(turn())
    return failed.value


async def test_a_turn_is_asked_with_exactly_these_fields(server, agent):
    history = (HistoryLine("user", "before", "Ann"),)
    await agent.answer(turn("hello", history=history))
    (asked,) = server.turns
    assert list(asked) == [
        "turn_id",
        "session_id",
        "channel",
        "account_id",
        "peer",
        "sender",
        "message",
        "history",
    ]
    assert asked["turn_id"] == TURN
    assert asked["peer"] == {"kind": "user", "id": "p1", "name": "Friends"}
    assert asked["sender"] == {"id": "s1", "name": "Ann", "is_bot": False}
    assert asked["message"]["text"] == "hello"
    assert asked["message"]["thread_id"] == "t1"
    assert asked["history"][0]["text"] == "before"
    assert "never" not in json.dumps(asked)


async def test_a_request_is_signed_and_has_the_turn_as_its_key(server, agent):
    await agent.answer(turn())
    headers = server.headers[0]
    assert headers["X-Wunder-Signature"].startswith("t=1700000000,v1=")
    assert headers["Idempotency-Key"] == TURN
    assert headers["X-Wunder-Turn-Token"] == turn_token(SECRET, TURN)


def test_the_signature_is_that_of_the_contract():
    expected = hmac.new(b"k", b'17.{"a":1}', hashlib.sha256).hexdigest()
    assert signature("k", 17, b'{"a":1}') == f"t=17,v1={expected}"


async def test_replies_come_as_json(server, agent):
    picture = {"kind": "image", "url": "https://a.example/x.png"}
    server.answer(
        {
            "replies": [
                {"text": "**a**", "format": "markdown"},
                {"text": "b", "attachments": [picture]},
            ]
        }
    )
    assert await agent.answer(turn()) == (
        Reply("**a**", "markdown"),
        Reply("b", "plain", (Attachment("image", url="https://a.example/x.png"),)),
    )


@pytest.mark.parametrize(
    ("body", "status"), [({"replies": []}, 200), ("", 204), ({"replies": [{"text": " "}]}, 200)]
)
async def test_an_agent_may_say_nothing(server, agent, body, status):
    server.answer(body, status)
    assert await agent.answer(turn()) == ()


async def test_replies_come_as_a_stream_that_ends_with_final(server, agent):
    server.stream(
        b': hello\n\nevent: delta\ndata: {"text":"Good "}\n\nevent: del',
        b'ta\r\ndata: {"text":\r\ndata: "morning"}\r\n\r\nevent: other\ndata: {}\n\n',
        b'event: final\ndata: {"replies":[{"text":"Good morning"}]}\n\n',
        then_wait=True,
    )
    server.hang()
    assert await agent.answer(turn()) == (Reply("Good morning"),)


async def test_a_final_event_without_replies_means_what_was_streamed(server, agent):
    server.stream(
        b'event: delta\ndata: {"text":"a"}\n\nevent: delta\ndata: {"text":"b"}\n\n',
        b"event: final\ndata: {}\n\n",
    )
    assert await agent.answer(turn()) == (Reply("ab"),)


def test_what_is_streamed_is_said_to_who_watches():
    said: list[str] = []
    answer = _Answer(said.append)
    came = Response(200, (("Content-Type", "text/event-stream"),))
    for chunk in (
        b'event: delta\ndata: {"text":"Good "}\n\n',
        b'event: delta\ndata: {"text":"morning"}\n\n',
        b'event: final\ndata: {"replies":[{"text":"Good morning!"}]}\n\n',
    ):
        answer.take(came, chunk)
    assert said == ["Good ", "Good morning"]
    assert answer.replies(came) == (Reply("Good morning!"),)


async def test_a_stream_that_breaks_off_may_be_tried_again(server, agent):
    server.stream(b'event: delta\ndata: {"text":"a"}\n\n')
    assert not (await failure(agent)).is_permanent


async def answer_later(agent, later, server, *accepts):
    """Run a turn, and offer replies once the agent was asked; what each offer came to, the answer."""
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        answering = group.create_task(agent.answer(turn()))
        await server.was_asked.wait()
        came = [await later.accept(*one, is_genuine=False) for one in accepts]
    return came, answering.result()


async def test_an_agent_may_answer_later_with_the_turns_own_token(server, agent, later):
    server.answer("", 202)
    token = turn_token(SECRET, TURN)
    offers = [
        (TURN, "wrong", (Reply("forged"),)),
        (TurnId("other"), token, (Reply("forged"),)),
        (TURN, token, (Reply("late"),)),
        (TURN, token, (Reply("twice"),)),
    ]
    came, replies = await answer_later(agent, later, server, *offers)
    assert came == [False, False, True, False]
    assert replies == (Reply("late"),)
    assert not await later.accept(TURN, token, (Reply("after the end"),), is_genuine=False)


async def test_a_later_answer_may_overtake_the_202(server, agent, later):
    token = turn_token(SECRET, TURN)
    server.hang()

    async def go_on(request):
        assert await later.accept(TURN, token, (Reply("quick"),), is_genuine=True)
        return web.Response(status=202)

    server.answers.append(go_on)
    assert await agent.answer(turn()) == (Reply("quick"),)


async def test_a_later_answer_may_come_to_another_node(server, agent, later, table):
    server.answer("", 202)
    token = turn_token(SECRET, TURN)
    other = LaterReplies(table)
    table.answering.add(TURN)
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        answering = group.create_task(agent.answer(turn()))
        await server.was_asked.wait()
        assert not await other.accept(TURN, "forged", (Reply("x"),), is_genuine=False)
        assert await other.accept(TURN, token, (Reply("late"),), is_genuine=True)
        await later.look()  # as it does when it hears of it
    assert answering.result() == (Reply("late"),)


async def test_what_came_to_another_node_before_the_202_counts(server, agent, table):
    token = turn_token(SECRET, TURN)
    table.answering.add(TURN)
    server.hang()

    async def go_on(request):
        other = LaterReplies(table)
        assert await other.accept(TURN, token, (Reply("quick"),), is_genuine=True)
        assert not await other.accept(TURN, token, (Reply("twice"),), is_genuine=True)
        return web.Response(status=202)

    server.answers.append(go_on)
    assert await agent.answer(turn()) == (Reply("quick"),)


async def test_a_promise_that_is_not_kept_fails_the_turn(server, client, later):
    settings = HttpSettings(url=server.url, signing_secret=SECRET, later_s=0.05)
    server.answer("", 202)
    failed = await failure(HttpAgent(settings, client, FakeClock(), later))
    assert "sent none" in failed.detail


@pytest.mark.parametrize("status", [400, 401, 404, 422, 301])
async def test_a_refusal_is_permanent(server, agent, status):
    server.answer("", status)
    assert (await failure(agent)).is_permanent


@pytest.mark.parametrize("status", [408, 409, 425, 429, 500, 503])
async def test_what_may_pass_may_be_tried_again(server, agent, status):
    server.answer("", status)
    assert not (await failure(agent)).is_permanent


async def test_an_agent_that_hangs_is_left_after_the_limit(server, client, later):
    server.hang()
    settings = HttpSettings(url=server.url, signing_secret=SECRET, timeout_s=0.05)
    failed = await failure(HttpAgent(settings, client, FakeClock(), later))
    assert "timeout" in failed.detail
    assert not failed.is_permanent


async def test_an_answer_that_is_too_large_is_refused(server, agent):
    server.answer("x" * 1_100_000)
    assert "more than" in (await failure(agent)).detail


async def test_rule_10_an_agent_that_is_not_global_is_refused(server, later):
    strict = GuardedClient()
    settings = HttpSettings(url=server.url, signing_secret=SECRET)
    failed = await failure(HttpAgent(settings, strict, FakeClock(), later))
    assert "refused_address" in failed.detail
    assert failed.is_permanent
    await strict.close()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no",
        b"[]",
        b"{}",
        b'{"replies":[{"text":5}]}',
        b'{"replies":[{"format":"html"}]}',
        b'{"replies":' + b"[" * 100_000,
        json.dumps({"replies": [{"text": "x"}] * 21}).encode(),
        json.dumps({"replies": [{"text": "x" * 100_001}]}).encode(),
    ],
)
def test_rule_5_an_answer_that_is_none_is_a_permanent_failure(body):
    with pytest.raises(AgentFailed) as failed:
        read_replies(body)
    assert failed.value.is_permanent


@given(st.lists(st.integers(1, 40), max_size=30))
def test_a_stream_reads_the_same_in_whatever_pieces(cuts):
    whole = 'event: delta\ndata: {"text":"你"}\n\nevent: delta\ndata: {"text":"好"}\n\n'.encode()
    whole += b"event: final\ndata: {}\n\n"
    events, at = EventStream(), 0
    for size in cuts:
        events.feed(whole[at : at + size])
        at += size
    if at < len(whole):
        events.feed(whole[at:])
    assert events.replies == (Reply("你好"),)


@given(st.binary(max_size=200))
def test_no_bytes_break_the_stream_reader(rubbish):
    try:
        EventStream().feed(rubbish + b"\n\n")
    except AgentFailed as failed:
        assert failed.is_permanent


def test_the_token_of_a_turn_is_its_own():
    assert turn_token(SECRET, TurnId("a")) != turn_token(SECRET, TurnId("b"))
    assert turn_token(SECRET, TurnId("a")) != turn_token("another secret!!", TurnId("a"))
