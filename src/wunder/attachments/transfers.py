"""Transfers: bytes on their way in, bound to one channel, in order, bounded, for a while."""

import asyncio
import hashlib
import os
import secrets
import threading
from collections.abc import Callable

from wunder.attachments.files import BlobFiles
from wunder.attachments.policy import AttachmentPolicy
from wunder.attachments.sniff import HEAD_BYTES
from wunder.errors import Invalid, NotAllowed
from wunder.model.ids import BlobId, ChannelId
from wunder.ports import Clock

_NOT_YOURS = "no such transfer is open for this channel"


class Transfer:
    """One attachment coming in. Its id is random: only who was given it can write."""

    def __init__(self, channel: ChannelId, descriptor: int, name: str, expires_at: float) -> None:
        self.transfer_id = name
        self.channel = channel
        self.expires_at = expires_at  # by the clock's monotonic time
        self.size_bytes = 0
        self.head = b""
        self.is_whole = False
        self.is_writing = False
        self._descriptor: int | None = descriptor
        self._sum = hashlib.sha256()
        # A cancelled write goes on in its thread: nobody may close the file under it.
        self._lock = threading.Lock()

    @property
    def sha256(self) -> str:
        """Hex digest of what came so far."""
        return self._sum.hexdigest()

    def append(self, chunk: bytes) -> None:
        """Write behind what came before (blocking). Raises: NotAllowed when it has ended."""
        with self._lock:
            if self._descriptor is None:
                raise NotAllowed(_NOT_YOURS)
            left = memoryview(chunk)
            while left:
                left = left[os.write(self._descriptor, left) :]
            self._sum.update(chunk)
            self.head += chunk[: HEAD_BYTES - len(self.head)]
            self.size_bytes += len(chunk)

    def end(self, act: Callable[[int], None]) -> None:
        """Let nothing more in, and do with the file what is to be done (blocking)."""
        with self._lock:
            descriptor, self._descriptor = self._descriptor, None
            if descriptor is not None:
                act(descriptor)


class Transfers:
    """The open transfers of this process."""

    def __init__(self, files: BlobFiles, clock: Clock, policy: AttachmentPolicy) -> None:
        self._files = files
        self._clock = clock
        self._policy = policy
        self._open: dict[str, Transfer] = {}

    async def begin(self, channel: ChannelId) -> Transfer:
        """Open a transfer for the code that serves `channel`."""
        name = secrets.token_hex(16)
        descriptor = await asyncio.to_thread(self._files.begin, name)
        ends_at = self._clock.monotonic() + self._policy.transfer_s
        transfer = self._open[name] = Transfer(channel, descriptor, name, ends_at)
        return transfer

    async def write(
        self, channel: ChannelId, transfer_id: str, offset: int, chunk: bytes, is_last: bool
    ) -> None:
        """Append a piece. Raises: NotAllowed, Invalid."""
        transfer = self._open.get(transfer_id)
        if (
            transfer is None
            or transfer.channel != channel
            or self._clock.monotonic() > transfer.expires_at
        ):
            raise NotAllowed(_NOT_YOURS)
        if transfer.is_writing or transfer.is_whole:
            raise NotAllowed("one piece at a time, and none behind the last")
        if offset != transfer.size_bytes:
            raise NotAllowed(f"{transfer.size_bytes} bytes are here, not {offset}")
        if offset + len(chunk) > self._policy.max_file_bytes:
            raise Invalid(f"an attachment has at most {self._policy.max_file_bytes} bytes")
        transfer.is_writing = True
        try:
            await asyncio.to_thread(transfer.append, chunk)
            transfer.is_whole = is_last
        finally:
            transfer.is_writing = False

    async def keep(self, transfer: Transfer, blob_id: BlobId) -> None:
        """Make what came a stored file; nothing more is written."""
        del self._open[transfer.transfer_id]
        name = transfer.transfer_id
        await asyncio.to_thread(transfer.end, lambda fd: self._files.keep(fd, name, blob_id))

    async def drop(self, transfer: Transfer) -> None:
        """Forget a transfer that was not kept; after `keep` this does nothing."""
        self._open.pop(transfer.transfer_id, None)
        name = transfer.transfer_id
        await asyncio.to_thread(transfer.end, lambda fd: self._files.drop(fd, name))
