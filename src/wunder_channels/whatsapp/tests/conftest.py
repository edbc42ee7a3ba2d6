"""What the tests of this channel share: the stand-in of the platform and an account on it."""

import time
from collections.abc import AsyncIterator

import pytest

from tests.standins.whatsapp.server import WhatsAppStandin
from wunder_channels.whatsapp.tests.driver import NUMBER_ID, SECRETS, Driver
from wunder_channels.whatsapp.tests.people import People


@pytest.fixture
async def meta() -> AsyncIterator[WhatsAppStandin]:
    async with WhatsAppStandin(
        NUMBER_ID, SECRETS["access_token"], SECRETS["app_secret"]
    ) as standin:
        yield standin


@pytest.fixture
async def bot(meta: WhatsAppStandin) -> AsyncIterator[Driver]:
    driver = Driver(api_base=meta.url)
    driver.host.clock_ms = int(time.time() * 1000)
    yield driver
    await driver.close()


@pytest.fixture
def people(meta: WhatsAppStandin, bot: Driver) -> People:
    return People(meta, bot)
