"""Turn Markdown into what WhatsApp shows: *bold*, _italic_, ~strike~, and lines for the rest."""

import re

_FENCED = re.compile(r"```[^\n`]*\n?(.*?)(?:```|\Z)", re.DOTALL)
_CODE = re.compile(r"(`[^`\n]+`)")
_RULE = re.compile(r"[ \t]*(?:-[ \t]*){3,}\Z|[ \t]*(?:\*[ \t]*){3,}\Z|[ \t]*(?:_[ \t]*){3,}\Z")
_TABLE_RULE = re.compile(r"[ \t]*\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*\Z")
_HEADING = re.compile(r"[ \t]{0,3}#{1,6}[ \t]+(.*?)[ \t]*#*[ \t]*\Z")
_BULLET = re.compile(r"([ \t]*)[*+-][ \t]+")
_LINK = re.compile(r"(!?)\[([^\[\]\n]{0,500})\]\(<?([^()\s<>]{1,2000}(?:\([^()\s]{0,200}\)[^()\s<>]{0,500})?)>?(?:[ \t]+\"[^\"\n]{0,200}\")?\)")  # fmt: skip
_AUTO_LINK = re.compile(r"<((?:https?://|mailto:)[^<>\s]{1,2000})>")
_ESCAPED = re.compile(r"\\([\\`*_{}\[\]()#+\-.!~|>])")
#: None of these looks further than the next mark of its kind, so a line full of marks stays cheap.
_BOLD = re.compile(
    r"\*\*(?=[^\s*])((?:[^*]|\*(?!\*))+?)(?<=\S)\*\*(?!\*)"
    r"|(?<![\w_])__(?=[^\s_])((?:[^_]|_(?!_))+?)(?<=\S)__(?![\w_])"
)
_BOTH = re.compile(r"(?<![*\w])\*\*\*(?=[^\s*])([^*\n]+)(?<=\S)\*\*\*(?![*\w])")
_ITALIC = re.compile(r"(?<![*\w])\*(?![*\s])([^*\n]+?)(?<![*\s])\*(?![*\w])")
_STRIKE = re.compile(r"~~(?=[^\s~])((?:[^~]|~(?!~))+?)(?<=\S)~~")
#: Characters no text carries, standing for marks while others are being replaced.
_BOLD_MARK, _ESCAPE_BASE = "\ue000", 0xE100
_ESCAPE_MARK = re.compile("[\ue100-\ue17f]")


def to_whatsapp(markdown: str) -> str:
    """Return Markdown in WhatsApp's own marks; code stays as it is, tables become lines.

    Source: WhatsApp Help Center, How to format your messages (read 2026-07).
    """
    shown: list[str] = []
    at = 0
    for fence in _FENCED.finditer(markdown):
        shown.append(_prose(markdown[at : fence.start()]))
        # WhatsApp shows the language of a fence as a line of the code.
        code = fence[1].strip("\n")
        shown.append(f"```\n{code}\n```" if "\n" in code else f"```{code}```")
        at = fence.end()
    shown.append(_prose(markdown[at:]))
    return "".join(shown).strip()


def _prose(text: str) -> str:
    return "\n".join(_line(one) for one in _without_rules(text.split("\n")))


def _without_rules(lines: list[str]) -> list[str]:
    """Leave out the lines that only draw: rules, and the second line of a table."""
    return [
        line
        for number, line in enumerate(lines)
        if not _RULE.match(line)
        and not (
            number
            and "-" in line
            and "|" in lines[number - 1]
            and "|" in line
            and _TABLE_RULE.match(line)
        )
    ]


def _line(line: str) -> str:
    stripped = line.strip()
    if len(stripped) > 2 and stripped.startswith("|") and stripped.endswith("|"):
        return " | ".join(_inline(cell.strip()) for cell in stripped[1:-1].split("|"))
    heading = _HEADING.match(line)
    if heading and heading[1]:
        inner = _inline(heading[1]).replace("*", "").strip()
        return f"*{inner}*" if inner else ""
    bullet = _BULLET.match(line)
    if bullet:
        return f"{bullet[1]}- {_inline(line[bullet.end() :])}"
    return _inline(line)


def _inline(text: str) -> str:
    pieces = _CODE.split(text)
    return "".join(piece if number % 2 else _marks(piece) for number, piece in enumerate(pieces))


def _marks(text: str) -> str:
    text = _ESCAPED.sub(lambda found: chr(_ESCAPE_BASE + ord(found[1])), text)
    text = _LINK.sub(_link, text)
    text = _AUTO_LINK.sub(r"\1", text)
    text = _BOTH.sub(rf"{_BOLD_MARK}_\1_{_BOLD_MARK}", text)
    text = _BOLD.sub(lambda found: f"{_BOLD_MARK}{found[1] or found[2]}{_BOLD_MARK}", text)
    text = _ITALIC.sub(r"_\1_", text)
    text = _STRIKE.sub(r"~\1~", text).replace(_BOLD_MARK, "*")
    return _ESCAPE_MARK.sub(lambda found: chr(ord(found[0]) - _ESCAPE_BASE), text)


def _link(found: re.Match[str]) -> str:
    words, address = found[2].strip(), found[3]
    if not words or words == address or f"https://{words}" == address:
        return address
    return f"{words} ({address})"
