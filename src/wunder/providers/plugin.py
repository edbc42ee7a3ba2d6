"""PluginProviderAdapter: a channel spoken by a plugin process, over RPC (row N1b)."""

from typing import TypeVar

from wunder.model.ids import AccountUid, PluginId
from wunder.model.provider import ProviderFacts
from wunder.ports import PluginCalls
from wunder.providers.adapter import ProviderAdapter, Surroundings

R = TypeVar("R")


class PluginProviderAdapter(ProviderAdapter):
    """The ChannelProvider port over a running plugin."""

    def __init__(self, facts: ProviderFacts, surroundings: Surroundings, host: PluginCalls) -> None:
        super().__init__(facts, surroundings)
        self._host = host
        self._plugin_id = PluginId(facts.release.plugin_id)

    def send_room(self, account_uid: AccountUid) -> int:
        """How many sends of this account its breaker would let out now."""
        return self._host.send_room(self._plugin_id, account_uid)

    async def _call(self, method: str, params: object, result: type[R], account_uid: str) -> R:
        return await self._host.call(self._plugin_id, method, params, result, account_uid)
