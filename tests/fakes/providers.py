"""Providers whose table a test fills in."""

from wunder.model.ids import ChannelId
from wunder.model.provider import ProviderFacts
from wunder.ports import ChannelProvider


class FakeProviders:
    """Who serves what: `serve` puts a provider in, `stop` leaves its channel known but unserved."""

    def __init__(self, *providers: ChannelProvider) -> None:
        self._serving: dict[ChannelId, ChannelProvider] = {}
        self._known: dict[ChannelId, ProviderFacts] = {}
        for provider in providers:
            self.serve(provider)

    def serve(self, provider: ChannelProvider) -> None:
        self._serving[provider.facts.channel] = provider
        self._known[provider.facts.channel] = provider.facts

    def stop(self, channel: str) -> None:
        del self._serving[ChannelId(channel)]

    def forget(self, channel: str) -> None:
        self._serving.pop(ChannelId(channel), None)
        self._known.pop(ChannelId(channel), None)

    def serving(self, channel: ChannelId) -> ChannelProvider | None:
        return self._serving.get(channel)

    def facts(self, channel: ChannelId) -> ProviderFacts | None:
        return self._known.get(channel)

    def known(self) -> list[ProviderFacts]:
        return list(self._known.values())

    def is_known(self, channel: ChannelId) -> bool:
        return channel in self._known
