"""A store as one file that either engine can write: tables as text, large bytes as they are, hashes.

A tar: `tables/<name>` in PostgreSQL's COPY text form, rows in the order of their keys; packages and
attachments under `shelf/<kind>/<name>`; `contents.json` last, which says how many rows and bytes there
are and what they hash to. A file without it was cut short.
"""

import contextlib
import hashlib
import io
import os
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

import msgspec

from wunder.errors import Conflict, StoreBroken, StoreFull
from wunder.model.ids import At
from wunder.store.disk import free_bytes

CONTENTS = "contents.json"
FORMAT = 1
PIECE_BYTES = 262_144
Progress = Callable[[str], None]
#: As the server writes them, so that the text of both engines hashes to the same.
_ESCAPES = {ord(one): "\\" + name for one, name in zip("\b\f\n\r\t\v\\", "bfnrtv\\", strict=True)}


class TableContents(msgspec.Struct, frozen=True):
    """One table: its columns in the order of the text, and what its text hashes to."""

    columns: tuple[str, ...]
    rows: int
    sha256: str


class Contents(msgspec.Struct, frozen=True):
    """What an archive holds. `missing` names large bytes that rows speak of and that were not there."""

    format: int
    engine: str
    at: At
    schema_version: int
    incarnation: str
    epoch: int
    facts: dict[str, str]
    figures: dict[str, int]
    tables: dict[str, TableContents]
    shelf: dict[str, str]  # kind/name -> sha256
    missing: tuple[str, ...] = ()


class ArchiveWriter:
    """Writes an archive aside; it has its name once it is whole and on the disk."""

    def __init__(self, target: Path, tell: Progress) -> None:
        if target.exists():
            raise Conflict(f"{target} exists; give another name.", reason="backup_exists")
        target.parent.mkdir(parents=True, exist_ok=True)
        self._target = target
        self._partial = target.with_name(target.name + ".partial")
        self._partial.unlink(missing_ok=True)
        fd = os.open(self._partial, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600)
        self._file: IO[bytes] = open(fd, "w+b")  # noqa: SIM115 - closed by `finish` or `abandon`
        self._tar = tarfile.open(fileobj=self._file, mode="w")  # noqa: SIM115 - likewise
        self.tell = tell
        self.tables: dict[str, TableContents] = {}
        self.shelf: dict[str, str] = {}
        self.missing: list[str] = []

    @contextlib.contextmanager
    def table(self, name: str, columns: tuple[str, ...]) -> Iterator["Text"]:
        """Take the text of a table; `rows` of it is set by who writes."""
        with tempfile.TemporaryFile(dir=self._target.parent) as scratch:
            text = Text(scratch)
            yield text
            scratch.flush()
            scratch.seek(0)
            self._add(f"tables/{name}", text.size_bytes, scratch)
            self.tables[name] = TableContents(columns, text.rows, text.sha256)
            if text.rows:
                self.tell(f"{name}: {text.rows} rows")

    @contextlib.contextmanager
    def bytes_coming(self, kind: str, name: str) -> Iterator["Text"]:
        """Take large bytes; what turns out to be nothing is remembered as missing."""
        with tempfile.TemporaryFile(dir=self._target.parent) as scratch:
            text = Text(scratch)
            yield text
            if not text.size_bytes:
                self.missing.append(f"{kind}/{name}")
                return
            scratch.seek(0)
            self._add(f"shelf/{kind}/{name}", text.size_bytes, scratch)
            self.shelf[f"{kind}/{name}"] = text.sha256

    def contents(
        self, engine: str, at: At, version: int, facts: dict[str, str], figures: dict[str, int]
    ) -> Contents:
        """What was written, and what `meta` says beside it."""
        return Contents(
            format=FORMAT,
            engine=engine,
            at=at,
            schema_version=version,
            incarnation=facts.get("incarnation", ""),
            epoch=int(facts.get("epoch", "0")),
            facts=facts,
            figures=figures,
            tables=self.tables,
            shelf=self.shelf,
            missing=tuple(self.missing),
        )

    def finish(self, contents: Contents) -> None:
        """Write what it holds, make it durable, give it its name."""
        encoded = msgspec.json.format(msgspec.json.encode(contents))
        self._add(CONTENTS, len(encoded), io.BytesIO(encoded))
        self._tar.close()
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        os.replace(self._partial, self._target)
        folder = os.open(self._target.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def abandon(self) -> None:
        """Forget what was written; after `finish` this does nothing."""
        if not self._file.closed:
            with contextlib.suppress(OSError):  # what is still in memory finds no room either
                self._file.close()
            self._partial.unlink(missing_ok=True)

    def _add(self, name: str, size_bytes: int, source: IO[bytes]) -> None:
        if free_bytes(self._target.parent) < size_bytes:
            raise StoreFull(f"There is no room for this in {self._target.parent}.")
        entry = tarfile.TarInfo(name)
        entry.size, entry.mode = size_bytes, 0o600
        self._tar.addfile(entry, source)


class Text:
    """Bytes on their way into a file, hashed and counted."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._sum = hashlib.sha256()
        self.size_bytes = 0
        self.rows = 0

    @property
    def sha256(self) -> str:
        """Hex digest of what came so far."""
        return self._sum.hexdigest()

    def write(self, piece: bytes) -> None:
        """Append."""
        self._file.write(piece)
        self._sum.update(piece)
        self.size_bytes += len(piece)


class Archive:
    """An archive to read. Close it, or use `with`."""

    def __init__(self, path: Path) -> None:
        cut_short = f"{path} is no archive of a store, or was cut short."
        try:
            self._tar = tarfile.open(path, "r:")  # noqa: SIM115 - closed by `close`
        except (OSError, tarfile.TarError) as error:
            raise StoreBroken(cut_short) from error
        try:
            found = b"".join(self.pieces(CONTENTS))
            self.contents = msgspec.json.decode(found, type=Contents)
        except (tarfile.TarError, msgspec.MsgspecError, StoreBroken) as error:
            self._tar.close()
            raise StoreBroken(cut_short) from error
        if self.contents.format != FORMAT:
            self._tar.close()
            raise StoreBroken(f"{path} was written by a newer program; use that one.")

    def __enter__(self) -> "Archive":
        return self

    def __exit__(self, *_: object) -> None:
        self._tar.close()

    def pieces(self, name: str) -> Iterator[bytes]:
        """The bytes of a table (`tables/..`) or of large bytes (`shelf/..`)."""
        try:
            file = self._tar.extractfile(name)
        except (KeyError, OSError, tarfile.TarError) as error:
            raise StoreBroken(f"The archive lacks {name}.") from error
        if file is None:
            raise StoreBroken(f"The archive lacks {name}.")
        while piece := file.read(PIECE_BYTES):
            yield piece

    def verify(self) -> None:
        """Hash everything and compare. Raises: StoreBroken."""
        wanted = {f"tables/{name}": one.sha256 for name, one in self.contents.tables.items()}
        wanted |= {f"shelf/{name}": digest for name, digest in self.contents.shelf.items()}
        for name, digest in wanted.items():
            found = hashlib.sha256()
            for piece in self.pieces(name):
                found.update(piece)
            if found.hexdigest() != digest:
                raise StoreBroken(f"{name} of the archive is not what was written; take another.")


def copy_text(row: tuple[Any, ...]) -> bytes:
    """One row in PostgreSQL's COPY text form (postgresql.org/docs/current/sql-copy.html, 2026-11-23)."""
    return ("\t".join(map(_copied, row)) + "\n").encode("utf-8", "surrogatepass")


def _copied(value: Any) -> str:
    if value is None:
        return "\\N"
    if isinstance(value, bytes):
        return "\\\\x" + value.hex()
    return str(value).translate(_ESCAPES)
