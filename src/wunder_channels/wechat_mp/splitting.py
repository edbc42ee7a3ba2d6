"""Cut a text by its UTF-8 bytes where a reader would: after a paragraph, a line, a sentence."""

import re
import unicodedata
from dataclasses import dataclass

#: WeChat publishes no number; beyond 2048 bytes the whole message is refused (45002), a passive
#: reply already beyond 2047 (observed by others, see the channel's README).
LIMIT_BYTES = 2000
#: A piece shorter than this share of the limit is avoided: each costs one of five messages (choice).
_LEAST_SHARE = 0.5
_BREAKS = (
    re.compile(r"\n[ \t]*\n"),
    re.compile(r"\n"),
    re.compile(r"[。！？!?；…]+|\.(?=\s)"),
    re.compile(r"\s"),
)
#: Characters that belong to the one before: joiners, variation selectors, keycaps.
_ATTACHED = "\u200d\ufe0e\ufe0f\u20e3"


@dataclass(frozen=True, slots=True)
class Piece:
    """What one message shows, and where in the whole text the next one begins."""

    text: str
    end: int


def size(text: str) -> int:
    """Return how many bytes WeChat counts."""
    return len(text.encode("utf-8", "replace"))


def pieces(text: str, limit: int = LIMIT_BYTES) -> list[Piece]:
    """Return the whole text in pieces of at most `limit` bytes."""
    found: list[Piece] = []
    at = 0
    while at < len(text):
        found.append(take(text, at, limit))
        at = found[-1].end
    return found


def take(text: str, at: int, limit: int = LIMIT_BYTES) -> Piece:
    """Return the piece that begins at `at`: a pure function, so a retry cuts the same.

    Args:
        text: The whole text, without white space at its ends.
        at: 0, or the `end` of the piece before.
        limit: Bytes in a piece, at least 64.
    """
    most = _most(text, at, limit)
    if most == len(text):
        return Piece(text[at:], most)
    end = _break(text, at, most) or _hard(text, at, most)
    shown = text[at:end].rstrip()
    rest = len(text) - len(text[end:].lstrip())
    return Piece(shown or text[at:end], rest)


def _most(text: str, at: int, limit: int) -> int:
    """Return the last place up to which the text fits."""
    encoded = text[at : at + limit].encode("utf-8", "replace")
    if len(encoded) <= limit:
        return min(at + limit, len(text))
    return at + len(encoded[:limit].decode("utf-8", "ignore"))


def _break(text: str, at: int, most: int) -> int | None:
    earliest = at + max(1, int((most - at) * _LEAST_SHARE))
    for kind in _BREAKS:
        # A break just behind the last place that fits ends the piece as well.
        ends = [found.end() for found in kind.finditer(text, at, most + 1)]
        fitting = [end for end in ends if earliest <= end <= most]
        if fitting:
            return fitting[-1]
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
        or after in _ATTACHED
        or before == "\u200d"
        or "\U0001f3fb" <= after <= "\U0001f3ff"
        or ("\U0001f1e6" <= before <= "\U0001f1ff" and "\U0001f1e6" <= after <= "\U0001f1ff")
    )
