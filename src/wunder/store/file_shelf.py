"""Large bytes of a store that one node has to itself: a file each, below its data directory."""

import asyncio
import contextlib
import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path

from wunder.model.ids import At

FOLDER = "shelf"
PIECE_BYTES = 262_144
_NAME = re.compile(r"[0-9a-f]{32,64}")


class FileShelf:
    """`<data dir>/shelf/<kind>/<name>`, whole or not there at all."""

    is_shared = False

    def __init__(self, data_dir: Path) -> None:
        self._root = data_dir / FOLDER

    async def put(self, kind: str, name: str, read: Callable[[int, int], bytes]) -> None:
        """Keep what `read(offset, limit)` gives until it gives nothing; blocking reads, in a thread."""
        await asyncio.to_thread(self._put, kind, name, read)

    async def fetch(self, kind: str, name: str, write: Callable[[bytes], object]) -> int:
        """Hand the bytes to `write`, in order, in a thread; how many, 0 where there are none."""
        return await asyncio.to_thread(self._fetch, kind, name, write)

    async def forget(self, kind: str, names: Sequence[str]) -> None:
        """Delete; what is gone already is fine."""
        await asyncio.to_thread(self._forget, kind, names)

    async def names(self, kind: str, before: At) -> list[str]:
        """What was put there before a time."""
        return await asyncio.to_thread(self._names, kind, before)

    def _put(self, kind: str, name: str, read: Callable[[int, int], bytes]) -> None:
        place = self._path(kind, name)
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        partial = place.with_name(name + ".partial")
        offset = 0
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW
        with open(os.open(partial, flags, 0o600), "wb") as file:
            while piece := read(offset, PIECE_BYTES):
                file.write(piece)
                offset += len(piece)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(place)
        folder = os.open(place.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _fetch(self, kind: str, name: str, write: Callable[[bytes], object]) -> int:
        total = 0
        with contextlib.suppress(FileNotFoundError), self._path(kind, name).open("rb") as file:
            while piece := file.read(PIECE_BYTES):
                write(piece)
                total += len(piece)
        return total

    def _forget(self, kind: str, names: Sequence[str]) -> None:
        for name in names:
            self._path(kind, name).unlink(missing_ok=True)

    def _names(self, kind: str, before: At) -> list[str]:
        with contextlib.suppress(FileNotFoundError):
            return sorted(
                path.name
                for path in (self._root / kind).iterdir()
                if _NAME.fullmatch(path.name) and path.stat().st_mtime * 1000 < before
            )
        return []

    def _path(self, kind: str, name: str) -> Path:
        # Hashes and ids of ours only: nothing else becomes a path.
        if not _NAME.fullmatch(name):
            raise FileNotFoundError(name)
        return self._root / kind / name
