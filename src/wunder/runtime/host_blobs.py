"""Answers `host.blob.*`, and passes everything else on to `host.state.*`."""

import base64
import binascii

from wunder.errors import Invalid, NotAllowed, WunderError
from wunder.model.fault import FaultKind
from wunder.model.ids import PluginId
from wunder.ports import PluginBlobs
from wunder.runtime.host_state import HostState, Refused
from wunder_wire import codec, fast
from wunder_wire.blob import MAX_CHUNK_BYTES, BlobChunk, BlobRead, BlobWrite
from wunder_wire.methods import Empty


class HostAnswers:
    """What one plugin may ask of the host."""

    def __init__(self, plugin_id: PluginId, state: HostState, blobs: PluginBlobs | None) -> None:
        self._plugin_id = plugin_id
        self._state = state
        self._blobs = blobs

    async def answer(self, method: str, params: bytes) -> object:
        """Do what is asked and return the wire result. Raises: Refused."""
        if not method.startswith("host.blob.") or self._blobs is None:
            return await self._state.answer(method, params)
        try:
            if method == "host.blob.write":
                return await self._write(self._blobs, fast.ENGINE.decode(BlobWrite, params))
            if method == "host.blob.read":
                return await self._read(self._blobs, fast.ENGINE.decode(BlobRead, params))
        except codec.DecodeError as problem:
            raise Refused(FaultKind.BAD_PARAMS, str(problem)) from None
        except NotAllowed as problem:
            raise Refused(FaultKind.FORBIDDEN, problem.detail) from None
        except Invalid as problem:
            raise Refused(FaultKind.TOO_LARGE, problem.detail) from None
        except WunderError as problem:
            raise Refused(FaultKind.BUSY, problem.detail) from None
        raise Refused(FaultKind.METHOD_NOT_FOUND, "the host has no such method")

    async def _write(self, blobs: PluginBlobs, asked: BlobWrite) -> Empty:
        try:
            chunk = base64.b64decode(asked.data_b64, validate=True)
        except (binascii.Error, ValueError):
            raise Refused(FaultKind.BAD_PARAMS, "/data_b64: not base64") from None
        if len(chunk) > MAX_CHUNK_BYTES:
            raise Refused(FaultKind.BAD_PARAMS, f"/data_b64: at most {MAX_CHUNK_BYTES} bytes")
        await blobs.write(self._plugin_id, asked.transfer_id, asked.offset, chunk, asked.eof)
        return Empty()

    async def _read(self, blobs: PluginBlobs, asked: BlobRead) -> BlobChunk:
        if asked.offset < 0 or not 0 < asked.limit <= MAX_CHUNK_BYTES:
            words = f"/limit: 1 to {MAX_CHUNK_BYTES}, /offset: 0 or more"
            raise Refused(FaultKind.BAD_PARAMS, words)
        chunk, is_last = await blobs.read(self._plugin_id, asked.blob_id, asked.offset, asked.limit)
        return BlobChunk(base64.b64encode(chunk).decode(), is_last)
