"""What is behind this room: nobody else asks it, so it is not on the page of doors."""

from collections.abc import Callable, Sequence
from typing import Protocol

from wunder.model.attachment import StoredAttachment
from wunder.model.ids import AccountUid, At, BlobId


class AttachmentTable(Protocol):
    """`attachments`. Rows of inbound messages are made by T1."""

    async def put(self, row: StoredAttachment) -> None:
        """Add or replace a row."""
        ...

    async def find(self, blob_ids: Sequence[BlobId]) -> list[StoredAttachment]:
        """The rows there are, in no order."""
        ...

    async def due(self, now: At, limit: int) -> list[StoredAttachment]:
        """What waits to be fetched, longest due first."""
        ...

    async def unused_since(
        self, before: At, limit: int, account_uid: AccountUid | None = None
    ) -> list[StoredAttachment]:
        """What was not put to use since, longest unused first, of one account or of all."""
        ...

    async def used_bytes(self, account_uid: AccountUid) -> int:
        """How much the attachments of an account take."""
        ...

    async def claim(self, row: StoredAttachment, until: At) -> bool:
        """Have a row that waits to oneself until then; False when another node was first."""
        ...

    async def remove(self, blob_ids: Sequence[BlobId]) -> None:
        """Forget rows."""
        ...


class BlobShelf(Protocol):
    """The bytes of attachments where every node of the store can read them (ADR 0017)."""

    async def put(self, kind: str, name: str, read: Callable[[int, int], bytes]) -> None:
        """Keep what `read(offset, limit)` gives until it gives nothing."""
        ...

    async def fetch(self, kind: str, name: str, write: Callable[[bytes], object]) -> int:
        """Hand the bytes to `write`, in order; how many, 0 where there are none."""
        ...

    async def forget(self, kind: str, names: Sequence[str]) -> None:
        """Delete; what is gone already is fine."""
        ...

    async def names(self, kind: str, before: At) -> list[str]:
        """What was put there before a time."""
        ...
