"""Answers what a plugin asks of the host: `host.state.*`, for its own accounts only."""

from collections.abc import Callable

from wunder.model.fault import FaultKind
from wunder.model.ids import AccountUid, PluginId
from wunder.ports import PluginHistory
from wunder_wire import fast
from wunder_wire.methods import PLUGIN_TO_HOST, Empty, StateKey, StatePut, StateRev, StateValue

WRITES = frozenset({"host.state.put", "host.state.delete"})
MAX_KEY_CHARS = 256


class Refused(Exception):
    """The request is answered with an error of the protocol."""

    def __init__(self, kind: FaultKind, detail: str) -> None:
        super().__init__(detail)
        self.kind = kind
        self.detail = detail


class HostState:
    """The stored values of one plugin (security rule 9: bound to plugin and account)."""

    def __init__(
        self,
        plugin_id: PluginId,
        history: PluginHistory,
        resolve_account: Callable[[PluginId, str], AccountUid | None],
    ) -> None:
        self._plugin_id = plugin_id
        self._history = history
        self._resolve_account = resolve_account

    async def answer(self, method: str, params: bytes) -> object:
        """Do what is asked and return the wire result.

        Raises: Refused, DecodeError, WunderError.
        """
        if method not in PLUGIN_TO_HOST:
            raise Refused(FaultKind.METHOD_NOT_FOUND, "the host has no such method")
        asked: StateKey | StatePut = fast.ENGINE.decode(PLUGIN_TO_HOST[method][0], params)
        if not 0 < len(asked.key) <= MAX_KEY_CHARS:
            raise Refused(FaultKind.BAD_PARAMS, f"/key: 1 to {MAX_KEY_CHARS} characters")
        return await self._act(method, asked, self._scope(asked.account_id))

    def _scope(self, account_id: str | None) -> str:
        if account_id is None:
            return ""
        found = self._resolve_account(self._plugin_id, account_id)
        if found is None:
            raise Refused(FaultKind.FORBIDDEN, "no account of this plugin has this id")
        return found

    async def _act(self, method: str, asked: StateKey | StatePut, scope: str) -> object:
        if isinstance(asked, StatePut):
            rev = await self._history.state_put(
                self._plugin_id, scope, asked.key, asked.value, asked.rev
            )
            return StateRev(rev)
        if method == "host.state.delete":
            await self._history.state_delete(self._plugin_id, scope, asked.key)
            return Empty()
        return StateValue(*await self._history.state_get(self._plugin_id, scope, asked.key))
