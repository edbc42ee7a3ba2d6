"""What every table of providers promises: who serves a channel now, and which channels there are."""

from typing import Any, cast

import pytest

from tests.fakes.channel_provider import FakeChannelProvider
from tests.fakes.clock import FakeClock
from tests.fakes.providers import FakeProviders
from wunder.model.ids import At, ChannelId, PluginId
from wunder.model.plugin import PluginRow, PluginStatus, Release
from wunder.ports import Providers
from wunder.providers.adapter import Surroundings
from wunder.providers.registry import ProviderRegistry

SERVING, STOPPED, UNKNOWN = ChannelId("parrot"), ChannelId("pigeon"), ChannelId("ghost")


class Installed:
    """A plugin table with one enabled and one disabled plugin."""

    async def plugins(self) -> list[PluginRow]:
        return [
            self._row(SERVING, PluginStatus.ENABLED),
            self._row(STOPPED, PluginStatus.DISABLED),
        ]

    async def releases(self, plugin_id: PluginId | None = None) -> list[Release]:
        assert plugin_id is not None
        manifest = {"plugin_id": plugin_id, "name": plugin_id.title(), "version": "1.0.0"}
        release = Release(plugin_id, "1.0.0", "0" * 64, manifest, "", {}, 0, "", At(0))
        return [release]

    @staticmethod
    def _row(channel: ChannelId, status: PluginStatus) -> PluginRow:
        plugin_id = PluginId(channel)
        return PluginRow(plugin_id, channel, "1.0.0", status, "plugin", "", "", At(0), At(0))


@pytest.fixture(params=["fake", "registry"])
async def providers(request: pytest.FixtureRequest) -> Providers:
    if request.param == "fake":
        fake = FakeProviders(FakeChannelProvider(SERVING), FakeChannelProvider(STOPPED))
        fake.stop(STOPPED)
        return fake
    nothing = cast("Any", None)
    around = Surroundings(FakeClock(), nothing, nothing)
    registry = ProviderRegistry(cast("Any", Installed()), nothing, around, lambda release: None)
    await registry.refresh()
    return registry


async def test_who_serves_a_channel_speaks_for_that_channel(providers: Providers) -> None:
    provider = providers.serving(SERVING)
    assert provider is not None
    assert provider.facts.channel == SERVING


async def test_a_stopped_channel_is_known_and_served_by_nobody(providers: Providers) -> None:
    assert providers.serving(STOPPED) is None
    assert providers.is_known(STOPPED)
    assert {facts.channel for facts in providers.known()} == {SERVING, STOPPED}


async def test_an_unknown_channel_is_neither(providers: Providers) -> None:
    assert providers.serving(UNKNOWN) is None
    assert not providers.is_known(UNKNOWN)
