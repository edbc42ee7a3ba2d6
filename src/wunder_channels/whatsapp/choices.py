"""What WhatsApp shows for answers to tap: up to three buttons, or a list of up to ten rows."""

from wunder_sdk.choices import Choice, are_distinct
from wunder_sdk.loose_json import JsonObject

#: Limits of interactive messages (Cloud API, Interactive messages, read 2026-07). WhatsApp refuses
#: what exceeds them, it cuts nothing.
BODY_MAX = 1024
_BUTTONS, _BUTTON_TITLE, _BUTTON_ID = 3, 20, 256
_ROWS, _ROW_TITLE, _ROW_DESCRIPTION, _ROW_ID = 10, 24, 72, 200
#: The label that opens a list; at most 20 characters.
_OPEN_LIST = "选择 · Choose"


def interactive(choices: tuple[Choice, ...], body: str) -> JsonObject | None:
    """Return the `interactive` object that shows these choices, None where WhatsApp has no way.

    Up to three short titles become buttons, up to ten become a list.
    """
    if not choices or not body or len(body) > BODY_MAX or not are_distinct(choices):
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


def _is_button(one: Choice) -> bool:
    return len(one.title) <= _BUTTON_TITLE and len(one.id) <= _BUTTON_ID and not one.description


def _is_row(one: Choice) -> bool:
    return (
        len(one.title) <= _ROW_TITLE
        and len(one.id) <= _ROW_ID
        and len(one.description) <= _ROW_DESCRIPTION
    )
