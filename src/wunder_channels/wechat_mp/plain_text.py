"""Turn Markdown into the plain text that WeChat shows: words stay, marks go."""

import re

#: WeChat publishes no number; beyond 2048 bytes the whole message is refused (45002), a passive
#: reply already beyond 2047 (observed by others, see the channel's README).
LIMIT_BYTES = 2000

_FENCE = re.compile(r"^[ \t]*(?:```|~~~)[^\n`]*$")
_HEADING = re.compile(r"^[ \t]{0,3}#{1,6}[ \t]+(.*)$")
_RULE = re.compile(
    r"^[ \t]{0,3}(?:-[ \t]*){3,}$|^[ \t]{0,3}(?:\*[ \t]*){3,}$|^[ \t]{0,3}(?:_[ \t]*){3,}$"
)
_TABLE_RULE = re.compile(r"^[ \t]*\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*){1,32}\|?[ \t]*$")
_QUOTE = re.compile(r"^[ \t]{0,3}>[ \t]?")
_BULLET = re.compile(r"^([ \t]*)[*+-][ \t]+")
_LINK = re.compile(
    r"!?\[([^\[\]\n]{0,300})\]\(<?([^\s()<>]{1,1000})>?(?:[ \t]+\"[^\"\n]{0,200}\")?\)"
)
_MARKS = (
    re.compile(r"(?<![\w*])\*\*(?=\S)([^\n*]{1,2000}?)(?<=\S)\*\*"),
    re.compile(r"(?<![\w_])__(?=\S)([^\n_]{1,2000}?)(?<=\S)__(?!\w)"),
    re.compile(r"~~(?=\S)([^\n~]{1,2000}?)(?<=\S)~~"),
    re.compile(r"(?<![\w*\\])\*(?=\S)([^\n*]{1,2000}?)(?<=\S)\*(?![\w*])"),
    re.compile(r"(?<!\w)_(?=\S)([^\n_]{1,2000}?)(?<=\S)_(?!\w)"),
    re.compile(r"`([^`\n]{1,2000})`"),
)


def to_plain(markdown: str) -> str:
    """Return what a person would read; code keeps its lines, links show their address."""
    lines: list[str] = []
    in_code = False
    for line in markdown.split("\n"):
        if _FENCE.match(line):
            in_code = not in_code
        elif in_code:
            lines.append(line)
        elif not _RULE.match(line) and not _TABLE_RULE.match(line):
            lines.append(_line(line))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def _line(line: str) -> str:
    line = _QUOTE.sub("", line)
    heading = _HEADING.match(line)
    line = heading[1].rstrip("# \t") if heading else _BULLET.sub(r"\1• ", line)
    line = _LINK.sub(_link, line)
    for mark in _MARKS:
        line = mark.sub(r"\1", line)
    return line


def _link(link: re.Match[str]) -> str:
    words, address = link[1].strip(), link[2]
    return address if not words or words == address else f"{words} {address} "
