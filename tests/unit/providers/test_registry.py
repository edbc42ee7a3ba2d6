"""The registry reads what was installed: whatever a package may say, it must be able to read again."""

import json
from typing import Any, cast

from tests.contracts.test_providers import SERVING, STOPPED, Installed
from tests.fakes.clock import FakeClock
from wunder.model.ids import At, PluginId
from wunder.model.plugin import PluginRow, PluginStatus, Release
from wunder.plugins.manifest import read_manifest
from wunder.providers.adapter import Surroundings
from wunder.providers.registry import ProviderRegistry

#: In JSON Schema, and in a manifest, 300.0 and 3e2 are whole numbers.
MANIFEST = {
    "plugin_id": SERVING,
    "name": "Parrot",
    "version": "1.0.0",
    "entry": {"linux-amd64": "bin/plugin"},
    "capabilities": {"webhook": True},
    "idempotency": {"window_s": 300.0},
    "limits": {"reply_window_s": 300.0, "per_account_qps": 5},
}


class OneInstalled(Installed):
    """A plugin whose manifest was accepted as it is."""

    async def releases(self, plugin_id: PluginId | None = None) -> list[Release]:
        reading = read_manifest(json.dumps(MANIFEST).encode())
        assert not reading.faults
        return [Release(SERVING, "1.0.0", "0" * 64, reading.document, "", {}, 0, "", At(0))]


async def test_what_is_accepted_at_installation_can_be_read_ever_after() -> None:
    nothing = cast("Any", None)
    around = Surroundings(FakeClock(), nothing, nothing)
    registry = ProviderRegistry(cast("Any", OneInstalled()), nothing, around, lambda release: None)
    await registry.refresh()
    provider = registry.serving(SERVING)
    assert provider is not None
    assert provider.facts.idempotency_window_s == 300
    assert isinstance(provider.facts.reply_window_s, int)


class OneOfANewerGateway(Installed):
    """Two enabled plugins, one with a word that this gateway does not know."""

    async def plugins(self) -> list[PluginRow]:
        return [self._row(one, PluginStatus.ENABLED) for one in (SERVING, STOPPED)]

    async def releases(self, plugin_id: PluginId | None = None) -> list[Release]:
        (release,) = await super().releases(plugin_id)
        if release.plugin_id == PluginId(STOPPED):
            release.manifest["webhook"] = {"redelivery": "eternal"}
        return [release]


async def test_a_manifest_that_cannot_be_read_keeps_no_other_channel_from_serving() -> None:
    nothing = cast("Any", None)
    around = Surroundings(FakeClock(), nothing, nothing)
    table = cast("Any", OneOfANewerGateway())
    registry = ProviderRegistry(table, nothing, around, lambda release: None)
    await registry.refresh()
    assert registry.serving(SERVING) is not None
    unread = registry.serving(STOPPED)
    assert unread is not None, "its webhooks are answered as while it is broken, not as unknown"
    assert unread.facts.release.version == "1.0.0"
