"""Word a text for Feishu: as a text message, a rich post or a markdown card, and how much of it."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from wunder_sdk.choices import Choice, as_lines
from wunder_sdk.splitting import take

Style = Literal["text", "post", "card"]

#: Above this many characters an answer becomes a card; text is cut here (lark-oapi's default).
TEXT_MAX = 3500
#: Characters in one card: 9,000 Chinese ones are 27 KB, and Feishu takes 30 KB.
_CARD_MAX = 9000
_POST_MAX = 9000
#: Bytes of `content` as it stands in the request. Cards and posts: 30 KB; texts: 150 KB
#: (open.feishu.cn, im/v1/messages); what remains is for the other fields.
CARD_BYTES = 28_000
TEXT_BYTES = 145_000
_LEAST_LIMIT = 64
#: The element of our cards that edits replace.
ELEMENT_ID = "md1"
#: Where a button of ours keeps what was chosen.
CHOICE = "reply"

_AT = re.compile(
    r"<at\s+(?:user_id|open_id|id)\s*=\s*[\"']?([A-Za-z0-9_.@-]{1,128})[\"']?\s*(?:/>|>([^<>]{0,100})</at\s*>)"
)
#: How a mention is written (open.feishu.cn, message content): posts' md as texts, cards their own.
_AT_FORM: dict[Style, str] = {
    "text": '<at user_id="{who}">{name}</at>',
    "post": '<at user_id="{who}">{name}</at>',
    "card": "<at id={who}></at>",
}
_KEPT = re.compile("\x00([0-9]+)\x00")
_STRAY_AT = re.compile(r"<(?=\s*/?\s*at\b)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Worded:
    """A piece of a text as Feishu takes it: what to send, and where in the text the next begins."""

    style: Style
    content: str
    end: int
    #: The words alone, for a card that is changed element by element.
    said: str = field(default="", compare=False)

    @property
    def msg_type(self) -> str:
        """Feishu's name for it."""
        return "interactive" if self.style == "card" else self.style


def choose_style(text: str, wanted: str, *, is_markdown: bool) -> Style:
    """Return how to say `text`: as wished, else plain text as text, markdown and long text as card.

    Markdown without any markup becomes a card, too: it may be the beginning of an answer that is
    still being written, and only a card can be edited any number of times.

    Args:
        text: The whole text.
        wanted: The account's `reply_style`: auto, text, post or card.
        is_markdown: The agent wrote markdown.
    """
    if wanted in _AT_FORM:
        return next(style for style in _AT_FORM if style == wanted)
    return "card" if is_markdown or len(text) > TEXT_MAX else "text"


@dataclass(frozen=True, slots=True)
class Manner:
    """How a text is said, whichever piece of it.

    Attributes:
        is_markdown: The agent wrote markdown.
        allow_at_all: It may mention everybody.
        choices: Answers to tap, below the last piece.
        grows: The card shows its text as if typed, and will get more.
    """

    is_markdown: bool
    allow_at_all: bool = False
    choices: Sequence[Choice] = ()
    grows: bool = False


def word(text: str, at: int, style: Style, manner: Manner) -> Worded:
    """Word the piece that begins at `at`: a pure function, so a retry words the same.

    The piece is shortened until it fits Feishu's size, which is counted in bytes after the
    text was put into JSON twice.
    """
    limit = {"text": TEXT_MAX, "post": _POST_MAX, "card": _CARD_MAX}[style]
    most_bytes = TEXT_BYTES if style == "text" else CARD_BYTES
    while True:
        piece = take(text, at, limit)
        form = _AT_FORM[style] if manner.is_markdown or style == "text" else None
        said = mentions(piece.text, form if at == 0 else None, allow_at_all=manner.allow_at_all)
        is_last = piece.end >= len(text)
        choices = manner.choices if is_last else ()
        content = _content(said, style, replace(manner, choices=choices))
        size = encoded_size(content)
        if size <= most_bytes or limit <= _LEAST_LIMIT:
            return Worded(style, content, piece.end, said)
        shown = min(limit, len(piece.text))
        limit = max(_LEAST_LIMIT, shown * most_bytes // size * 19 // 20)


def as_text(text: str, at: int, end: int, manner: Manner) -> Worded:
    """Word the piece from `at` to `end` as plain text: what is left when a card is refused."""
    form = _AT_FORM["text"] if at == 0 else None
    said = mentions(text[at:end].strip(), form, allow_at_all=manner.allow_at_all)
    choices = manner.choices if end >= len(text) else ()
    plain = Manner(is_markdown=False, choices=choices)
    return Worded("text", _content(said, "text", plain), end, said)


def mentions(text: str, form: str | None, *, allow_at_all: bool) -> str:
    """Write `<at user_id="ou_1">name</at>` in the form that this kind of message obeys.

    Without a form (later pieces, plain cards) the name is written out. Nobody but the account's
    owner lets an agent call everybody: `all` becomes plain text unless `allow_at_all`, and a
    tag that is none of ours is shown, not obeyed.
    """
    kept: list[str] = []

    def tag(found: re.Match[str]) -> str:
        who, name = found[1], (found[2] or "").strip()
        if form is None or (who.lower() == "all" and not allow_at_all):
            return f"@{name.lstrip('@') or who}"
        kept.append(form.format(who=who, name=name))
        return f"\x00{len(kept) - 1}\x00"

    shown = _STRAY_AT.sub("<\u200b", _AT.sub(tag, text.replace("\x00", "")))
    return _KEPT.sub(lambda found: kept[int(found[1])], shown)


def card(text: str, manner: Manner) -> str:
    """Return a card of schema 2.0 with the text and its choices; edits replace it for everybody."""
    element: dict[str, object] = {"tag": "markdown", "content": text, "element_id": ELEMENT_ID}
    if not manner.is_markdown:
        plain = {"tag": "plain_text", "content": text}
        element = {"tag": "div", "text": plain, "element_id": ELEMENT_ID}
    config: dict[str, object] = {"update_multi": True}
    if manner.grows:
        config["streaming_mode"] = True
    elements = [element, *(_button(one) for one in manner.choices)]
    return dumps({"schema": "2.0", "config": config, "body": {"elements": elements}})


def _button(one: Choice) -> dict[str, object]:
    """Return a button that calls the bot back (open.feishu.cn, card JSON 2.0, button)."""
    back = {"type": "callback", "value": {CHOICE: one.data}}
    title = {"tag": "plain_text", "content": one.title}
    return {"tag": "button", "text": title, "behaviors": [back]}


def encoded_size(content: str) -> int:
    """Return the bytes of a `content` inside the request: JSON in JSON, in UTF-8."""
    return len(dumps(content).encode("utf-8", "replace"))


def dumps(value: object) -> str:
    """Return compact JSON with Chinese as it is."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _content(text: str, style: Style, manner: Manner) -> str:
    if style == "card":
        return card(text, manner)
    text = "\n\n".join(filter(None, (text, as_lines(manner.choices))))
    if style == "post":
        element = {"tag": "md" if manner.is_markdown else "text", "text": text}
        return dumps({"zh_cn": {"title": "", "content": [[element]]}})
    return dumps({"text": text})
