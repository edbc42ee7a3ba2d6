"""What the tests of this channel share: the stand-in of the platform and an account on it."""

import time
from collections.abc import AsyncIterator

import pytest

from tests.standins.qq.server import QqStandin
from wunder_channels.qqbot.tests.driver import APP_ID, SECRET, Driver
from wunder_channels.qqbot.tests.people import People


@pytest.fixture
async def qq() -> AsyncIterator[QqStandin]:
    async with QqStandin(APP_ID, SECRET) as standin:
        yield standin


@pytest.fixture
async def bot(qq: QqStandin) -> AsyncIterator[Driver]:
    driver = Driver(api_base=qq.url)
    driver.host.clock_ms = int(time.time() * 1000)
    yield driver
    await driver.close()


@pytest.fixture
def people(qq: QqStandin, bot: Driver) -> People:
    return People(qq, bot)
