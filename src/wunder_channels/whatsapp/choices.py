"""Answers a person can tap: an agent writes `[Yes](reply:yes)`, WhatsApp shows a button or a list."""

import re
from dataclasses import dataclass

from wunder_sdk.loose_json import JsonObject

#: `[title](reply:id "description")`, perhaps as an item of a list.
_CHOICE = re.compile(
    r"\[(?P<title>[^\[\]\n]{1,200})\]\(reply:(?P<id>[^()\s\"]{1,256})"
    r"(?:[ \t]+\"(?P<description>[^\"\n]{0,200})\")?\)"
)
_EMPTY_ITEM = re.compile(r"[ \t]*(?:[-*+]|[0-9]{1,3}[.)])?[ \t]*\Z")
#: Limits of interactive messages (Cloud API, Interactive messages, read 2026-07). WhatsApp refuses
#: what exceeds them, it cuts nothing.
BODY_MAX = 1024
_BUTTONS, _BUTTON_TITLE, _BUTTON_ID = 3, 20, 256
_ROWS, _ROW_TITLE, _ROW_DESCRIPTION, _ROW_ID = 10, 24, 72, 200
#: The label that opens a list; at most 20 characters.
_OPEN_LIST = "选择 · Choose"


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer to tap; `id` comes back with it."""

    id: str
    title: str
    description: str = ""


def take_choices(markdown: str) -> tuple[str, tuple[Choice, ...]]:
    """Return the text without its choices, and the choices in order."""
    found: list[Choice] = []
    kept: list[str] = []
    for line in markdown.split("\n"):
        here = [
            Choice(one["id"], one["title"].strip(), (one["description"] or "").strip())
            for one in _CHOICE.finditer(line)
        ]
        left = _CHOICE.sub("", line) if here else line
        if not here or not _EMPTY_ITEM.match(left.replace("|", "").replace("/", "")):
            kept.append(left.rstrip() if here else line)
        found += here
    return ("\n".join(kept).strip(), tuple(found)) if found else (markdown, ())


def interactive(choices: tuple[Choice, ...], body: str) -> JsonObject | None:
    """Return the `interactive` object that shows these choices, None where WhatsApp has no way.

    Up to three short titles become buttons, up to ten become a list.
    """
    if not choices or not body or len(body) > BODY_MAX or not _are_distinct(choices):
        return None
    if len(choices) <= _BUTTONS and all(_is_button(one) for one in choices):
        buttons = [
            {"type": "reply", "reply": {"id": one.id, "title": one.title}} for one in choices
        ]
        return {"type": "button", "body": {"text": body}, "action": {"buttons": buttons}}
    if len(choices) <= _ROWS and all(_is_row(one) for one in choices):
        rows = [
            {"id": one.id, "title": one.title}
            | ({"description": one.description} if one.description else {})
            for one in choices
        ]
        action = {"button": _OPEN_LIST, "sections": [{"rows": rows}]}
        return {"type": "list", "body": {"text": body}, "action": action}
    return None


def as_lines(choices: tuple[Choice, ...]) -> str:
    """Return the choices as text, for where nothing can be tapped."""
    lines = [
        f"{number}. {one.title}" + (f" - {one.description}" if one.description else "")
        for number, one in enumerate(choices, 1)
    ]
    return "\n".join(lines)


def _are_distinct(choices: tuple[Choice, ...]) -> bool:
    titles, ids = {one.title for one in choices}, {one.id for one in choices}
    return len(titles) == len(ids) == len(choices) and "" not in titles


def _is_button(one: Choice) -> bool:
    return len(one.title) <= _BUTTON_TITLE and len(one.id) <= _BUTTON_ID and not one.description


def _is_row(one: Choice) -> bool:
    return (
        len(one.title) <= _ROW_TITLE
        and len(one.id) <= _ROW_ID
        and len(one.description) <= _ROW_DESCRIPTION
    )
