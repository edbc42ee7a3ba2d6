"""The hub: one reader, many open pages, and no page whose session has ended."""

import asyncio
from collections.abc import Sequence
from contextlib import ExitStack

import msgspec
import pytest

from tests.fakes.clock import FakeClock
from wunder.errors import StoreUnavailable
from wunder.feed.frames import BYE, RESET, Figures, topic_of
from wunder.feed.hub import MAX_WAITING, FeedHub, Stream
from wunder.feed.minutes import Minute
from wunder.model.ids import At
from wunder.model.trail import Event
from wunder.people.person import SessionHash


class Feed:
    """An event log in memory that counts how often it is read."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.reads = 0
        self.is_away = False

    def tell(self, name: str) -> None:
        self.events.append(Event(name, At(1), event_id=len(self.events) + 1))

    async def newest_id(self) -> int:
        return len(self.events)

    async def oldest_id(self) -> int:
        return 1

    async def after(self, event_id: int, limit: int) -> list[Event]:
        self.reads += 1
        if self.is_away:
            raise StoreUnavailable
        return self.events[event_id : event_id + limit]

    async def flush(self) -> None:
        return


class World:
    def __init__(self) -> None:
        self.feed = Feed()
        self.clock = FakeClock()
        self.alive: set[SessionHash] = set()
        self.asked: list[int] = []
        self.figures = {"channel_messages_received": 0.0}
        self.hub = FeedHub(self.feed, self.living, self.counted, self.clock)

    async def living(self, hashes: Sequence[SessionHash]) -> set[SessionHash]:
        self.asked.append(len(hashes))
        return self.alive & set(hashes)

    def counted(self) -> Figures:
        return Figures(dict(self.figures), Minute(at=self.clock.now()))


def stream(session: bytes | None = None, allowed: bool = True) -> Stream:
    name = None if session is None else SessionHash(session)
    return Stream(lambda event, frame: frame, name, lambda: allowed)


@pytest.fixture
def world() -> World:
    return World()


async def names(one: Stream) -> list[str]:
    frames = await one.take(0)
    return [
        msgspec.json.decode(frame.content.split(b"data: ")[1]).get("name", "") for frame in frames
    ]


async def test_every_page_is_told_what_one_read_found(world: World) -> None:
    world.feed.tell("plugin_before")
    streams = [stream() for _ in range(50)]
    with ExitStack() as opened:
        for one in streams:
            opened.enter_context(world.hub.listen(one))
        await world.hub.read()
        world.feed.tell("plugin_crashed")
        world.feed.reads = 0
        await world.hub.read()
        assert world.feed.reads == 1
        assert [await names(one) for one in streams] == [["plugin_crashed"]] * 50


async def test_a_page_sees_what_its_view_lets_through(world: World) -> None:
    half = Stream(
        lambda event, frame: frame if event.name == "plugin_a" else None, None, lambda: True
    )
    with world.hub.listen(half):
        await world.hub.read()
        world.feed.tell("plugin_a")
        world.feed.tell("user_created")
        await world.hub.read()
        assert await names(half) == ["plugin_a"]


async def test_rule_17_pages_of_ended_sessions_close_with_one_question(world: World) -> None:
    good, ended, token = stream(b"good"), stream(b"ended"), stream()
    revoked = stream(allowed=False)
    world.alive = {SessionHash(b"good")}
    with ExitStack() as opened:
        for one in (good, ended, token, revoked):
            opened.enter_context(world.hub.listen(one))
        await world.hub.check()
    assert [one.is_over for one in (good, ended, token, revoked)] == [False, True, False, True]
    assert await ended.take(0) == [BYE]
    assert world.asked == [2]


async def test_rule_17_a_closed_session_is_noticed_within_five_seconds(world: World) -> None:
    one = stream(b"ann")
    with world.hub.listen(one):
        running = asyncio.create_task(world.hub.run())
        waited = 0.0
        while not one.is_over:
            await asyncio.sleep(0)
            world.clock.advance(0.5)
            waited += 0.5
            assert waited <= 5.0
        running.cancel()


async def test_a_slow_page_is_told_to_read_anew(world: World) -> None:
    one = stream()
    with world.hub.listen(one):
        await world.hub.read()
        for _ in range(MAX_WAITING + 1):
            world.feed.tell("plugin_ready")
        await world.hub.read()
        assert (await one.take(0))[0] == RESET


async def test_figures_are_told_when_they_changed(world: World) -> None:
    one = stream()
    with world.hub.listen(one):
        last = world.hub.tell_figures(None)
        assert len(await one.take(0)) == 1
        world.clock.advance(2)
        last = world.hub.tell_figures(last)
        assert await one.take(0) == []
        world.figures["channel_messages_received"] = 1.0
        world.hub.tell_figures(last)
        assert b'"channel_messages_received":1.0' in (await one.take(0))[0].content


async def test_nobody_listens_nobody_reads(world: World) -> None:
    running = asyncio.create_task(world.hub.run())
    for _ in range(20):
        await asyncio.sleep(0)
        world.clock.advance(1)
    assert world.feed.reads == 0
    running.cancel()


async def test_a_stop_ends_pages_that_are_open_and_those_that_come(world: World) -> None:
    one, late = stream(), stream()
    with world.hub.listen(one):
        world.hub.close()
        assert one.is_over
    with world.hub.listen(late):
        assert late.is_over


async def test_numbers_that_begin_anew_are_noticed(world: World) -> None:
    one = stream()
    for _ in range(5):
        world.feed.tell("plugin_ready")
    with world.hub.listen(one):
        await world.hub.read()
        world.feed.events = world.feed.events[:1]  # the others went by their age
        await world.hub.check()
        assert await one.take(0) == [RESET]
        world.feed.tell("plugin_crashed")
        await world.hub.read()
        assert await names(one) == ["plugin_crashed"]


async def test_a_store_that_is_away_is_asked_again(world: World) -> None:
    one = stream()
    with world.hub.listen(one):
        await world.hub.read()
        world.feed.tell("plugin_ready")
        world.feed.is_away = True
        running = asyncio.create_task(world.hub.run())
        for _ in range(20):
            await asyncio.sleep(0)
            world.clock.advance(0.5)
        world.feed.is_away = False
        for _ in range(20):
            await asyncio.sleep(0)
            world.clock.advance(0.5)
        assert "plugin_ready" in await names(one)
        running.cancel()


def test_every_event_has_a_topic() -> None:
    wanted = {
        "plugin_crashed": "plugin",
        "channel_log": "plugin",
        "provider_visibility_changed": "provider",
        "account_parked": "account",
        "delivery_failed": "delivery",
        "token_created": "people",
        "sessions_ended": "people",
        "password_set": "people",
        "something_new": "gateway",
    }
    assert {name: topic_of(Event(name, At(1))) for name in wanted} == wanted
