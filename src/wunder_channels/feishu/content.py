"""What a message says: its text as a person reads it, and what is attached to it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from wunder_sdk import Attachment, Location
from wunder_sdk.loose_json import (
    JsonObject,
    nested,
    number,
    object_in,
    objects,
    string,
    strings,
)

AttachmentKind = Literal["image", "audio", "video", "file"]
MessageType = Literal["text", "image", "audio", "video", "file", "location", "mixed"]

_PLACEHOLDER = re.compile(r"@_user_[0-9]+|@_all")
#: Text of v1 events names people in tags.
_V1_AT = re.compile(r"<at(?: [^<>]{0,200})?>(@?[^<>]{0,100})</at>")
#: A message type with one attachment -> (its kind, the field of its key).
_MEDIA: dict[str, tuple[AttachmentKind, str]] = {
    "image": ("image", "image_key"), "file": ("file", "file_key"),
    "audio": ("audio", "file_key"), "media": ("video", "file_key"),
}  # fmt: skip
_STICKER = "sticker"
#: A card has its words in any depth of elements; more than this many are not read (choice).
_CARD_WORDS_MAX = 200
_CARD_DEPTH_MAX = 12


@dataclass(frozen=True, slots=True)
class Names:
    """Whom the placeholders of a message mean: `@_user_1` -> name; the bot's own are removed."""

    name_of: dict[str, str] = field(default_factory=dict)
    own_keys: frozenset[str] = frozenset()

    def read(self, text: str) -> str:
        """Replace whole placeholders only: `@_user_10` is not `@_user_1` and a zero."""

        def word(found: re.Match[str]) -> str:
            key = found[0]
            if key in self.own_keys:
                return ""
            if name := self.name_of.get(key):
                return f"@{name}"
            return "@all" if key == "@_all" else key

        for key in self.own_keys:
            # The space behind a mention goes with it.
            text = re.sub(rf"{re.escape(key)}(?![0-9]) ?", "", text)
        return _PLACEHOLDER.sub(word, text)


@dataclass(frozen=True, slots=True)
class Said:
    """The content of one message."""

    text: str
    type: MessageType = "text"
    attachments: tuple[Attachment, ...] = ()
    location: Location | None = None


def read_content(message_type: str, text: str, message_id: str, names: Names) -> Said:
    """Return what a message of schema 2.0 says.

    Args:
        message_type: As Feishu names it; one we do not know becomes `[type]`.
        text: The `content` field: JSON inside the JSON.
        message_id: Part of every attachment's handle: Feishu serves a resource only by both.
        names: Whom its placeholders mean.

    Source: open.feishu.cn, message content of received messages.
    """
    content = object_in(text)
    if message_type == "text":
        return Said(names.read(string(content, "text")).strip())
    if message_type == "post":
        return _read_post(content, message_id, names)
    if message_type in _MEDIA:
        return _read_media(message_type, content, message_id)
    if message_type == _STICKER:
        return _read_sticker(content)
    if message_type == "location":
        return _read_location(content)
    words = names.read(_card_words(content)) if message_type == "interactive" else _title(content)
    return Said(f"[{message_type or 'message'}] {words}".strip())


def read_v1_content(event: JsonObject, message_id: str) -> Said:
    """Return what a message of schema 1.0 says: its fields lie in the event itself."""
    message_type = string(event, "msg_type")
    if message_type in ("text", "post"):
        text = string(event, "text_without_at_bot") or string(event, "text")
        images = tuple(_image(key, message_id) for key in strings(event, "image_keys"))
        words = [string(event, "title"), _V1_AT.sub(_v1_name, text).strip()]
        return Said("\n".join(filter(None, words)), "mixed" if images else "text", images)
    if message_type in _MEDIA:
        return _read_media(message_type, event, message_id)
    return Said(f"[{message_type or 'message'}]")


def handle_of(message_id: str, key: str) -> str:
    """Return the handle of a received resource: what `parts_of_handle` takes apart again."""
    return f"{message_id}/{key}"


def parts_of_handle(handle: str) -> tuple[str, str]:
    """Return (message_id, key); the message is "" where a handle has none and cannot be fetched."""
    message_id, _, key = handle.rpartition("/")
    return message_id, key


# --- one kind each ----------------------------------------------------------------------------


def _v1_name(found: re.Match[str]) -> str:
    name = found[1].removeprefix("@")
    return f"@{name}" if name else ""


def _image(key: str, message_id: str) -> Attachment:
    return Attachment("image", media_id=handle_of(message_id, key))


def _read_media(message_type: str, content: JsonObject, message_id: str) -> Said:
    kind, field_of_key = _MEDIA[message_type]
    key, name = string(content, field_of_key), string(content, "file_name")
    text = f"[{kind}] {name}".strip()
    if not key:
        return Said(text)
    attachment = Attachment(kind, media_id=handle_of(message_id, key), name=name or None)
    return Said(text, kind, (attachment,))


def _read_sticker(content: JsonObject) -> Said:
    """Read a sticker; its handle has no message, since Feishu does not serve stickers."""
    key = string(content, "file_key")
    attachments = (Attachment("image", media_id=key),) if key else ()
    return Said("[sticker]", "image" if attachments else "text", attachments)


def _read_location(content: JsonObject) -> Said:
    name = string(content, "name")
    text = f"[location] {name}".strip()
    lat, lng = number(content, "latitude"), number(content, "longitude")
    if lat is None or lng is None or not (abs(lat) <= 90 and abs(lng) <= 180):
        return Said(text)
    return Said(text, "location", location=Location(lat, lng, name or None))


def _title(content: JsonObject) -> str:
    """Return the title of a todo, vote, calendar entry and the like."""
    summary = nested(content, "summary")
    found = (string(content, "summary") or string(content, "topic") or string(content, "text")
             or string(summary, "title") or string(content, "file_name"))  # fmt: skip
    return found.strip()


# --- posts ------------------------------------------------------------------------------------


def _read_post(content: JsonObject, message_id: str, names: Names) -> Said:
    post = _without_locale(content)
    attachments: list[Attachment] = []
    lines = [names.read(string(post, "title"))]
    rows = post.get("content")
    for row in rows if isinstance(rows, list) else ():
        inside: JsonObject = {"row": row}
        words = [_word(one, message_id, names, attachments) for one in objects(inside, "row")]
        lines.append("".join(words).rstrip())
    text = "\n".join(lines).strip()
    return Said(text, "mixed" if attachments else "text", tuple(attachments))


def _without_locale(content: JsonObject) -> JsonObject:
    """Return the post itself: received posts carry no locale, those as sent do."""
    if "content" in content:
        return content
    inner = (nested(content, locale) for locale in content)
    return next((one for one in inner if "content" in one), content)


def _word(one: JsonObject, message_id: str, names: Names, found: list[Attachment]) -> str:
    tag = string(one, "tag")
    text = string(one, "text")
    if tag == "at":
        return _mentioned(one, names)
    if tag == "a":
        href = string(one, "href")
        return f"[{text}]({href})" if text and href and text != href else href or text
    if tag == "code_block":
        return f"```{string(one, 'language').lower()}\n{text.rstrip()}\n```"
    if tag in ("img", "media"):
        return _inline_media(one, tag, message_id, found)
    fixed = {"emotion": f"[{string(one, 'emoji_type')}]", "hr": "---"}
    return fixed.get(tag) or names.read(text)


def _mentioned(one: JsonObject, names: Names) -> str:
    key = string(one, "user_id")
    if key in names.own_keys:
        return ""
    if key == "all":
        key = "@_all"
    name = names.name_of.get(key) or string(one, "user_name")
    return f"@{name}" if name else names.read(key)


def _inline_media(one: JsonObject, tag: str, message_id: str, found: list[Attachment]) -> str:
    kind: AttachmentKind = "image" if tag == "img" else "video"
    key = string(one, "image_key" if tag == "img" else "file_key")
    if key:
        found.append(Attachment(kind, media_id=handle_of(message_id, key)))
    return f"[{kind}]"


# --- cards ------------------------------------------------------------------------------------


def _card_words(content: JsonObject) -> str:
    words = _texts_in(content, 0)
    return "\n".join(word for word, _ in zip(words, range(_CARD_WORDS_MAX), strict=False)).strip()


def _texts_in(value: object, depth: int) -> Iterator[str]:
    if depth > _CARD_DEPTH_MAX:
        return
    if isinstance(value, list):
        for one in value:
            yield from _texts_in(one, depth + 1)
    elif isinstance(value, dict):
        for key in ("title", "text", "content"):
            if word := string(value, key).strip():
                yield word
        for key in value:
            if not isinstance(value[key], str):
                yield from _texts_in(value[key], depth + 1)
