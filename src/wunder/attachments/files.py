"""The bytes on disk: generated names only, whole or not there at all. Blocking: call in a thread."""

import os
import re
import shutil
from pathlib import Path

from wunder.errors import NotFound
from wunder.model.ids import BlobId

FOLDER = "attachments"
_INCOMING = "incoming"
_BLOB_ID = re.compile(r"[0-9a-f]{32}")


class BlobFiles:
    """`<data dir>/attachments/<last two digits>/<blob id>`; what is not whole yet lies in `incoming`.

    Ids begin with a time, so their last digits spread best.
    """

    def __init__(self, data_dir: Path) -> None:
        self._root = data_dir / FOLDER
        self._incoming = self._root / _INCOMING

    def prepare(self) -> None:
        """Make the folders; forget what a crash left half written."""
        shutil.rmtree(self._incoming, ignore_errors=True)
        self._incoming.mkdir(mode=0o700, parents=True)

    def free_bytes(self) -> int:
        """How much room the disk has."""
        return shutil.disk_usage(self._root).free

    def begin(self, name: str) -> int:
        """Open a new file for a transfer; returns its descriptor."""
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
        return os.open(self._incoming / name, flags, 0o600)

    def drop(self, descriptor: int, name: str) -> None:
        """Close and forget a transfer's file."""
        os.close(descriptor)
        (self._incoming / name).unlink(missing_ok=True)

    def keep(self, descriptor: int, name: str, blob_id: BlobId) -> None:
        """Make a whole file durable under its id; the descriptor is closed."""
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        place = self.path(blob_id)
        place.parent.mkdir(mode=0o700, exist_ok=True)
        (self._incoming / name).replace(place)
        for folder in (place.parent, self._root):
            opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(opened)
            finally:
                os.close(opened)

    def adopt(self, source: Path, name: str) -> int:
        """Move a file of ours in as a transfer's; returns its descriptor."""
        source.replace(self._incoming / name)
        return os.open(self._incoming / name, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)

    def read(self, blob_id: BlobId, offset: int, limit: int) -> bytes:
        """Read a piece; b"" behind the end. Raises: NotFound."""
        try:
            descriptor = os.open(self.path(blob_id), os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        except FileNotFoundError:
            raise NotFound("The attachment's file is gone.") from None
        try:
            return os.pread(descriptor, limit, offset)
        finally:
            os.close(descriptor)

    def has(self, blob_id: BlobId) -> bool:
        """True when the file is here."""
        return self.path(blob_id).is_file()

    def ids(self) -> list[BlobId]:
        """Every file that is here."""
        found = self._root.glob("[0-9a-f][0-9a-f]/*")
        return sorted(BlobId(path.name) for path in found if _BLOB_ID.fullmatch(path.name))

    def remove(self, blob_id: BlobId) -> None:
        """Delete a file; one that is gone already is fine."""
        self.path(blob_id).unlink(missing_ok=True)

    def path(self, blob_id: BlobId) -> Path:
        """Where a blob lies. Raises: NotFound for what is no id of ours: nothing else becomes a path."""
        if not _BLOB_ID.fullmatch(blob_id):
            raise NotFound("There is no attachment with this id.")
        return self._root / blob_id[-2:] / blob_id
