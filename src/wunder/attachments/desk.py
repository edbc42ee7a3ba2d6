"""What people and programs do with attachments: upload one, look at one, follow a signed link."""

import asyncio
import hashlib
from pathlib import Path

import msgspec

from wunder.attachments.doors import AttachmentTable
from wunder.attachments.library import Library
from wunder.attachments.links import SignedLinks
from wunder.attachments.policy import AttachmentPolicy
from wunder.attachments.sniff import HEAD_BYTES, SHOWABLE, media_type, safe_name
from wunder.attachments.space import Space
from wunder.errors import Invalid, NotFound, ProviderFault, StoreFull
from wunder.model.attachment import AttachmentState, StoredAttachment
from wunder.model.ids import AccountUid, At, BlobId, new_id, ordered_id
from wunder.model.message import AttachmentKind
from wunder.ports import Clock

_PIECE_BYTES = 262_144
_KINDS: dict[str, AttachmentKind] = {"image": "image", "audio": "audio", "video": "video"}


class Uploading(msgspec.Struct, frozen=True):
    """A file of ours that is to be kept; `account_uid` "" lets any account send it."""

    path: Path
    name: str
    mime: str = ""
    account_uid: AccountUid = AccountUid("")
    kind: AttachmentKind | None = None


class Served(msgspec.Struct, frozen=True):
    """A file to hand out: only what is `is_showable` may be shown inside a page."""

    row: StoredAttachment

    @property
    def is_showable(self) -> bool:
        """True for the image types whose bytes say so (security rule 3)."""
        return self.row.mime in SHOWABLE


class AttachmentDesk:
    """Uploads, views and signed links."""

    def __init__(
        self,
        table: AttachmentTable,
        library: Library,
        links: SignedLinks,
        space: Space,
        clock: Clock,
        policy: AttachmentPolicy,
    ) -> None:
        self._table = table
        self._library = library
        self._files = library.files
        self._links = links
        self._space = space
        self._clock = clock
        self._policy = policy

    async def upload(self, given: Uploading) -> StoredAttachment:
        """Keep a file; its path is used up.

        Raises:
            Invalid: it is too large, or the account has no room.
            StoreFull: the disk is nearly full.
        """
        size, digest, head = await asyncio.to_thread(_read_through, given.path)
        if size > self._policy.max_file_bytes:
            raise Invalid(f"An attachment has at most {self._policy.max_file_bytes} bytes.")
        try:
            await self._space.make_for(given.account_uid)
        except ProviderFault as error:
            raise StoreFull(error.detail) from error
        now = self._clock.now()
        mime = media_type(head, given.mime)
        row = StoredAttachment(
            blob_id=BlobId(ordered_id(now)),
            account_uid=given.account_uid,
            kind=given.kind or _KINDS.get(mime.partition("/")[0], "file"),
            created_at=now,
            used_at=now,
            state=AttachmentState.FAILED,
            name=safe_name(given.name),
            mime=mime,
            size_bytes=size,
            sha256=digest,
            error="uploading",
        )
        # The row first: what a crash leaves behind has an owner, and goes with it.
        await self._table.put(row)
        await asyncio.to_thread(self._adopt, given.path, row.blob_id)
        await self._library.share(row.blob_id)
        row = msgspec.structs.replace(row, state=AttachmentState.STORED, error="")
        await self._table.put(row)
        return row

    async def view(self, blob_id: str) -> tuple[StoredAttachment, str]:
        """An attachment, and a fresh link to it, "" where there are no bytes. Raises: NotFound."""
        found = await self._table.find([BlobId(blob_id)])
        if not found:
            raise NotFound("There is no attachment with this id.")
        is_stored = found[0].state is AttachmentState.STORED
        return found[0], self._links.link(found[0].blob_id) if is_stored else ""

    async def open(self, blob_id: str, token: str) -> Served:
        """What a signed link leads to. Raises: NotFound, whatever is wrong with the link."""
        if not self._links.is_good(blob_id, token):
            raise NotFound("This link does not lead anywhere, or not any more.")
        found = await self._table.find([BlobId(blob_id)])
        if not found or found[0].state is not AttachmentState.STORED:
            raise NotFound("The attachment is not stored any more.")
        row = found[0]
        if self._clock.now() - row.used_at > 3_600_000:
            await self._table.put(msgspec.structs.replace(row, used_at=At(self._clock.now())))
        return Served(row)

    async def piece(self, served: Served, offset: int) -> bytes:
        """The next bytes of an opened file, b"" at its end. Raises: NotFound."""
        return await self._library.read(served.row, offset, _PIECE_BYTES)

    def _adopt(self, path: Path, blob_id: BlobId) -> None:
        name = new_id()
        self._files.keep(self._files.adopt(path, name), name, blob_id)


def _read_through(path: Path) -> tuple[int, str, bytes]:
    digest, size, head = hashlib.sha256(), 0, b""
    with path.open("rb") as file:
        while chunk := file.read(_PIECE_BYTES):
            head += chunk[: HEAD_BYTES - len(head)]
            size += len(chunk)
            digest.update(chunk)
    return size, digest.hexdigest(), head
