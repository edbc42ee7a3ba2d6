"""Read marks and "typing": shown where a channel can, and never at a message's expense."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from tests.fakes.accounts import FakeAccounts
from tests.fakes.channel_provider import FakeChannelProvider
from tests.fakes.clock import FakeClock
from tests.fakes.providers import FakeProviders
from tests.fakes.send_slots import FakeSendSlots
from tests.waiting import until
from wunder.model.account import Account, AccountConfig, AccountRow
from wunder.model.conversation import Conversation
from wunder.model.fault import Fault, FaultKind
from wunder.model.message import Content, InboundMessage, Sender
from wunder.model.turn import ClaimedTurn
from wunder.streaming.policy import StreamPolicy
from wunder.streaming.stage import Stage

UID = "u" * 32
READ, TYPING = ("1", "read"), ("1", "typing")


@dataclass
class Here:
    """What a test holds in its hands."""

    stage: Stage
    channel: FakeChannelProvider
    slots: FakeSendSlots
    clock: FakeClock

    def turn(self, **fields: Any) -> Any:
        """A turn that runs while the block does."""
        where = Conversation(UID, "user", "ann")
        message = InboundMessage(
            "m" * 32, where, "chat", "main", "1", Sender("ann"), Content(text="hi"), 0, 0
        )
        turn = ClaimedTurn("t" * 32, message, 1, 1, is_alone=False, session_id=None, **fields)
        return self.stage.show(turn, 10**13)

    async def let_pass(self, seconds: float) -> None:
        await self.clock.run_for(seconds)


@asynccontextmanager
async def staged(*, can: bool = True, free: int = 1) -> AsyncIterator[Here]:
    row = AccountRow(UID, "chat", "main", "", "enabled", AccountConfig(), b"", 1, 1, "k", 0, 0)
    clock, slots = FakeClock(), FakeSendSlots(free)
    channel = FakeChannelProvider("chat", capabilities={"activity": can})
    stage = Stage(
        None,
        FakeAccounts(Account(row, {})),
        FakeProviders(channel),
        slots,
        clock,
        StreamPolicy(),
    )
    async with asyncio.TaskGroup() as group:
        running = group.create_task(stage.run())
        await until(lambda: stage._tasks is not None)
        yield Here(stage, channel, slots, clock)
        running.cancel()


async def test_a_message_is_marked_read_and_a_slow_answer_shows_typing_again_and_again() -> None:
    async with staged() as here, here.turn():
        await here.let_pass(0.9)
        assert here.channel.activities == [READ]
        await here.let_pass(16.0)
        assert here.channel.activities == [READ, TYPING, TYPING]
    assert here.slots.free == 1


async def test_a_quick_answer_shows_no_typing_and_its_read_mark_still_arrives() -> None:
    async with staged() as here:
        here.channel.activity_gate.clear()
        async with here.turn():
            await here.let_pass(0)
        here.channel.activity_gate.set()
        await here.let_pass(60)
        assert here.channel.activities == [READ]


async def test_the_end_of_a_turn_waits_for_no_courtesy() -> None:
    async with staged() as here:
        here.channel.activity_gate.clear()
        async with here.turn():
            await here.let_pass(5)
        here.channel.activity_gate.set()
        await here.let_pass(0)
        assert here.channel.activities == [READ]


async def test_a_failure_keeps_the_account_quiet_for_a_while() -> None:
    async with staged() as here:
        here.channel.activity_faults.append(
            Fault(FaultKind.RATE_LIMITED, "slow down", retry_after_s=90)
        )
        async with here.turn():
            await here.let_pass(85)
            assert here.channel.activities == []
            await here.let_pass(20)
            assert here.channel.activities == [TYPING]


async def test_what_a_channel_does_not_know_is_asked_once() -> None:
    async with staged() as here:
        here.channel.activity_faults.append(Fault(FaultKind.UNSUPPORTED_FEATURE, "no read marks"))
        for _ in range(2):
            async with here.turn():
                await here.let_pass(1.5)
        assert here.channel.activities == [TYPING, TYPING]


async def test_an_account_that_cannot_send_now_is_left_in_peace() -> None:
    async with staged(free=0) as here, here.turn():
        await here.let_pass(20)
        assert here.channel.activities == []


async def test_one_account_has_few_courtesies_under_way() -> None:
    async with staged() as here:
        here.channel.activity_gate.clear()
        for _ in range(9):
            async with here.turn():
                await here.let_pass(0)
        here.channel.activity_gate.set()
        await here.let_pass(0)
        assert here.channel.activities == [READ] * StreamPolicy().activities_per_account


async def test_nobody_is_courteous_where_the_channel_cannot_or_the_webhook_waits() -> None:
    async with staged(can=False) as here, here.turn():
        await here.let_pass(20)
        assert here.channel.activities == []
    async with staged() as here, here.turn(inline_until=1):
        await here.let_pass(20)
        assert here.channel.activities == []
