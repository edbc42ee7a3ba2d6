"""What the tests of this channel share: the stand-in of the platform and accounts on it."""

from collections.abc import AsyncIterator

import pytest

from tests.standins.wecom.callbacks import Keys
from tests.standins.wecom.platform import WecomPlatform
from tests.standins.wecom.server import WecomStandin
from wunder_channels.wechat.tests.driver import (
    AES_KEY,
    AGENT_ID,
    CORP_ID,
    SECRET,
    TOKEN,
    Driver,
)


@pytest.fixture
async def wecom() -> AsyncIterator[WecomStandin]:
    platform = WecomPlatform(CORP_ID, AGENT_ID, SECRET)
    async with WecomStandin(platform, Keys(TOKEN, AES_KEY)) as standin:
        yield standin


@pytest.fixture
async def app(wecom: WecomStandin) -> AsyncIterator[Driver]:
    driver = Driver(domain=wecom.url)
    yield driver
    await driver.close()


@pytest.fixture
async def bot(wecom: WecomStandin) -> AsyncIterator[Driver]:
    driver = Driver.bot(domain=wecom.url, bot_name="小智")
    yield driver
    await driver.close()
