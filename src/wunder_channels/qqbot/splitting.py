"""Cut a long text where a reader would: after a paragraph, a line, a sentence; never in a fence."""

import re
import unicodedata
from bisect import bisect_left
from dataclasses import dataclass

_FENCE = "```"
_FENCES = re.compile(_FENCE)
#: Where a piece may end, the best place first.
_PARAGRAPH, _LINE = re.compile(r"\n[ \t]*\n"), re.compile(r"\n")
_SENTENCE, _SPACE = re.compile(r"[。！？!?；…]+|\.(?=\s)"), re.compile(r"\s")
_BREAKS = (_PARAGRAPH, _LINE, _SENTENCE, _SPACE)
#: A piece shorter than this share of the limit is avoided: each costs a reply slot (choice).
_LEAST_SHARE = 0.5
#: The first line of a fence (```python) is repeated when the fence goes on in the next piece.
_HEADER_MAX = 32
#: The limit of a piece: 2000 while that is enough, else up to 4500. QQ publishes no number;
#: refusals were seen from 2000 to 5000 characters (QQ bot SDKs, read 2026-07).
LIMITS = (2000, 2500, 3000, 3500, 4000, 4500)
#: What a text ends with if no reply is left for its rest.
TRUNCATED = "…（内容过长，已截断）"


@dataclass(frozen=True, slots=True)
class Piece:
    """What one message shows, and where in the whole text the next one begins."""

    text: str
    end: int


def choose_limit(text: str, most_pieces: int | None) -> int:
    """Return the smallest of `LIMITS` that needs at most `most_pieces` pieces, else the largest."""
    if most_pieces is None:
        return LIMITS[0]
    fitting = (limit for limit in LIMITS[:-1] if _fits(text, limit, most_pieces))
    return next(fitting, LIMITS[-1])


def pieces(text: str, limit: int) -> list[Piece]:
    """Return the whole text in pieces of at most `limit` characters."""
    found: list[Piece] = []
    at = 0
    while at < len(text):
        found.append(take(text, at, limit))
        at = found[-1].end
    return found


def take(text: str, at: int, limit: int) -> Piece:
    """Return the piece that begins at `at`: a pure function, so a retry cuts the same.

    A fence longer than a piece is closed at the end of one and opened again in the next.

    Args:
        text: The whole text, without white space at its ends.
        at: 0, or the `end` of the piece before.
        limit: Characters in a piece, at least 64.
    """
    fences = [found.start() for found in _FENCES.finditer(text)]
    header = _open_header(text, fences, at)
    if len(header) + len(text) - at <= limit:
        return Piece(header + text[at:], len(text))
    closing = len("\n" + _FENCE) if fences else 0
    end = _cut(text, fences, at, at + limit - len(header) - closing)
    shown = header + text[at:end].rstrip()
    if _opened_at(fences, end) is not None:
        shown += f"\n{_FENCE}"
        closed = fences[bisect_left(fences, end) :][:1]
        if not closed or text[end : closed[0]].strip():
            return Piece(shown, end)
        end = closed[0] + len(_FENCE)
    rest = text[end:]
    return Piece(shown, len(text) - len(rest.lstrip()))


def truncate(text: str, at: int, limit: int) -> Piece:
    """Return the last piece there is room for; it says so if something is missing."""
    piece = take(text, at, limit)
    if piece.end == len(text):
        return piece
    return Piece(take(text, at, limit - len(TRUNCATED)).text + TRUNCATED, len(text))


def _fits(text: str, limit: int, most_pieces: int) -> bool:
    at = 0
    for _ in range(most_pieces):
        if at >= len(text) or len(text) - at > limit * most_pieces:
            break
        at = take(text, at, limit).end
    return at >= len(text)


def _cut(text: str, fences: list[int], at: int, most: int) -> int:
    """Return where the piece from `at` ends, in (at, most]."""
    opened = _opened_at(fences, most)
    if opened is None:
        return _break(text, fences, at, most) or _hard(text, at, most)
    if opened > at:
        closed = fences[bisect_left(fences, opened) + 1 :][:1]
        fits = not closed or closed[0] - opened < most - at
        if text[at:opened].strip() and (fits or opened - at >= (most - at) * _LEAST_SHARE):
            return opened
    first_line_end = text.find("\n", max(opened, at)) + 1
    lines = [found.end() for found in _LINE.finditer(text, max(at, first_line_end), most)]
    return lines[-1] if lines else _hard(text, at, most)


def _break(text: str, fences: list[int], at: int, most: int) -> int | None:
    """Return the best place outside all fences to end a piece, None where there is none."""
    earliest = at + max(1, int((most - at) * _LEAST_SHARE))
    for kind in _BREAKS:
        ends = [found.end() for found in kind.finditer(text, at, most)]
        for end in reversed(ends):
            if end < earliest:
                break
            if _opened_at(fences, end) is None:
                return end
    return None


def _hard(text: str, at: int, most: int) -> int:
    """Return a cut that leaves whole what a reader sees as one character, and each ```."""
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
        or "\udc00" <= after <= "\udfff"
        or "\U0001f3fb" <= after <= "\U0001f3ff"
        or (before == after == "`")
    )


def _opened_at(fences: list[int], at: int) -> int | None:
    """Return where the fence begins that is open just before `at`, None where none is."""
    before = bisect_left(fences, at)
    return fences[before - 1] if before % 2 else None


def _open_header(text: str, fences: list[int], at: int) -> str:
    opened = _opened_at(fences, at)
    if opened is None:
        return ""
    line = text[opened : opened + _HEADER_MAX].partition("\n")[0]
    language = line[len(_FENCE) :].strip()
    return f"{_FENCE}{language if language.isalnum() else ''}\n"
