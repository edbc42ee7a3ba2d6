"""ProviderRegistry: who serves a channel now, a plugin or a built-in (row N1b).

An enabled plugin serves its provider id, also while it is broken: its webhooks are refused or kept,
its deliveries wait, and the built-in is offered, not taken. Disabled or with source `builtin`: the
built-in that serves the id, where there is one.
"""

from collections.abc import Callable
from typing import Any

from wunder.model.ids import ChannelId, PluginId
from wunder.model.plugin import PluginRow, PluginStatus, Release
from wunder.model.provider import ProviderFacts
from wunder.observe.logs import get_logger
from wunder.ports import ChannelProvider, HttpDoor, PluginHistory, PluginHost, PluginTable
from wunder.providers.adapter import Surroundings
from wunder.providers.builtin import (
    BuiltinHost,
    BuiltinProviderAdapter,
    Bundled,
    CallLimits,
    bundled_channels,
)
from wunder.providers.facts import facts_of
from wunder.providers.plugin import PluginProviderAdapter
from wunder_wire.manifest import stored_manifest

log = get_logger(__name__)
#: Reads the account schema of an installed release; None where it has none.
SchemaOf = Callable[[Release], dict[str, Any] | None]


class ProviderRegistry:
    """The port Providers. `refresh` follows every change of a plugin's status."""

    def __init__(
        self,
        table: PluginTable,
        host: PluginHost,
        surroundings: Surroundings,
        schema_of: SchemaOf,
    ) -> None:
        self._table = table
        self._host = host
        self._surroundings = surroundings
        self._schema_of = schema_of
        self._builtins: dict[ChannelId, BuiltinProviderAdapter] = {}
        self._plugins: dict[ChannelId, ChannelProvider] = {}
        self._known: dict[ChannelId, ProviderFacts] = {}

    def bundle(self, history: PluginHistory, http: HttpDoor, limits: CallLimits) -> None:
        """Make the channels that ship with the gateway available, under every id they serve."""
        for bundled in bundled_channels():
            for served in bundled.manifest.serves or (bundled.manifest.plugin_id,):
                host = BuiltinHost(PluginId(served), self._surroundings, history, http)
                self._builtins[ChannelId(served)] = self._builtin(bundled, served, host, limits)
        self._known = {channel: provider.facts for channel, provider in self._builtins.items()}

    async def refresh(self) -> None:
        """Read which plugins are installed and enabled."""
        plugins: dict[ChannelId, ChannelProvider] = {}
        known = {channel: provider.facts for channel, provider in self._builtins.items()}
        for row in await self._table.plugins():
            release = await self._current(row)
            if release is None:
                continue
            provider = self._plugin(release)
            channel = provider.facts.channel
            if _serves(row):
                plugins[channel] = provider
                known[channel] = provider.facts
            else:
                known.setdefault(channel, provider.facts)
        self._plugins, self._known = plugins, known

    async def close(self) -> None:
        """Close the connections of built-in channels."""
        for builtin in self._builtins.values():
            await builtin.close()

    def serving(self, channel: ChannelId) -> ChannelProvider | None:
        """The provider that serves this id now."""
        return self._plugins.get(channel) or self._builtins.get(channel)

    def known(self) -> list[ProviderFacts]:
        """Every channel that could have accounts."""
        return list(self._known.values())

    def facts(self, channel: ChannelId) -> ProviderFacts | None:
        """What is known of a channel, serving or not."""
        return self._known.get(channel)

    def is_known(self, channel: ChannelId) -> bool:
        """True when accounts of this channel can exist."""
        return channel in self._known

    def builtin_serving(self, channel: str) -> str | None:
        """The id of the built-in that serves a provider id, if one does."""
        builtin = self._builtins.get(ChannelId(channel))
        return builtin.facts.release.plugin_id if builtin else None

    async def _current(self, row: PluginRow) -> Release | None:
        releases = await self._table.releases(row.plugin_id)
        for release in releases:
            if release.version == row.current_version:
                return release
        return releases[0] if releases and not row.current_version else None

    def _plugin(self, release: Release) -> PluginProviderAdapter:
        manifest, unread = stored_manifest(release.manifest, release.plugin_id, release.version)
        if unread:
            log.error("manifest_unreadable", plugin_id=release.plugin_id, reason=unread)
        facts = facts_of(
            manifest,
            ChannelId(release.plugin_id),
            "plugin",
            release.version,
            self._schema_of(release),
        )
        return PluginProviderAdapter(facts, self._surroundings, self._host)

    def _builtin(
        self, bundled: Bundled, served: str, host: BuiltinHost, limits: CallLimits
    ) -> BuiltinProviderAdapter:
        return BuiltinProviderAdapter(bundled, ChannelId(served), self._surroundings, host, limits)


def _serves(row: PluginRow) -> bool:
    is_meant = row.status is not PluginStatus.DISABLED and bool(row.current_version)
    return is_meant and row.source == "plugin"
