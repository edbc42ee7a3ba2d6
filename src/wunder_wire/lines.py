"""Cut a byte stream into lines of bounded length, in constant memory."""

import re

from wunder_wire.frame import MAX_FRAME_BYTES, OVERLONG_KEPT_BYTES
from wunder_wire.record import dataclass

_HEAD = re.compile(
    rb'\s*\{\s*(?:"jsonrpc"\s*:\s*"2\.0"\s*,\s*)?'
    rb'"id"\s*:\s*(?:(-?\d{1,18})|"([^"\\]{1,128})")\s*,'
    rb'(?:\s*"jsonrpc"\s*:\s*"2\.0"\s*,)?(\s*"method"\s*:)?'
)

_NOTHING = memoryview(b"")


@dataclass(frozen=True, slots=True)
class OverlongLine:
    """A line that exceeded the limit: its beginning, and how long it was without its newline."""

    head: bytes
    size_bytes: int


class LineSplitter:
    """Feed it chunks as they arrive; it gives back whole lines without their newline."""

    __slots__ = ("_kept", "_size", "max_bytes")

    def __init__(self, max_bytes: int = MAX_FRAME_BYTES) -> None:
        self.max_bytes = max_bytes
        self._kept = bytearray()
        self._size = 0

    @property
    def is_discarding(self) -> bool:
        """Is it inside a line that is too long already?"""
        return self._size > self.max_bytes

    def feed(self, chunk: bytes) -> list[bytes | OverlongLine]:
        """Return the lines that `chunk` completes; one trailing CR is cut, empty ones skipped."""
        if not self._size and chunk.find(b"\n") == len(chunk) - 1 < self.max_bytes:
            # One whole line, as most chunks are.
            whole = chunk[:-2] if chunk.endswith(b"\r\n") else chunk[:-1]
            return [whole] if whole else []
        *ends, rest = chunk.split(b"\n")
        lines: list[bytes | OverlongLine] = []
        if ends and self._size:
            self._keep(ends.pop(0))
            lines.append(self._take())
        if b"\r" in chunk or len(chunk) > self.max_bytes:
            for end in ends:
                self._keep(end)
                lines.append(self._take())
        else:
            lines += ends
        if rest:
            self._keep(rest)
        return lines if all(lines) else [line for line in lines if line]

    def cut(self, chunk: bytes) -> tuple[list[bytes | OverlongLine], memoryview]:
        """Return what `feed` does, in that order; the second part are whole lines left together.

        For a reader that takes many lines in one go: taking them apart costs as much as a third
        of reading them. None of them is too long; they may be empty or end in CR LF.
        """
        begin = chunk.find(b"\n") + 1 if self._size else 0
        end = chunk.rfind(b"\n") + 1
        if end <= begin or len(chunk) > self.max_bytes or chunk.find(b"\n") == len(chunk) - 1:
            return self.feed(chunk), _NOTHING
        lines = self.feed(chunk[:begin]) if begin else []
        self._keep(chunk[end:])
        return lines, memoryview(chunk)[begin:end]

    def _keep(self, piece: bytes) -> None:
        fitted = self._size <= self.max_bytes
        self._size += len(piece)
        if not fitted:
            return
        self._kept += piece
        if self._size > self.max_bytes:
            self._kept = self._kept[:OVERLONG_KEPT_BYTES]

    def _take(self) -> bytes | OverlongLine:
        whole = bytes(self._kept)
        size, self._size = self._size, 0
        self._kept = bytearray()
        if size > self.max_bytes:
            return OverlongLine(whole, size)
        return whole[:-1] if whole.endswith(b"\r") else whole


def id_of(head: bytes) -> tuple[int | str | None, bool]:
    """Return the id that an over-long line begins with, and whether it is a request.

    Only a top-level `id` among the first members counts; (None, False) if it does not show.
    """
    found = _HEAD.match(head)
    if found is None:
        return None, False
    number, text, method = found.groups()
    frame_id = int(number) if number is not None else text.decode("utf-8", "replace")
    return frame_id, method is not None
