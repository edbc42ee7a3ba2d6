"""Turn QQ's markup into plain text and back: faces, mentions, escapes, links."""

import base64
import binascii
import json
import re
from collections.abc import Mapping

#: QQ escapes these three and no others.
_ESCAPES = {"&lt;": "<", "&gt;": ">", "&amp;": "&"}
_MARKUP = re.compile(
    r'<faceType=[0-9]+,faceId="(?P<face>[^"<>]{0,64})"(?:,ext="(?P<ext>[^"<>]{0,4096})")?>'
    r'|<qqbot-at-user id="(?P<at_new>[^"<>]{1,128})"\s*/?>'
    r"|<@!?(?P<at>[^<>\s]{1,128})>"
    r"|(?P<escape>&(?:lt|gt|amp);)"
)
_LINK = re.compile(
    r"(?:https?://|www\.)[^\s<>\"'）】」]+"
    r"|\b(?:[A-Za-z0-9-]{1,63}\.){1,8}(?:com|cn|net|org|io|dev|me|top|xyz|info|cc|app|ai)\b(?:/[^\s<>\"'）】」]*)?"
)


def to_plain(content: str, names: Mapping[str, str], own_ids: frozenset[str]) -> str:
    """Return what a person would read: faces as words, others as @name, the bot's mention gone.

    Args:
        content: As the platform sent it, with `<` and `&` escaped outside its tags.
        names: Mentioned id -> name.
        own_ids: Ids under which the bot itself is mentioned.

    Source: QQ bot docs 2026-07, message content, text chain.
    """
    if "<" not in content and "&" not in content:
        return content.strip()

    def words(tag: re.Match[str]) -> str:
        if escape := tag["escape"]:
            return _ESCAPES[escape]
        if mentioned := tag["at"] or tag["at_new"]:
            return "" if mentioned in own_ids else f"@{names.get(mentioned) or mentioned}"
        return f"[表情:{_face_name(tag['ext']) or tag['face']}]"

    return _MARKUP.sub(words, content).strip()


def mentioned_ids(content: str) -> list[str]:
    """Return the ids mentioned in `content`, in order."""
    found = (tag["at"] or tag["at_new"] for tag in _MARKUP.finditer(content))
    return [mentioned for mentioned in found if mentioned]


def escape(text: str) -> str:
    """Escape text for guild channels, where `<@id>` in a reply would mention somebody."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def without_links(text: str) -> str:
    """Replace links, which QQ refuses unless their domain is registered (304003, 40054010)."""
    return _LINK.sub("[链接]", text)


def _face_name(ext: str | None) -> str:
    """Return the name inside a face's base64 JSON, empty where it cannot be read."""
    try:
        face = json.loads(base64.b64decode(ext or "", validate=True))
    except (binascii.Error, ValueError, RecursionError):
        return ""
    name = face.get("text") if isinstance(face, dict) else None
    return name.strip("[]/ ") if isinstance(name, str) else ""
