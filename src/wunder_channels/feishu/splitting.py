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
#: A piece shorter than this share of the limit is avoided (choice).
_LEAST_SHARE = 0.5
#: The first line of a fence (```python) is repeated when the fence goes on in the next piece.
_HEADER_MAX = 32


@dataclass(frozen=True, slots=True)
class Piece:
    """What one message shows, and where in the whole text the next one begins."""

    text: str
    end: int


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
