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
#: A piece shorter than this share of the limit is avoided: many platforms count messages (choice).
_LEAST_SHARE = 0.5
#: The first line of a fence (```python) is repeated when the fence goes on in the next piece.
_HEADER_MAX = 32
#: Characters that belong to the one before: joiners, variation selectors, keycaps.
_ATTACHED = "\u200d\ufe0e\ufe0f\u20e3"


@dataclass(frozen=True, slots=True)
class Style:
    """How a platform counts, and what it makes of ``` fences.

    Attributes:
        in_bytes: A limit is UTF-8 bytes; otherwise characters (code points).
        has_fences: The platform shows fences: none is left open at the end of a piece.
        repeats_language: A fence goes on as ```python; False where that word would be shown.
    """

    in_bytes: bool = False
    has_fences: bool = True
    repeats_language: bool = True


CHARACTERS = Style()
#: For plain text of platforms that count bytes.
PLAIN_BYTES = Style(in_bytes=True, has_fences=False)


@dataclass(frozen=True, slots=True)
class Piece:
    """What one message shows, and where in the whole text the next one begins."""

    text: str
    end: int


def take(text: str, at: int, limit: int, style: Style = CHARACTERS) -> Piece:
    """Return the piece that begins at `at`: a pure function, so a retry cuts the same.

    A fence longer than a piece is closed at the end of one and opened again in the next.

    Args:
        text: The whole text, without white space at its ends.
        at: 0, or the `end` of the piece before: what a channel keeps in `NextPart`.
        limit: Characters or bytes in a piece, at least 64.
        style: What the limit counts, and whether there are fences.
    """
    fences = [found.start() for found in _FENCES.finditer(text)] if style.has_fences else []
    header = _open_header(text, fences, at, style)
    if _furthest(text, at, limit - len(header), style) == len(text):
        return Piece(header + text[at:], len(text))
    closing = len("\n" + _FENCE) if fences else 0
    end = _cut(text, fences, at, _furthest(text, at, limit - len(header) - closing, style))
    shown = header + text[at:end].rstrip()
    if _opened_at(fences, end) is not None:
        shown += f"\n{_FENCE}"
        closed = fences[bisect_left(fences, end) :][:1]
        if not closed or text[end : closed[0]].strip():
            return Piece(shown, end)
        end = closed[0] + len(_FENCE)
    rest = text[end:]
    return Piece(shown, len(text) - len(rest.lstrip()))


def pieces(text: str, limit: int, style: Style = CHARACTERS) -> list[Piece]:
    """Return the whole text in pieces of at most `limit`, as `take` cuts them."""
    found: list[Piece] = []
    at = 0
    while at < len(text):
        found.append(take(text, at, limit, style))
        at = found[-1].end
    return found


def truncate(
    text: str, at: int, limit: int, style: Style = CHARACTERS, *, mark: str = "…"
) -> Piece:
    """Return the last piece there is room for; it ends with `mark` if something is missing."""
    piece = take(text, at, limit, style)
    if piece.end == len(text):
        return piece
    room = limit - (utf8_size(mark) if style.in_bytes else len(mark))
    return Piece(take(text, at, room, style).text + mark, len(text))


def utf8_size(text: str) -> int:
    """Return how many bytes a platform counts; a lone half of a surrogate pair counts one."""
    return len(text.encode("utf-8", "replace"))


def _furthest(text: str, at: int, room: int, style: Style) -> int:
    """Return the last place up to which the text fits, at least one character after `at`."""
    end = min(len(text), at + room)
    if not style.in_bytes:
        return end
    encoded = text[at:end].encode("utf-8", "replace")
    if len(encoded) <= room:
        return end
    return at + max(1, len(encoded[:room].decode("utf-8", "ignore")))


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
        or after in _ATTACHED
        or before == "\u200d"
        or "\udc00" <= after <= "\udfff"
        or "\U0001f3fb" <= after <= "\U0001f3ff"
        or (_is_flag_half(before) and _is_flag_half(after))
        or (before == after == "`")
    )


def _is_flag_half(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"


def _opened_at(fences: list[int], at: int) -> int | None:
    """Return where the fence begins that is open just before `at`, None where none is."""
    before = bisect_left(fences, at)
    return fences[before - 1] if before % 2 else None


def _open_header(text: str, fences: list[int], at: int, style: Style) -> str:
    opened = _opened_at(fences, at)
    if opened is None:
        return ""
    line = text[opened : opened + _HEADER_MAX].partition("\n")[0]
    language = line[len(_FENCE) :].strip()
    is_shown = style.repeats_language and language.isalnum()
    return f"{_FENCE}{language if is_shown else ''}\n"
