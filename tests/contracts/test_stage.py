"""Stage: somebody watches or nobody does, and nothing is under way when the block ends."""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from tests.fakes.accounts import FakeAccounts
from tests.fakes.channel_provider import FakeChannelProvider
from tests.fakes.clock import FakeClock
from tests.fakes.providers import FakeProviders
from tests.fakes.send_slots import FakeSendSlots
from tests.fakes.stage import FakeStage
from tests.waiting import until
from wunder.model.account import Account, AccountConfig, AccountRow
from wunder.model.conversation import Conversation
from wunder.model.delivery import ClaimedDelivery, ReleaseRef
from wunder.model.message import Content, InboundMessage, OutboundMessage, Sender
from wunder.model.turn import ClaimedTurn
from wunder.streaming.policy import StreamPolicy
from wunder.streaming.stage import Stage

UID = "u" * 32
ACCOUNT = Account(
    AccountRow(UID, "chat", "main", "", "enabled", AccountConfig(), b"", 1, 1, "k", 0, 0), {}
)


def turn() -> ClaimedTurn:
    where = Conversation(UID, "user", "ann")
    message = InboundMessage(
        "m" * 32, where, "chat", "main", "1", Sender("ann"), Content(text="hi"), 0, 0
    )
    return ClaimedTurn("t" * 32, message, 1, 1, is_alone=False, session_id=None)


class Streams:
    """The table, in memory."""

    def __init__(self) -> None:
        self.settled: list[Any] = []
        self.is_taken_over = False

    async def begin(self, turn, grant, now, expires_at):
        message = OutboundMessage(
            "o" * 32, turn.message.conversation, "chat", "main", "", reply_to="1"
        )
        release = ReleaseRef("chat", "1")
        return ClaimedDelivery(
            "d" * 32, "d.1", 1, 1, message, "m" * 32, 1, 0, None, 0, 0, now, now, expires_at,
            release, None, False,
        )  # fmt: skip

    def is_ours(self, delivery):
        return not self.is_taken_over

    async def settle(self, done):
        self.settled.append(done)


@dataclass
class Case:
    door: Any
    frames: Any
    is_watched: bool


@pytest.fixture(params=["fake, watched", "fake, alone", "stage, watched", "stage, alone"])
async def case(request):
    is_watched = request.param.endswith("watched")
    if request.param.startswith("fake"):
        fake = FakeStage(is_watched=is_watched)
        yield Case(fake, lambda: fake.frames, is_watched)
        return
    platform = FakeChannelProvider(capabilities={"edit": is_watched})
    accounts = FakeAccounts(ACCOUNT)
    slots = FakeSendSlots()
    slots.free = 10
    policy = StreamPolicy(first_after_s=0, poll_s=0.001)
    door = Stage(Streams(), accounts, FakeProviders(platform), slots, FakeClock(), policy)
    running = asyncio.ensure_future(door.run())
    await asyncio.sleep(0)
    yield Case(door, lambda: list(platform.screen.values()), is_watched)
    running.cancel()


async def test_where_nobody_watches_nothing_is_to_be_said(case):
    async with case.door.show(turn(), 10**13) as shown:
        assert (shown.say is not None) == case.is_watched
        assert shown.text == ""


async def test_what_is_said_is_seen_and_known_to_be(case):
    async with case.door.show(turn(), 10**13) as shown:
        if shown.say is None:
            return
        shown.say("hello")
        await until(lambda: case.frames() == ["hello"])
        await until(lambda: shown.text == "hello")


async def test_nothing_is_shown_after_the_end(case):
    async with case.door.show(turn(), 10**13) as shown:
        pass
    if shown.say is not None and not isinstance(case.door, FakeStage):
        shown.say("too late")
        await asyncio.sleep(0.01)
        assert case.frames() == []


async def test_an_error_in_the_block_passes(case):
    with pytest.raises(ValueError, match="mine"):
        async with case.door.show(turn(), 10**13):
            raise ValueError("mine")


@asynccontextmanager
async def watched(streams):
    """A stage whose platform edits, and the platform."""
    platform = FakeChannelProvider(capabilities={"edit": True})
    slots, policy = FakeSendSlots(), StreamPolicy(first_after_s=0, poll_s=0.001)
    slots.free = 10
    providers = FakeProviders(platform)
    door = Stage(streams, FakeAccounts(ACCOUNT), providers, slots, FakeClock(), policy)
    running = asyncio.ensure_future(door.run())
    await asyncio.sleep(0)
    yield door, platform
    running.cancel()


async def test_a_node_whose_work_another_one_does_writes_no_first_frame():
    streams = Streams()
    streams.is_taken_over = True
    async with watched(streams) as (door, platform), door.show(turn(), 10**13) as shown:
        shown.say("hello")
        await until(lambda: len(streams.settled) == 1)
    (settled,) = streams.settled
    assert (settled.state, settled.outcome, settled.error_kind) == (
        "streaming",
        "not_sent",
        "not_ready",
    )
    assert platform.screen == {}


async def test_a_node_whose_work_another_one_does_edits_nothing_any_more():
    streams = Streams()
    async with watched(streams) as (door, platform), door.show(turn(), 10**13) as shown:
        shown.say("hello")
        await until(lambda: shown.text == "hello")
        streams.is_taken_over = True
        shown.say("hello from the past")
    assert list(platform.screen.values()) == ["hello"]
    assert shown.text == "hello"
