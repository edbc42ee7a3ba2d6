"""What the tests of this channel share: the stand-in of the platform and an account on it."""

import time
from collections.abc import AsyncIterator

import pytest

from tests.standins.feishu.platform import App
from tests.standins.feishu.server import FeishuStandin
from wunder_channels.feishu.tests.driver import APP_ID, APP_SECRET, ENCRYPT_KEY, TOKEN, Driver
from wunder_channels.feishu.tests.people import People


@pytest.fixture
async def feishu() -> AsyncIterator[FeishuStandin]:
    async with FeishuStandin(App(APP_ID, APP_SECRET, TOKEN, ENCRYPT_KEY)) as standin:
        yield standin


@pytest.fixture
async def bot(feishu: FeishuStandin) -> AsyncIterator[Driver]:
    driver = Driver(domain=feishu.url)
    driver.host.clock_ms = int(time.time() * 1000)
    yield driver
    await driver.close()


@pytest.fixture
def people(feishu: FeishuStandin, bot: Driver) -> People:
    return People(feishu, bot)
