"""What the gateway answers plugins that ask it: `host.state.*` and `host.blob.*`, of their own only."""

import base64
from collections.abc import Callable

from wunder.errors import Conflict, Invalid, NotAllowed, ProviderFault, WunderError
from wunder.model.fault import Fault, FaultKind
from wunder.model.ids import AccountUid, ChannelId, PluginId
from wunder.ports import PluginBlobs, PluginHistory
from wunder_wire import codec, fast
from wunder_wire.blob import MAX_CHUNK_BYTES, BlobChunk, BlobRead, BlobWrite
from wunder_wire.methods import PLUGIN_TO_HOST, Empty, StateKey, StatePut, StateRev, StateValue

MAX_KEY_CHARS = 256
#: No attachment is as long: what lies beyond is read by nobody.
MAX_OFFSET = 2**53
_KINDS: dict[type[WunderError], FaultKind] = {
    Conflict: FaultKind.STATE_CONFLICT,
    NotAllowed: FaultKind.FORBIDDEN,
    Invalid: FaultKind.QUOTA,
}


class HostAnswers:
    """Stored values and attachments of plugins (security rule 9: bound to plugin and account).

    `resolve_account` says which account a plugin means by a label, None for none of its own.
    """

    def __init__(
        self,
        history: PluginHistory,
        blobs: PluginBlobs,
        resolve_account: Callable[[PluginId, str], AccountUid | None],
    ) -> None:
        self._history = history
        self._blobs = blobs
        self._resolve_account = resolve_account

    async def answer(self, plugin_id: PluginId, method: str, params: bytes) -> object:
        """Do what is asked and return the wire result. Raises: ProviderFault."""
        if method not in PLUGIN_TO_HOST:
            raise _refused(FaultKind.METHOD_NOT_FOUND, "the host has no such method")
        is_blob = method.startswith("host.blob.")
        try:
            if is_blob:
                return await self._blob(ChannelId(plugin_id), method, params)
            return await self._state(plugin_id, method, params)
        except codec.DecodeError as problem:
            raise _refused(FaultKind.BAD_PARAMS, str(problem)) from None
        except ProviderFault:
            raise
        except WunderError as problem:
            kind = _KINDS.get(type(problem), FaultKind.BUSY)
            if is_blob and kind is FaultKind.QUOTA:
                kind = FaultKind.TOO_LARGE
            raise _refused(kind, problem.detail) from None

    async def _blob(self, channel: ChannelId, method: str, params: bytes) -> object:
        if method == "host.blob.write":
            piece = fast.ENGINE.decode(BlobWrite, params)
            chunk = codec.bytes_of(piece.data_b64)
            await self._blobs.write(channel, piece.transfer_id, piece.offset, chunk, piece.eof)
            return Empty()
        asked = fast.ENGINE.decode(BlobRead, params)
        if not (0 <= asked.offset < MAX_OFFSET and 0 < asked.limit <= MAX_CHUNK_BYTES):
            raise _refused(FaultKind.BAD_PARAMS, f"/limit: 1 to {MAX_CHUNK_BYTES} from 0 on")
        chunk, is_last = await self._blobs.read(channel, asked.blob_id, asked.offset, asked.limit)
        return BlobChunk(base64.b64encode(chunk).decode(), is_last)

    async def _state(self, plugin_id: PluginId, method: str, params: bytes) -> object:
        asked: StateKey | StatePut = fast.ENGINE.decode(PLUGIN_TO_HOST[method][0], params)
        if not 0 < len(asked.key) <= MAX_KEY_CHARS or "\0" in asked.key:
            raise _refused(FaultKind.BAD_PARAMS, f"/key: 1 to {MAX_KEY_CHARS} characters, no NUL")
        scope = self._scope(plugin_id, asked.account_id)
        if isinstance(asked, StatePut):
            rev = await self._history.state_put(plugin_id, scope, asked.key, asked.value, asked.rev)
            return StateRev(rev)
        if method == "host.state.delete":
            await self._history.state_delete(plugin_id, scope, asked.key)
            return Empty()
        return StateValue(*await self._history.state_get(plugin_id, scope, asked.key))

    def _scope(self, plugin_id: PluginId, account_id: str | None) -> str:
        if account_id is None:
            return ""
        found = self._resolve_account(plugin_id, account_id)
        if found is None:
            raise _refused(FaultKind.FORBIDDEN, "no account of this plugin has this id")
        return found


def _refused(kind: FaultKind, detail: str) -> ProviderFault:
    return ProviderFault(Fault(kind, detail))
