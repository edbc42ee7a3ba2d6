"""The bytes of attachments: written by `fetch_attachment`, read by `send_outbound`."""

import asyncio
from collections.abc import AsyncIterator

from wunder_sdk import lazy
from wunder_sdk.errors import Busy, TooLarge
from wunder_sdk.host import BlobHost
from wunder_wire.blob import MAX_CHUNK_BYTES, FetchResult

#: Seconds to wait where the gateway is busy and does not say how long, and how often.
BUSY_S = 0.25
BUSY_TRIES = 20
#: `read_all` without a limit: what a plugin of 256 MiB may well hold (choice).
READ_ALL_BYTES = 32 * 1_048_576


class BlobWriter:
    """Where `fetch_attachment` writes; small chunks are joined, large ones cut to 256 KiB.

    Attributes:
        mime: The MIME type as the platform says it; the gateway looks into the bytes itself.
        name: The file's name as the platform says it; shown, never used as a path.
        size: Bytes written so far.
    """

    __slots__ = ("_held", "_host", "_sent", "_sha256", "_transfer_id", "mime", "name", "size")

    def __init__(self, host: BlobHost, transfer_id: str) -> None:
        self._host = host
        self._transfer_id = transfer_id
        self._held = bytearray()
        self._sent = 0
        self._sha256 = lazy.new_sha256()
        self.mime: str | None = None
        self.name: str | None = None
        self.size = 0

    async def write(self, chunk: bytes) -> None:
        """Append a chunk of any size; waits while the gateway stores what came before.

        Raises:
            TooLarge: More than the gateway takes for one attachment: let it pass.
        """
        self._sha256.update(chunk)
        self.size += len(chunk)
        rest = memoryview(chunk)
        while len(self._held) + len(rest) > MAX_CHUNK_BYTES:
            taken = MAX_CHUNK_BYTES - len(self._held)
            self._held += rest[:taken]
            rest = rest[taken:]
            await self._flush(eof=False)
        self._held += rest

    async def finish(self) -> FetchResult:
        """Send what is left and say what was written (done by the SDK)."""
        await self._flush(eof=True)
        return FetchResult(self.size, self._sha256.hexdigest(), self.mime, self.name)

    async def _flush(self, *, eof: bool) -> None:
        piece, self._held = bytes(self._held), bytearray()
        for tries_left in range(BUSY_TRIES, -1, -1):
            try:
                await self._host.blob_write(self._transfer_id, self._sent, piece, eof=eof)
                break
            except Busy as busy:
                if not tries_left:
                    raise
                await asyncio.sleep(busy.retry_after or BUSY_S)
        self._sent += len(piece)


class Blobs:
    """Reads attachments by their `blob_id`, while a message that carries them is being sent."""

    __slots__ = ("_host",)

    def __init__(self, host: BlobHost) -> None:
        self._host = host

    async def read(self, blob_id: str) -> AsyncIterator[bytes]:
        """Yield the bytes in pieces of at most 256 KiB.

        Raises:
            Forbidden: The message that is being sent does not carry it, or it is gone.
        """
        offset, eof = 0, False
        while not eof:
            chunk, eof = await self._host.blob_read(blob_id, offset, MAX_CHUNK_BYTES)
            offset += len(chunk)
            if chunk:
                yield chunk
            elif not eof:
                return

    async def read_all(self, blob_id: str, limit_bytes: int = READ_ALL_BYTES) -> bytes:
        """Return all bytes.

        Raises:
            TooLarge: There are more than `limit_bytes`.
            Forbidden: As for `read`.
        """
        whole = bytearray()
        async for chunk in self.read(blob_id):
            whole += chunk
            if len(whole) > limit_bytes:
                raise TooLarge(f"the attachment has more than {limit_bytes} bytes")
        return bytes(whole)
