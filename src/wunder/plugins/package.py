"""A package as it comes in: opened the same way at every door, refused or read, never repaired."""

import errno
import hashlib
import os
import stat
import tempfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from wunder.errors import StoreFull, StoreUnavailable, WunderError
from wunder.plugins.entry_names import require_distinct, require_plain
from wunder.plugins.policy import PackageLimits
from wunder.plugins.refusals import Reason, refusal
from wunder.plugins.zip_structure import STORED, Entry, read_structure

CHUNK_BYTES = 65_536
DEFAULT_LIMITS = PackageLimits()
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})

#: Called with the name of each file and an iterator over its content, which it must exhaust.
Sink = Callable[[str, Iterator[bytes]], None]


class Package:
    """An opened package: structure and names are right, content is checked while it is read.

    It holds a private copy of the bytes that were hashed: whoever owns the uploaded file cannot
    change what is read later. Close it, or use `with`.
    """

    def __init__(self, file: BinaryIO, sha256: str, size_bytes: int, limits: PackageLimits) -> None:
        self._file = file
        self._limits = limits
        self.sha256 = sha256
        self.size_bytes = size_bytes
        self.entries = read_structure(file, limits)
        for entry in self.entries:
            require_plain(entry.name)
        require_distinct(entry.name for entry in self.entries)
        self._require_sane_sizes()
        self._files = {entry.name: entry for entry in self.entries if not entry.is_folder}

    def __enter__(self) -> "Package":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Forget the private copy."""
        self._file.close()

    @property
    def names(self) -> tuple[str, ...]:
        """The paths of all files, in the order of the zip."""
        return tuple(self._files)

    @property
    def unpacked_bytes(self) -> int:
        """What all files say they unpack to."""
        return sum(entry.size_bytes for entry in self.entries)

    def read(self, name: str, at_most_bytes: int, too_large: Reason) -> bytes | None:
        """Return one file's content, None where there is no such file.

        Raises: PackageRefused, with `too_large` when it is larger than `at_most_bytes`.
        """
        entry = self._files.get(name)
        if entry is None:
            return None
        if entry.size_bytes > at_most_bytes:
            raise refusal(too_large, name, f"at most {at_most_bytes} bytes")
        return b"".join(self._content(entry))

    def begins_with(self, name: str, start: bytes) -> bool:
        """True when a file's content begins with `start` (at most a few bytes)."""
        content = self._content(self._files[name]) if name in self._files else iter(())
        return next(content, b"").startswith(start)

    def raw(self, offset: int, limit: int) -> bytes:
        """Read a piece of the zip itself; b"" behind its end."""
        self._file.seek(offset)
        return self._file.read(limit)

    def unpack(self, sink: Sink) -> dict[str, str]:
        """Hand every file to `sink`, checked and counted on the way; path -> sha256 of each.

        Raises: PackageRefused, and what `sink` raises.
        """
        for folder in self.entries:
            if folder.is_folder and any(self._content(folder)):
                raise refusal(Reason.DAMAGED, folder.name, "a folder with content")
        return {name: self._unpack_one(entry, sink) for name, entry in self._files.items()}

    def _unpack_one(self, entry: Entry, sink: Sink) -> str:
        digest = hashlib.sha256()

        def hashed() -> Iterator[bytes]:
            for chunk in self._content(entry):
                digest.update(chunk)
                yield chunk

        sink(entry.name, hashed())
        return digest.hexdigest()

    def _require_sane_sizes(self) -> None:
        """What entries say of themselves; `_content` holds each of them to it."""
        limits = self._limits
        if self.unpacked_bytes > limits.unpacked_bytes:
            raise refusal(Reason.UNPACKED_TOO_LARGE, what=f"{self.unpacked_bytes} bytes")
        for entry in self.entries:
            is_large = entry.size_bytes > limits.ratio_from_bytes
            if is_large and entry.size_bytes > limits.ratio * entry.packed_bytes:
                raise refusal(Reason.RATIO, entry.name)
        is_large = self.unpacked_bytes > limits.ratio_from_bytes
        if is_large and self.unpacked_bytes > limits.ratio * self.size_bytes:
            raise refusal(Reason.RATIO)

    def _content(self, entry: Entry) -> Iterator[bytes]:
        """Yield an entry's content; refuses it as soon as it is more, or other, than announced."""
        self._file.seek(entry.content_at)
        chunks = self._stored(entry) if entry.method == STORED else self._inflated(entry)
        crc32 = count = 0
        for chunk in chunks:
            count += len(chunk)
            if count > entry.size_bytes:
                raise refusal(Reason.DAMAGED, entry.name, "more content than announced")
            crc32 = zlib.crc32(chunk, crc32)
            yield chunk
        if count != entry.size_bytes:
            raise refusal(Reason.DAMAGED, entry.name, "less content than announced")
        if crc32 != entry.crc32:
            raise refusal(Reason.DAMAGED, entry.name, "wrong checksum")

    def _stored(self, entry: Entry) -> Iterator[bytes]:
        left = entry.packed_bytes
        while left and (chunk := self._file.read(min(left, CHUNK_BYTES))):
            left -= len(chunk)
            yield chunk

    def _inflated(self, entry: Entry) -> Iterator[bytes]:
        """Inflate in bounded steps: neither a bomb nor a tail behind the stream gets through."""
        inflate = zlib.decompressobj(-zlib.MAX_WBITS)
        pending = b""
        left = entry.packed_bytes
        try:
            while not inflate.eof:
                if not pending and left:
                    pending = self._file.read(min(left, CHUNK_BYTES))
                    left = left - len(pending) if pending else 0
                chunk = inflate.decompress(pending, CHUNK_BYTES)
                pending = inflate.unconsumed_tail
                if chunk:
                    yield chunk
                elif not pending and not left and not inflate.eof:
                    raise refusal(Reason.DAMAGED, entry.name, "its compressed stream has no end")
        except zlib.error:
            raise refusal(Reason.DAMAGED, entry.name, "it cannot be inflated") from None
        if left or inflate.unused_data:
            raise refusal(Reason.EXTRA_BYTES, entry.name, "behind its compressed stream")


def open_package(
    path: Path, *, limits: PackageLimits = DEFAULT_LIMITS, scratch_dir: Path | None = None
) -> Package:
    """Open a package for reading: the one function behind every door. Blocking.

    Args:
        path: The zip; it is read once and left alone.
        limits: What a package may be at most.
        scratch_dir: Where the private copy lies; the system's temporary folder if None.

    Raises:
        PackageRefused: It breaks a rule of the format.
        StoreFull: No room for the private copy.
        StoreUnavailable: It cannot be read.
    """
    # Unlinked from its birth: nothing is left behind by a kill at any point.
    copy = tempfile.TemporaryFile(dir=scratch_dir)  # noqa: SIM115  # the package closes it
    try:
        with _regular(path) as source:
            sha256, size_bytes = _copy(source, copy, limits.packed_bytes)
        return Package(copy, sha256, size_bytes, limits)
    except OSError as error:
        copy.close()
        raise disk_trouble(error) from error
    except BaseException:
        copy.close()
        raise


def disk_trouble(error: OSError) -> WunderError:
    """Return our error for one of the disk: full, or out of reach."""
    if error.errno in _FULL:
        return StoreFull()
    name = errno.errorcode.get(error.errno or 0, "unknown")
    return StoreUnavailable(f"a file could not be read or written ({name})")


def _regular(path: Path) -> BinaryIO:
    """Open a file that is one: a pipe would keep us waiting."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise refusal(Reason.NOT_A_ZIP)
    return os.fdopen(descriptor, "rb")


def _copy(source: BinaryIO, target: BinaryIO, at_most_bytes: int) -> tuple[str, int]:
    digest = hashlib.sha256()
    size_bytes = 0
    while chunk := source.read(CHUNK_BYTES * 4):
        size_bytes += len(chunk)
        if size_bytes > at_most_bytes:
            raise refusal(Reason.TOO_LARGE)
        digest.update(chunk)
        target.write(chunk)
    target.flush()
    target.seek(0, os.SEEK_SET)
    return digest.hexdigest(), size_bytes
