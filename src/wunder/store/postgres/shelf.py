"""Large bytes that every node can read, in pieces, over a connection of their own."""

import asyncio
from collections.abc import Callable, Sequence

from wunder.model.ids import At
from wunder.store.file_shelf import PIECE_BYTES
from wunder.store.postgres.reader import Reader

_PUT = """
INSERT INTO shelf (kind, name, piece, content, stored_at) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (kind, name, piece) DO UPDATE SET content = excluded.content, stored_at = excluded.stored_at
"""
_CUT = "DELETE FROM shelf WHERE kind = ? AND name = ? AND piece >= ?"
_GET = "SELECT content FROM shelf WHERE kind = ? AND name = ? AND piece = ?"
_FORGET = "DELETE FROM shelf WHERE kind = ? AND name = ANY(?::text[])"
_NAMES = "SELECT name FROM shelf WHERE kind = ? AND piece = 0 AND stored_at < ? ORDER BY name"


class PostgresShelf:
    """`shelf`. A piece is a commit: 32 MiB under way never keep a message waiting."""

    is_shared = True

    def __init__(self, line: Reader, now: Callable[[], At]) -> None:
        self._line = line
        self._now = now

    async def put(self, kind: str, name: str, read: Callable[[int, int], bytes]) -> None:
        """Keep what `read(offset, limit)` gives until it gives nothing; blocking reads, in a thread."""
        count = 0
        while piece := await asyncio.to_thread(read, count * PIECE_BYTES, PIECE_BYTES):
            await self._line.rows(_PUT, kind, name, count, piece, self._now())
            count += 1
        await self._line.rows(_CUT, kind, name, count)

    async def fetch(self, kind: str, name: str, write: Callable[[bytes], object]) -> int:
        """Hand the bytes to `write`, in order, in a thread; how many, 0 where there are none."""
        total = count = 0
        while rows := await self._line.rows(_GET, kind, name, count):
            await asyncio.to_thread(write, rows[0][0])
            total += len(rows[0][0])
            count += 1
        return total

    async def forget(self, kind: str, names: Sequence[str]) -> None:
        """Delete; what is gone already is fine."""
        if names:
            await self._line.rows(_FORGET, kind, list(names))

    async def names(self, kind: str, before: At) -> list[str]:
        """What was put there before a time."""
        return [row[0] for row in await self._line.rows(_NAMES, kind, before)]
