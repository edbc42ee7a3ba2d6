"""The bytes of stored attachments, wherever they were accepted: on this node's disk, or on the shelf."""

import asyncio
import hashlib
import os
import secrets
from collections.abc import Sequence
from functools import partial

from wunder.attachments.doors import BlobShelf
from wunder.attachments.files import BlobFiles
from wunder.errors import NotFound, StoreFull
from wunder.model.attachment import StoredAttachment
from wunder.model.ids import At, BlobId
from wunder.observe.logs import get_logger

log = get_logger(__name__)
KIND = "attachment"


class Library:
    """Keeps files here and, where nodes share a store, on its shelf; brings here what is asked for.

    What lies here is then a copy: it may be deleted at any time and is fetched again (ADR 0017).
    """

    def __init__(self, files: BlobFiles, shelf: BlobShelf | None, free_floor_bytes: int) -> None:
        """Take the places.

        Args:
            files: this node's disk.
            shelf: what all nodes read; None where one node has the store to itself.
            free_floor_bytes: nothing is brought here below so much free space.
        """
        self.files = files
        self._shelf = shelf
        self._free_floor_bytes = free_floor_bytes
        self._coming: dict[BlobId, asyncio.Lock] = {}

    @property
    def is_shared(self) -> bool:
        """True where other nodes read and fetch the same attachments."""
        return self._shelf is not None

    async def share(self, blob_id: BlobId) -> None:
        """Let other nodes read a file of this one; before its row says that it is stored."""
        if self._shelf is not None:
            await self._shelf.put(KIND, blob_id, partial(self.files.read, blob_id))

    async def read(self, row: StoredAttachment, offset: int, limit: int) -> bytes:
        """Read a piece, b"" behind the end. Raises: NotFound, StoreUnavailable, StoreFull."""
        try:
            return await asyncio.to_thread(self.files.read, row.blob_id, offset, limit)
        except NotFound:
            if self._shelf is None:
                raise
        await self._bring(row, self._shelf)
        return await asyncio.to_thread(self.files.read, row.blob_id, offset, limit)

    async def forget(self, blob_ids: Sequence[BlobId]) -> None:
        """Delete bytes whose rows are gone, here and for the other nodes."""
        await asyncio.to_thread(self._unlink, blob_ids)
        if self._shelf is not None:
            await self._shelf.forget(KIND, blob_ids)

    async def here(self) -> list[BlobId]:
        """What lies on this node's disk."""
        return await asyncio.to_thread(self.files.ids)

    async def shelved(self, before: At) -> list[BlobId]:
        """What was put on the shelf before a time."""
        names = [] if self._shelf is None else await self._shelf.names(KIND, before)
        return [BlobId(name) for name in names]

    async def _bring(self, row: StoredAttachment, shelf: BlobShelf) -> None:
        lock = self._coming.setdefault(row.blob_id, asyncio.Lock())
        try:
            async with lock:
                if not await asyncio.to_thread(self.files.has, row.blob_id):
                    await self._fetch(row, shelf)
        finally:
            if not lock.locked():
                self._coming.pop(row.blob_id, None)

    async def _fetch(self, row: StoredAttachment, shelf: BlobShelf) -> None:
        if await asyncio.to_thread(self.files.free_bytes) < self._free_floor_bytes:
            raise StoreFull("There is no room for a copy of the attachment on this node.")
        name, digest = secrets.token_hex(16), hashlib.sha256()
        descriptor = await asyncio.to_thread(self.files.begin, name)

        def write(piece: bytes) -> None:
            digest.update(piece)
            left = memoryview(piece)
            while left:
                left = left[os.write(descriptor, left) :]

        is_kept = False
        try:
            size = await shelf.fetch(KIND, row.blob_id, write)
            if (size, digest.hexdigest()) != (row.size_bytes, row.sha256):
                log.error("attachment_differs_from_its_row", blob_id=row.blob_id, size_bytes=size)
                raise NotFound("The attachment's bytes are gone.")
            is_kept = True
        finally:
            if not is_kept:
                await asyncio.to_thread(self.files.drop, descriptor, name)
        await asyncio.to_thread(self.files.keep, descriptor, name, row.blob_id)

    def _unlink(self, blob_ids: Sequence[BlobId]) -> None:
        for blob_id in blob_ids:
            try:
                self.files.remove(blob_id)
            except (OSError, NotFound):
                log.warning("attachment_file_not_removed", blob_id=blob_id)
