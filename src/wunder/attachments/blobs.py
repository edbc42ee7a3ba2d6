"""What the code that serves a channel may touch: its open transfers, and what it was lent."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager

from wunder.attachments.doors import AttachmentTable
from wunder.attachments.library import Library
from wunder.attachments.transfers import Transfers
from wunder.errors import NotAllowed, NotFound
from wunder.model.attachment import AttachmentState
from wunder.model.ids import AccountUid, BlobId, ChannelId
from wunder.model.message import Attachment

MAX_CHUNK_BYTES = 262_144
_NOT_LENT = "no message that is being sent for this channel carries this attachment"
Loan = tuple[ChannelId, str, AccountUid]


class BlobDoor:
    """The port PluginBlobs over the attachment store."""

    def __init__(self, transfers: Transfers, library: Library, table: AttachmentTable) -> None:
        self._transfers = transfers
        self._library = library
        self._table = table
        self._lent: Counter[Loan] = Counter()

    async def write(
        self, channel: ChannelId, transfer_id: str, offset: int, chunk: bytes, is_last: bool
    ) -> None:
        """Append to a transfer. Raises: NotAllowed, Invalid."""
        if len(chunk) > MAX_CHUNK_BYTES:
            raise NotAllowed(f"a piece has at most {MAX_CHUNK_BYTES} bytes")
        await self._transfers.write(channel, transfer_id, offset, chunk, is_last)

    async def read(
        self, channel: ChannelId, blob_id: str, offset: int, limit: int
    ) -> tuple[bytes, bool]:
        """Return a piece of what this channel was lent. Raises: NotAllowed."""
        borrowers = {uid for at, lent, uid in self._lent if (at, lent) == (channel, blob_id)}
        if not borrowers:
            raise NotAllowed(_NOT_LENT)
        found = await self._table.find([BlobId(blob_id)])
        if not found or found[0].state is not AttachmentState.STORED:
            raise NotAllowed("this attachment is not stored any more")
        row = found[0]
        if row.account_uid and row.account_uid not in borrowers:
            raise NotAllowed(_NOT_LENT)
        try:
            chunk = await self._library.read(row, offset, limit)
        except NotFound as error:
            raise NotAllowed(error.detail) from error
        return chunk, offset + len(chunk) >= row.size_bytes or not chunk

    def lend(
        self, channel: ChannelId, account_uid: AccountUid, attachments: Sequence[Attachment]
    ) -> AbstractContextManager[None]:
        """Let a channel read what a message of this account carries, while the block runs."""
        return self._lend(
            [(channel, one.blob_id, account_uid) for one in attachments if one.blob_id]
        )

    @contextmanager
    def _lend(self, loans: list[Loan]) -> Iterator[None]:
        self._lent.update(loans)
        try:
            yield
        finally:
            for loan in loans:
                self._lent[loan] -= 1
                if not self._lent[loan]:
                    del self._lent[loan]
