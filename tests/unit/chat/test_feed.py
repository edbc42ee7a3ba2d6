"""Pages are told of changes soon, and nobody is asked where no page is open."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from tests.waiting import until
from wunder.chat.doors import ChatLine, Stamp
from wunder.chat.feed import ChatFeed
from wunder.chat.policy import ChatPolicy
from wunder.errors import StoreUnavailable
from wunder.model.conversation import Conversation
from wunder.model.ids import AccountUid
from wunder.observe.clock import SystemClock

QUICK = ChatPolicy(quick_look_s=0.001, busy_look_s=0.01, idle_look_s=0.02)
UID = AccountUid("acc-1")
ANN, BEN = Conversation(UID, "user", "ann"), Conversation(UID, "user", "ben")


class Log:
    """A log whose stamps the test sets."""

    def __init__(self) -> None:
        self.now: dict[str, Stamp] = {}
        self.asked: list[tuple[str, ...]] = []
        self.is_away = False

    async def stamps(self, account_uid: AccountUid, peer_ids: Sequence[str]) -> dict[str, Stamp]:
        self.asked.append(tuple(sorted(peer_ids)))
        if self.is_away:
            raise StoreUnavailable
        return {peer: stamp for peer, stamp in self.now.items() if peer in peer_ids}

    async def lines(self, conversation: Conversation, limit: int) -> list[ChatLine]:
        raise AssertionError


@asynccontextmanager
async def running(log: Log) -> AsyncIterator[ChatFeed]:
    feed = ChatFeed(log, SystemClock(), QUICK)
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(feed.run())
        yield feed
        task.cancel()


async def told(changed: asyncio.Event) -> None:
    async with asyncio.timeout(5):
        await changed.wait()
    changed.clear()


async def looked(log: Log, times: int) -> None:
    async with asyncio.timeout(5):
        await until(lambda: len(log.asked) >= times)


async def test_a_page_is_told_when_its_conversation_changed_and_not_of_others() -> None:
    log = Log()
    async with running(log) as feed:
        with feed.watch(ANN) as ann, feed.watch(BEN) as ben:
            log.now["ann"] = (1, 0, 1, 0, 0, 0)
            await told(ann.changed)
            log.now["ann"] = (1, 1, 0, 1, 0, 1)
            await told(ann.changed)
            await looked(log, len(log.asked) + 3)
            assert not ben.changed.is_set()


async def test_every_page_of_a_conversation_is_told() -> None:
    log = Log()
    async with running(log) as feed:
        with feed.watch(ANN) as one, feed.watch(ANN) as two:
            log.now["ann"] = (1, 0, 1, 0, 0, 0)
            await told(one.changed)
            await told(two.changed)


async def test_nothing_is_asked_while_no_page_is_open() -> None:
    log = Log()
    async with running(log) as feed:
        with feed.watch(ANN):
            await looked(log, 2)
        seen = len(log.asked)
        await asyncio.sleep(0)
        feed.poke(ANN)
        for _ in range(50):
            await asyncio.sleep(0)
        assert len(log.asked) <= seen + 1  # the look that was under way


async def test_a_store_that_is_away_is_asked_again() -> None:
    log = Log()
    log.is_away = True
    async with running(log) as feed:
        with feed.watch(ANN) as ann:
            await looked(log, 3)
            assert not ann.changed.is_set()
            log.is_away = False
            log.now["ann"] = (1, 0, 0, 0, 0, 0)
            await told(ann.changed)


async def test_a_store_that_is_away_is_said_once_and_once_that_it_is_back(
    capsys: pytest.CaptureFixture[str],
) -> None:
    log = Log()
    log.is_away = True
    async with running(log) as feed:
        with feed.watch(ANN) as ann:
            await looked(log, 5)
            log.is_away = False
            log.now["ann"] = (1, 0, 0, 0, 0, 0)
            await told(ann.changed)
    said = capsys.readouterr().err
    assert said.count("chat_not_readable") == 1
    assert said.count("chat_readable_again") == 1


async def test_one_question_serves_all_pages_of_an_account() -> None:
    log = Log()
    async with running(log) as feed:
        with feed.watch(ANN), feed.watch(BEN):
            await looked(log, 2)
            assert ("ann", "ben") in log.asked
