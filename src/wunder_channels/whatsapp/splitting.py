"""Cut a long text where a reader would: after a paragraph, a line, a sentence; fences stay whole."""

import re
import unicodedata

_FENCE = "```"
#: Where a piece may end, the best place first.
_BREAKS = (
    re.compile(r"\n[ \t]*\n"),
    re.compile(r"\n"),
    re.compile(r"[。！？!?；…]+|\.(?=\s)"),
    re.compile(r"\s"),
)
#: A piece shorter than this share of the limit is avoided (choice).
_LEAST_SHARE = 0.5


def pieces(text: str, limit: int) -> list[str]:
    """Return the whole text in pieces of at most `limit` code points, at least 64.

    A pure function, so that a retry cuts the same. A fence that does not fit is closed at the end
    of a piece and opened again in the next.
    """
    found: list[str] = []
    rest, opened = text.strip(), False
    while rest:
        head = f"{_FENCE}\n" if opened else ""
        if len(head) + len(rest) <= limit:
            return [*found, head + rest]
        # Room for the mark that closes a fence, whether or not the piece will need it.
        cut = _cut(rest, limit - len(head) - len(_FENCE) - 1, opened)
        body, rest = rest[:cut].rstrip(), rest[cut:]
        opened ^= body.count(_FENCE) % 2 == 1
        rest = rest.lstrip("\n") if opened else rest.lstrip()
        piece = head + body
        if opened:
            piece += f"\n{_FENCE}"
            if rest.startswith(_FENCE):
                rest, opened = rest[len(_FENCE) :].lstrip(), False
        found.append(piece)
    return found


def _cut(text: str, most: int, opened: bool) -> int:
    """Return where the piece ends, in (0, most]."""
    fence = text.rfind(_FENCE, 0, most)
    is_inside = opened ^ (text.count(_FENCE, 0, most) % 2 == 1)
    if is_inside:
        if fence > 0 and fence >= most * _LEAST_SHARE and text[:fence].strip():
            return fence
        line = text.rfind("\n", max(fence + len(_FENCE), 1), most)
        return line + 1 if line > fence + len(_FENCE) else _hard(text, most)
    for kind in _BREAKS:
        ends = [one.end() for one in kind.finditer(text, 0, most)]
        for end in reversed(ends):
            if end < most * _LEAST_SHARE:
                break
            if not opened ^ (text.count(_FENCE, 0, end) % 2 == 1):
                return end
    return _hard(text, most)


def _hard(text: str, most: int) -> int:
    """Return a cut that leaves whole what a reader sees as one character, and each ```."""
    cut = most
    while cut > 1 and _joined(text, cut):
        cut -= 1
    return cut if cut > 1 else most


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
