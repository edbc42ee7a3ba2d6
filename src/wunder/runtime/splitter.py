"""Bytes of a plugin's stdout become lines, however they arrive and however long they are."""

import re
from dataclasses import dataclass

from wunder_wire.frame import OVERLONG_KEPT_BYTES

#: `id` is first, or second after `jsonrpc`: ours and the SDKs write it so. What follows tells a
#: request of the plugin, whose ids are its own, from an answer to ours.
_HEAD = re.compile(
    rb'\s*\{\s*(?:"jsonrpc"\s*:\s*"2\.0"\s*,\s*)?"id"\s*:\s*(?P<id>\d{1,18})\s*,\s*'
    rb'(?:"jsonrpc"\s*:\s*"2\.0"\s*,\s*)?(?P<request>"method"\s*:)?'
)


def answered_id(line: bytes) -> int | None:
    """Return the id of the call that a line means to answer, as far as its beginning shows one."""
    head = _HEAD.match(line[:OVERLONG_KEPT_BYTES])
    return int(head["id"]) if head and not head["request"] else None


@dataclass(frozen=True, slots=True)
class Overlong:
    """A line that was thrown away; `id` is None where its beginning does not show one."""

    size_bytes: int
    id: int | None
    is_request: bool
    beginning: bytes


class Splitter:
    """Cuts a stream at LF; a line beyond `max_line_bytes` costs no memory."""

    def __init__(self, max_line_bytes: int) -> None:
        self.max_line_bytes = max_line_bytes
        self._part = bytearray()
        self._dropped_bytes = 0  # > 0: inside an over-long line, `_part` is its beginning

    @property
    def is_discarding(self) -> bool:
        """True inside an over-long line."""
        return self._dropped_bytes > 0

    def feed(self, received: bytes) -> list[bytes | Overlong]:
        """Return the lines that end in `received`, without LF; empty lines are left out."""
        *ended, rest = received.split(b"\n")
        lines: list[bytes | Overlong] = []
        for piece in ended:
            if self._part or self._dropped_bytes or len(piece) > self.max_line_bytes:
                self._keep(piece)
                lines.append(self._end())
            elif piece:
                lines.append(piece)
        if rest:
            self._keep(rest)
        return lines

    def _keep(self, piece: bytes) -> None:
        if self._dropped_bytes:
            self._dropped_bytes += len(piece)
            return
        self._part += piece
        if len(self._part) > self.max_line_bytes:
            self._dropped_bytes = len(self._part)
            del self._part[OVERLONG_KEPT_BYTES:]

    def _end(self) -> bytes | Overlong:
        part, size = bytes(self._part), self._dropped_bytes
        self._part.clear()
        self._dropped_bytes = 0
        if not size:
            return part
        head = _HEAD.match(part)
        found = int(head["id"]) if head else None
        return Overlong(size, found, bool(head and head["request"]), part)
