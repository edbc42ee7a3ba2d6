"""Cut a long text to a number of bytes where a reader would: paragraph, line, sentence, word."""

import re
import unicodedata
from dataclasses import dataclass

#: Where a piece may end, the best place first.
_BREAKS = (
    re.compile(r"\n[ \t]*\n"),
    re.compile(r"\n"),
    re.compile(r"[。！？!?；…]+|\.(?=\s)"),
    re.compile(r"\s"),
)
#: A piece shorter than this share of the limit is avoided: members get few messages (choice).
_LEAST_SHARE = 0.5
#: What a text ends with if there is no room for its rest.
TRUNCATED = "…（内容过长，已截断）"


@dataclass(frozen=True, slots=True)
class Piece:
    """What one message shows, and where in the whole text the next one begins."""

    text: str
    end: int


def take(text: str, at: int, limit_bytes: int) -> Piece:
    """Return the piece that begins at `at`: a pure function, so a retry cuts the same.

    Args:
        text: The whole text, without white space at its ends.
        at: 0, or the `end` of the piece before.
        limit_bytes: UTF-8 bytes in a piece, at least 64.
    """
    most = _most(text, at, limit_bytes)
    if most == len(text):
        return Piece(text[at:], most)
    end = _break(text, at, most) or _hard(text, at, most)
    rest = text[end:]
    return Piece(text[at:end].rstrip(), len(text) - len(rest.lstrip()))


def pieces(text: str, limit_bytes: int) -> list[Piece]:
    """Return the whole text in pieces of at most `limit_bytes` bytes."""
    found: list[Piece] = []
    at = 0
    while at < len(text):
        found.append(take(text, at, limit_bytes))
        at = found[-1].end
    return found


def truncate(text: str, limit_bytes: int, at: int = 0) -> str:
    """Return the text from `at` as one piece, which says so if something is missing."""
    piece = take(text, at, limit_bytes)
    if piece.end == len(text):
        return piece.text
    return take(text, at, limit_bytes - len(TRUNCATED.encode())).text + TRUNCATED


def _most(text: str, at: int, limit_bytes: int) -> int:
    """Return the furthest end whose piece has at most `limit_bytes` bytes, after `at`."""
    window = text[at : at + limit_bytes].encode("utf-8", "replace")
    if len(window) <= limit_bytes:
        return min(len(text), at + limit_bytes)
    kept = window[:limit_bytes].decode("utf-8", "ignore")
    return at + max(1, len(kept))


def _break(text: str, at: int, most: int) -> int | None:
    """Return the best place to end a piece, None where there is none."""
    earliest = at + max(1, int((most - at) * _LEAST_SHARE))
    for kind in _BREAKS:
        ends = [found.end() for found in kind.finditer(text, earliest - 1, most)]
        if ends:
            return ends[-1]
    return None


def _hard(text: str, at: int, most: int) -> int:
    """Return a cut that leaves whole what a reader sees as one character."""
    cut = most
    while cut > at + 1 and _joined(text, cut):
        cut -= 1
    return cut if cut > at + 1 else most


def _joined(text: str, cut: int) -> bool:
    before, after = text[cut - 1], text[cut]
    return (
        unicodedata.combining(after) != 0
        or after in "\u200d\ufe0f\u20e3"
        or before == "\u200d"
        or "\U0001f3fb" <= after <= "\U0001f3ff"
        or ("\U0001f1e6" <= before <= "\U0001f1ff" and "\U0001f1e6" <= after <= "\U0001f1ff")
    )
