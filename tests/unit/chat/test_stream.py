"""An open page is told what it is owed, also what could not be read when it changed."""

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from pathlib import Path

import pytest

from tests.contracts.store_world import UID, World, open_sqlite
from tests.fakes.clock import FakeClock
from wunder.chat.doors import ChatLine, ChatLog, Stamp
from wunder.chat.feed import ChatFeed
from wunder.chat.policy import ChatPolicy
from wunder.chat.stream import ChatStreams
from wunder.chat.visits import Visitor
from wunder.errors import NotFound, StoreUnavailable
from wunder.model.attachment import StoredAttachment
from wunder.model.conversation import Conversation
from wunder.model.ids import AccountUid
from wunder.observe.clock import SystemClock

QUICK = ChatPolicy(check_s=0.005, heartbeat_s=3600)
VISITOR = Visitor(UID, "p1", "self", 0, "Ann")
PLACE = Conversation(UID, "user", "p1")


class Desk:
    """Everybody may go on."""

    def conversation(self, _visitor: Visitor) -> Conversation:
        return PLACE

    def refuse_ended(self, _key: str, _visitor: Visitor) -> None:
        return


class Away:
    """A log that is away for as many looks as the test says."""

    def __init__(self, log: ChatLog) -> None:
        self.looks_away = 0
        self._log = log

    async def stamps(self, account_uid: AccountUid, peer_ids: Sequence[str]) -> dict[str, Stamp]:
        return await self._log.stamps(account_uid, peer_ids)

    async def lines(self, conversation: Conversation, limit: int) -> list[ChatLine]:
        if self.looks_away:
            self.looks_away -= 1
            raise StoreUnavailable
        return await self._log.lines(conversation, limit)


async def no_files(_blob_id: str) -> tuple[StoredAttachment, str]:
    raise NotFound


async def test_what_could_not_be_read_is_told_without_another_change(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    world = await World(open_sqlite, tmp_path, FakeClock()).open()
    await world.take(world.new("hello"))
    log, clock = Away(world.store.chat), SystemClock()
    log.looks_away = 3
    streams = ChatStreams(Desk(), log, ChatFeed(log, clock, QUICK), no_files, clock, QUICK)
    async with asyncio.timeout(5), aclosing(streams.frames("key", VISITOR, "")) as frames:
        first = await anext(frame async for frame in frames if frame is not None)
    await world.store.close()
    assert b'"text":"hello"' in first.body
    said = capsys.readouterr().err
    assert said.count("chat_lines_not_readable") == 1
    assert said.count("chat_lines_readable_again") == 1
