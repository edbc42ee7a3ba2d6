"""What this node leaves to the others."""

from collections.abc import Callable

from wunder.model.ids import ChannelId, PluginId
from wunder.model.provider import ProviderFacts
from wunder.ports import ChannelProvider, Providers


class SendersHere(Providers):
    """Port Providers, for who hands out send slots where nodes share the work.

    A plugin that does not take calls on this node serves nobody here: its deliveries are left to the
    nodes where it does, instead of being claimed, failed and put back with a pause.
    """

    def __init__(
        self,
        providers: Providers,
        takes_calls: Callable[[PluginId], bool],
        has_peers: Callable[[], bool],
    ) -> None:
        self._providers = providers
        self._takes_calls = takes_calls
        self._has_peers = has_peers

    def serving(self, channel: ChannelId) -> ChannelProvider | None:
        """The provider that serves this id and takes calls; None when others should."""
        provider = self._providers.serving(channel)
        if provider is None or not self._has_peers():
            return provider
        facts = provider.facts
        is_here = facts.source != "plugin" or self._takes_calls(facts.release.plugin_id)
        return provider if is_here else None

    def known(self) -> list[ProviderFacts]:
        """Every channel that could have accounts."""
        return self._providers.known()

    def facts(self, channel: ChannelId) -> ProviderFacts | None:
        """What is known of a channel."""
        return self._providers.facts(channel)

    def is_known(self, channel: ChannelId) -> bool:
        """True when accounts of this channel can exist."""
        return self._providers.is_known(channel)
