"""What one plugin may ask of the host: `host.blob.*` here, `host.state.*` next door, refused in one place."""

import base64
import binascii

from wunder.errors import Conflict, Invalid, NotAllowed, WunderError
from wunder.model.fault import FaultKind
from wunder.model.ids import ChannelId, PluginId
from wunder.ports import PluginBlobs
from wunder.runtime.host_state import HostState, Refused
from wunder_wire import codec, fast
from wunder_wire.blob import MAX_CHUNK_BYTES, BlobChunk, BlobRead, BlobWrite
from wunder_wire.methods import Empty

_KINDS: dict[type[WunderError], FaultKind] = {
    Conflict: FaultKind.STATE_CONFLICT,
    NotAllowed: FaultKind.FORBIDDEN,
    Invalid: FaultKind.QUOTA,
}


class HostAnswers:
    """Answers a plugin's requests; `blobs` None: this host keeps no attachments."""

    def __init__(self, plugin_id: PluginId, state: HostState, blobs: PluginBlobs | None) -> None:
        self._channel = ChannelId(plugin_id)
        self._state = state
        self._blobs = blobs

    async def answer(self, method: str, params: bytes) -> object:
        """Do what is asked and return the wire result. Raises: Refused."""
        is_blob = method.startswith("host.blob.")
        try:
            if is_blob and self._blobs is not None:
                return await self._blob(self._blobs, method, params)
            return await self._state.answer(method, params)
        except (codec.DecodeError, binascii.Error) as problem:
            raise Refused(FaultKind.BAD_PARAMS, str(problem)) from None
        except WunderError as problem:
            kind = _KINDS.get(type(problem), FaultKind.BUSY)
            if is_blob and kind is FaultKind.QUOTA:
                kind = FaultKind.TOO_LARGE
            raise Refused(kind, problem.detail) from None

    async def _blob(self, blobs: PluginBlobs, method: str, params: bytes) -> object:
        if method == "host.blob.write":
            piece = fast.ENGINE.decode(BlobWrite, params)
            chunk = base64.b64decode(piece.data_b64, validate=True)
            await blobs.write(self._channel, piece.transfer_id, piece.offset, chunk, piece.eof)
            return Empty()
        asked = fast.ENGINE.decode(BlobRead, params)
        if asked.offset < 0 or not 0 < asked.limit <= MAX_CHUNK_BYTES:
            raise Refused(FaultKind.BAD_PARAMS, f"/limit: 1 to {MAX_CHUNK_BYTES} from 0 on")
        chunk, is_last = await blobs.read(self._channel, asked.blob_id, asked.offset, asked.limit)
        return BlobChunk(base64.b64encode(chunk).decode(), is_last)
