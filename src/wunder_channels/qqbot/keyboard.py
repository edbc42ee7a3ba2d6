"""Buttons under a markdown message, and what a pressed one says."""

from wunder_sdk.choices import Choice, are_distinct
from wunder_sdk.loose_json import JsonObject

#: QQ bot docs 2026-07, message buttons: five rows of five, a label of at most ten characters.
_ROWS, _COLUMNS, _LABEL_MAX = 5, 5, 10
#: Two short labels share a row, unless there are more buttons than rows (choice).
_SHORT_LABEL, _USUAL_COLUMNS = 6, 2
#: action.type 1 calls the bot back; permission.type 2: everybody may press.
_CALLBACK, _EVERYBODY = 1, 2
_TOO_OLD = "请升级 QQ 后操作 · Please update QQ"


def keyboard(choices: tuple[Choice, ...]) -> JsonObject | None:
    """Return the `keyboard` that shows these choices, None where QQ has no way."""
    fits = all(len(one.title) <= _LABEL_MAX for one in choices)
    if not choices or len(choices) > _ROWS * _COLUMNS or not fits or not are_distinct(choices):
        return None
    least = -(-len(choices) // _ROWS)
    is_short = all(len(one.title) <= _SHORT_LABEL for one in choices)
    columns = max(least, _USUAL_COLUMNS if is_short else 1)
    rows = [choices[at : at + columns] for at in range(0, len(choices), columns)]
    content = [
        {"buttons": [_button(one, f"{row}-{column}") for column, one in enumerate(cells, 1)]}
        for row, cells in enumerate(rows, 1)
    ]
    return {"content": {"rows": content}}


def _button(one: Choice, button_id: str) -> JsonObject:
    return {
        "id": button_id,
        "render_data": {"label": one.title, "visited_label": one.title, "style": 1},
        "action": {
            "type": _CALLBACK,
            "permission": {"type": _EVERYBODY},
            "data": one.data,
            "unsupport_tips": _TOO_OLD,
        },
    }
