"""News of other nodes: what is named is read again, in order, however often it is told."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from tests.fakes.clock import FakeClock
from wunder.app.news import EVERYTHING, WORK, NewsDesk
from wunder.errors import StoreUnavailable


class Heard:
    """A desk with two tables that writes down what it does."""

    def __init__(self) -> None:
        self.did: list[str] = []
        self.fails = 0
        self.clock = FakeClock()
        tables = {name: self._reader(name) for name in ("accounts", "bindings")}
        self.desk = NewsDesk(lambda: self.did.append("woken"), tables, self.clock)

    def _reader(self, name: str) -> Callable[[], Awaitable[None]]:
        async def read() -> None:
            if self.fails:
                self.fails -= 1
                raise StoreUnavailable
            self.did.append(name)

        return read


async def settled(heard: Heard, *topics: str) -> list[str]:
    task = asyncio.create_task(heard.desk.run())
    for topic in topics:
        heard.desk.hear(topic)
    for _ in range(10):
        await asyncio.sleep(0)
        heard.clock.advance(1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    return heard.did


async def test_waiting_work_wakes_and_reads_nothing() -> None:
    assert await settled(Heard(), WORK) == ["woken"]


async def test_a_table_is_read_once_however_often_it_was_named() -> None:
    assert await settled(Heard(), "bindings", "bindings") == ["bindings"]


async def test_after_a_gap_everything_is_read_accounts_before_bindings() -> None:
    assert await settled(Heard(), EVERYTHING) == ["woken", "accounts", "bindings"]


async def test_an_unknown_topic_is_nobodys() -> None:
    assert await settled(Heard(), "of a later version") == []


async def test_a_table_that_could_not_be_read_is_read_later() -> None:
    heard = Heard()
    heard.fails = 1
    assert await settled(heard, "accounts") == ["accounts"]


async def test_everything_is_read_again_now_and_then_though_no_word_came() -> None:
    heard = Heard()
    tasks = [asyncio.create_task(heard.desk.run()), asyncio.create_task(heard.desk.poll(30))]
    for _ in range(65):
        await asyncio.sleep(0)
        heard.clock.advance(1)
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    assert heard.did == ["woken", "accounts", "bindings"] * 2
