"""What the tests of this channel share: the stand-in of the platform and an account on it."""

import time
from collections.abc import AsyncIterator

import pytest

from tests.standins.wechat_mp.server import MpStandin
from wunder_channels.wechat_mp.tests.driver import SECRET, Driver, writer
from wunder_channels.wechat_mp.tests.people import People


@pytest.fixture
async def mp() -> AsyncIterator[MpStandin]:
    async with MpStandin(writer(), SECRET) as standin:
        yield standin


@pytest.fixture
async def bot(mp: MpStandin) -> AsyncIterator[Driver]:
    driver = Driver(int(time.time() * 1000), domain=mp.url)
    yield driver
    await driver.close()


@pytest.fixture
def people(mp: MpStandin, bot: Driver) -> People:
    return People(mp, bot)
