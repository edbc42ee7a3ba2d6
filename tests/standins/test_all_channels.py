"""Every channel, built in and as a plugin: in, agent, out, whatever its platform does."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.standins.journey import WAYS, Way, agent_server, journey
from tests.standins.kinds import (
    FEISHU,
    KINDS,
    QQ,
    SENT,
    WECHAT_MP,
    WECOM_BOT,
    WECOM_DESK,
    WHATSAPP,
    Kind,
)
from tests.vectors.replay import Recorded
from tests.waiting import until

PEOPLE = 50
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40
STORY = (
    b'event: delta\ndata: {"text":"Once upon"}\n\n',
    b'event: final\ndata: {"replies":[{"text":"Once upon a time","format":"markdown"}]}\n\n',
)
#: The customer service fetches with the app's token, and each of its callbacks would wait for it.
WITH_TOKEN = [one for one in KINDS if one.token_call and one is not WECOM_DESK]
kinds = pytest.mark.parametrize("kind", KINDS, ids=str)
every = pytest.mark.parametrize("kind", [*KINDS, WECOM_BOT], ids=str)
ways = pytest.mark.parametrize("way", WAYS)


@ways
@every
async def test_a_question_is_answered_once_however_often_it_is_delivered(
    kind: Kind, way: Way, tmp_path: Path
) -> None:
    async with journey(kind, way, tmp_path / "data") as here:
        recorded = kind.write(here.standin, kind.person(1), "你好", here.clock.now() / 1000)
        for _ in range(2):
            assert await here.post(recorded) == (200, kind.ack)

        await here.until_states(SENT)
        assert here.texts() == ["你好"]


@ways
@kinds
async def test_each_class_of_the_platforms_errors_ends_as_it_should(
    kind: Kind, way: Way, tmp_path: Path
) -> None:
    async with journey(kind, way, tmp_path / "data") as here:
        states: list[str] = []
        for number, one in enumerate(kind.outcomes):
            answer_with = (
                {"status": one.status} if kind.channel in ("feishu", "qqbot", "whatsapp") else {}
            )
            here.platform.answer_with(one.code, **answer_with)
            await here.write(f"code {one.code}", number)
            states.append(one.state)
            await here.until_states(*states, step_s=10)
            assert not here.platform.faults, one.code

        arrived = [f"code {one.code}" for one in kind.outcomes if one.state == SENT]
        assert here.texts() == arrived


@ways
@pytest.mark.parametrize("kind", WITH_TOKEN, ids=str)
async def test_a_token_that_ends_under_fifty_sends_is_refreshed_once(
    kind: Kind, way: Way, tmp_path: Path
) -> None:
    async with journey(kind, way, tmp_path / "data") as here:
        await here.write("first")
        await here.until_states(SENT)
        before = here.platform.requests[kind.token_call]
        here.platform.expire_token()

        async with asyncio.TaskGroup() as group:
            for number in range(1, PEOPLE + 1):
                group.create_task(here.write(f"number {number}", number))

        await here.until_states(*[SENT] * (PEOPLE + 1))
        assert here.platform.requests[kind.token_call] == before + 1
        assert sorted(here.texts()) == sorted(["first", *(f"number {n}" for n in range(1, 51))])


@ways
@kinds
async def test_after_two_minutes_of_outage_everything_arrives_once_and_in_order(
    kind: Kind, way: Way, tmp_path: Path
) -> None:
    async with journey(kind, way, tmp_path / "data") as here:
        here.platform.fail(10**6, status=503)
        texts = [f"question {number}" for number in range(4)]
        for text in texts[:3]:
            await here.write(text)
        await here.pass_time(120)
        assert here.texts() == []
        here.platform.faults.clear()
        await here.write(texts[3])

        await here.until_states(*[SENT] * 4)
        assert here.texts() == texts


@ways
@pytest.mark.parametrize(
    ("kind", "courtesies"),
    [(WECHAT_MP, ["Typing"]), (WHATSAPP, ["read", "typing"]), (QQ, ["typing"])],
    ids=["wechat_mp", "whatsapp", "qqbot"],
)
async def test_who_writes_sees_that_an_answer_is_on_its_way(
    kind: Kind, courtesies: list[str], way: Way, tmp_path: Path
) -> None:
    assert kind.courteous is not None
    async with (
        agent_server() as agent,
        journey(kind, way, tmp_path / "data", agent=agent, **kind.courteous) as here,
    ):
        agent.hang()
        await here.write("think")
        await until(agent.was_asked.is_set)
        here.clock.advance(2)
        await until(lambda: kind.shown(here.platform) == courtesies)
        assert here.texts() == []
        agent.go_on.set()

        await here.until_states(SENT)
        assert here.texts() == ["think"]


@ways
@pytest.mark.parametrize("kind", [FEISHU, QQ], ids=str)
async def test_an_answer_is_shown_while_it_is_written(kind: Kind, way: Way, tmp_path: Path) -> None:
    async with agent_server() as agent, journey(kind, way, tmp_path / "data", agent=agent) as here:
        agent.stream(*STORY, wait_before_last=True)
        agent.hang()
        await here.write("tell me")

        await here.until(lambda: here.texts() == ["Once upon"])
        agent.go_on.set()

        await here.until_states(SENT)
        assert here.texts() == ["Once upon a time"]


@ways
@kinds
async def test_a_picture_goes_to_the_agent_and_back(kind: Kind, way: Way, tmp_path: Path) -> None:
    async with agent_server() as agent, journey(kind, way, tmp_path / "data", agent=agent) as here:
        agent.answer({"replies": [{"text": "got it"}]})
        await here.send_picture(PNG)
        await here.until_states(SENT, step_s=0.05)
        (brought,) = agent.turns[0]["message"]["attachments"]
        assert brought["mime"] == "image/png" and brought["url"]

        back = {"kind": "image", "blob_id": brought["blob_id"], "name": "back.png"}
        agent.answer({"replies": [{"text": "here", "attachments": [back]}]})
        await here.write("again")

        await here.until_states(SENT, SENT, step_s=0.05)
        assert kind.pictures(here.platform) == [PNG]


@ways
async def test_an_ai_bots_answer_grows_in_the_stream_that_its_platform_polls(
    way: Way, tmp_path: Path
) -> None:
    async with (
        agent_server() as agent,
        journey(WECOM_BOT, way, tmp_path / "data", agent=agent, streaming=True) as here,
    ):
        callbacks = here.standin.callbacks
        agent.stream(*STORY, wait_before_last=True)
        agent.hang()
        asked = WECOM_BOT.write(here.standin, WECOM_BOT.person(1), "tell me", 0)
        opened = callbacks.read_answer((await here.post(asked))[1])["stream"]

        async def is_shown(text: str, *, finish: bool) -> bool:
            poll = callbacks.poll(opened["id"])
            recorded = Recorded("POST", poll.raw_query, dict(poll.headers), poll.body)
            status, body = await here.post(recorded)
            shown: dict[str, Any] = callbacks.read_answer(body)["stream"]
            return status == 200 and (shown["content"], shown["finish"]) == (text, finish)

        assert not opened["finish"]
        await here.until(lambda: is_shown("Once upon", finish=False))
        agent.go_on.set()
        await here.until(lambda: is_shown("Once upon a time", finish=True))
        (delivery,) = await here.until_states(SENT)
        assert delivery.receipt == "delivered"


@ways
async def test_a_passive_reply_travels_in_the_webhooks_own_response(
    way: Way, tmp_path: Path
) -> None:
    async with journey(WECHAT_MP, way, tmp_path / "data", reply_mode="passive") as here:
        recorded = WECHAT_MP.write(
            here.standin, WECHAT_MP.person(1), "你好", here.clock.now() / 1000
        )
        async with asyncio.TaskGroup() as group:
            posting = group.create_task(here.post(recorded))

            await here.until(posting.done)
        status, body = posting.result()
        reply = here.standin.callbacks.read_answer(body)

        assert status == 200 and reply is not None
        assert (reply["ToUserName"], reply["Content"]) == (WECHAT_MP.person(1), "你好")
        await here.until_states(SENT)
        assert here.texts() == []


@pytest.mark.process
@every
async def test_the_switch_between_built_in_and_plugin_loses_and_doubles_nothing(
    kind: Kind, tmp_path: Path
) -> None:
    async with journey(kind, "builtin", tmp_path / "data") as here:
        here.way = "plugin"  # calls take real time from here on
        store = here.gateway.store
        before = (await store.accounts.all(), await store.bindings.all())
        wanted: list[str] = []

        async def write_on(count: int) -> None:
            for _ in range(count):
                wanted.append(f"n{len(wanted)}")
                await here.write(wanted[-1])
                await asyncio.sleep(0.01)

        for turn in range(3):
            async with asyncio.TaskGroup() as group:
                group.create_task(write_on(4))
                if not turn:
                    group.create_task(here.become_plugin())
                else:
                    group.create_task(here.switch("builtin" if turn == 1 else "plugin"))
            here.clock.advance(60)  # WeCom's pace for one member
        await write_on(1)

        await here.until_states(*[SENT] * len(wanted))
        assert here.texts() == wanted
        assert (await store.accounts.all(), await store.bindings.all()) == before
        versions = {one.version for one in await here.attempts()}
        assert {version.startswith("builtin@") for version in versions} == {True, False}
