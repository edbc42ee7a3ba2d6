"""The door Sends: how many sends a channel lets out, by the small platform and by a plugin's process."""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, cast

import pytest

from tests.chaos.test_bad_plugins import fault_of, send
from tests.fakes.channel_provider import facts
from tests.fakes.clock import FakeClock
from tests.fakes.plugin_host import little_plugin
from tests.fakes.runtime_world import policy, running
from tests.fakes.sends import FakeSends
from wunder.model.delivery import ReleaseRef
from wunder.model.ids import AccountUid, PluginId
from wunder.ports import Sends
from wunder.providers.adapter import ProviderAdapter, Surroundings
from wunder.providers.plugin import PluginProviderAdapter

pytestmark = pytest.mark.process
FAILS, OTHER = AccountUid("uid-1"), AccountUid("uid-2")
FAILURES_IN_ROW = 5
Opened = tuple[Sends, Callable[[], Awaitable[None]]]
NOWHERE = Surroundings(FakeClock(), cast("Any", None), cast("Any", None))


@contextlib.asynccontextmanager
async def small_platform(_folder: Path) -> AsyncIterator[Opened]:
    """Its breaker is open when the test says so."""
    sends = FakeSends("chat")

    async def trip() -> None:
        sends.rooms[FAILS] = 0

    yield sends, trip


@contextlib.asynccontextmanager
async def process(folder: Path) -> AsyncIterator[Opened]:
    """A plugin whose sends of one account time out."""
    async with running(policy(calls={"send_s": 0.05})) as world:
        await world.ready(little_plugin(folder, "AnswersLate"))
        here = facts("answerslate", release=ReleaseRef(PluginId("answerslate"), "1.0.0"))

        async def trip() -> None:
            for number in range(FAILURES_IN_ROW):
                await fault_of(send(world, "answerslate", "late", f"d{number}"))

        yield PluginProviderAdapter(here, NOWHERE, world.host), trip


@pytest.fixture(params=[small_platform, process])
async def opened(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Opened]:
    async with request.param(tmp_path) as given:
        yield given


async def test_none_of_an_account_goes_out_while_its_breaker_is_open(opened: Opened) -> None:
    sends, trip = opened
    assert sends.send_room(FAILS) > FAILURES_IN_ROW
    await trip()
    assert sends.send_room(FAILS) == 0
    assert sends.send_room(OTHER) > FAILURES_IN_ROW, "another account is not concerned"


def test_a_channel_without_a_breaker_lets_all_out() -> None:
    assert ProviderAdapter(facts("chat"), NOWHERE).send_room(FAILS) > FAILURES_IN_ROW
