"""Answers to tap as a card of WeCom: a template card with buttons.

Source: WeCom docs 90236, message/send, template_card, button_interaction (read 2026-07).
"""

import hashlib

from wunder_sdk.choices import Choice, are_distinct
from wunder_sdk.loose_json import JsonObject

_BUTTONS, _TITLE_MAX, _KEY_BYTES = 6, 20, 1_024
_ASKS = "请选择 · Please choose"


def are_tappable(choices: tuple[Choice, ...]) -> bool:
    """Say whether one card can show these choices."""
    return (
        0 < len(choices) <= _BUTTONS
        and are_distinct(choices)
        and all(len(one.title) <= _TITLE_MAX for one in choices)
        and all(len(one.data.encode()) <= _KEY_BYTES for one in choices)
    )


def choice_card(choices: tuple[Choice, ...], idempotency_key: str) -> JsonObject:
    """Return the message; its task id is the delivery's own, so that a repeat is the same card."""
    task_id = hashlib.sha256(idempotency_key.encode()).hexdigest()
    buttons = [{"text": one.title, "style": 1, "key": one.data} for one in choices]
    card = {
        "card_type": "button_interaction",
        "main_title": {"title": _ASKS},
        "task_id": task_id,
        "button_list": buttons,
    }
    return {"msgtype": "template_card", "template_card": card}
