"""One message to a customer of the customer service (微信客服).

Source: WeCom docs 94677 (kf/send_msg), read 2026-07.
"""

import hashlib

from wunder_channels.wechat.config import WecomConfig
from wunder_sdk import Attachment, RecipientUnreachable, Send
from wunder_sdk.choices import Choice, are_distinct
from wunder_sdk.loose_json import JsonObject, string

_MENU_MAX, _MENU_BYTES = 10, 128
_MSGID_MAX = 32


def envelope(send: Send, config: WecomConfig, said: JsonObject) -> JsonObject:
    """Return the call's body; `msgid` is ours, the same for every attempt, and WeCom folds by it.

    Raises:
        RecipientUnreachable: Nobody says for which desk to write.
    """
    open_kfid = string(send.message.meta, "open_kfid") or config.open_kfid
    if not open_kfid:
        raise RecipientUnreachable("which customer service account is to write is not known")
    return {"touser": send.peer.id, "open_kfid": open_kfid, "msgid": msgid(send), **said}


def msgid(send: Send) -> str:
    """Return the id of one part of a delivery: at most 32 of letters, digits, _ and -."""
    return hashlib.sha256(send.idempotency_key.encode()).hexdigest()[:_MSGID_MAX]


def link(attachment: Attachment) -> JsonObject:
    """Show a public URL: customers get it as text."""
    words = " ".join(filter(None, (attachment.name, attachment.url)))
    return {"msgtype": "text", "text": {"content": words}}


def are_tappable(choices: tuple[Choice, ...]) -> bool:
    """Say whether one menu can show these choices."""
    sizes = (len(part.encode()) for one in choices for part in (one.data, one.title))
    return 0 < len(choices) <= _MENU_MAX and are_distinct(choices) and max(sizes) <= _MENU_BYTES


def menu(choices: tuple[Choice, ...]) -> JsonObject:
    """Return the message whose lines say their title when tapped."""
    lines = [{"type": "click", "click": {"id": one.data, "content": one.title}} for one in choices]
    asks = "请选择 · Please choose"
    return {"msgtype": "msgmenu", "msgmenu": {"head_content": asks, "list": lines}}
