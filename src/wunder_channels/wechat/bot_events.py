"""Read one callback of an AI bot (智能机器人): what was asked, what happened, a poll for the answer."""

import hashlib
import re
from dataclasses import dataclass

from wunder_channels.wechat.app_events import (
    PLACEHOLDER,
    AttachmentKind,
    Found,
    MessageType,
    Said,
    bounded,
    filled,
)
from wunder_channels.wechat.config import WecomConfig
from wunder_sdk import Account, Attachment, ChannelMessage, Forbidden, Peer, Sender
from wunder_sdk.loose_json import JsonObject, nested, objects, seconds_to_ms, string

#: Media of a message, as a link to encrypted bytes; `pic_url` was seen in place of `url`.
_MEDIA: dict[str, AttachmentKind] = {"image": "image", "file": "file", "video": "video"}
#: White space that clients put behind a mention: U+2005 on phones.
_BLANKS = " \t\n\u2005\u00a0"
_QUOTED_MAX = 2000
#: Marks where in the url of an attachment its own key stands; a fragment is never sent.
KEY_MARK = "#aeskey="


@dataclass(frozen=True, slots=True)
class Asked:
    """A callback of an AI bot, as it came."""

    account: Account[WecomConfig]
    content: JsonObject
    received_ms: int

    @property
    def kind(self) -> str:
        """`msgtype`."""
        return string(self.content, "msgtype")

    @property
    def polled_stream(self) -> str:
        """The stream that WeCom asks to go on with, empty if this is no poll."""
        return string(nested(self.content, "stream"), "id") if self.kind == "stream" else ""

    @property
    def is_welcome_due(self) -> bool:
        """Has somebody just opened the chat?"""
        event = nested(self.content, "event")
        return self.kind == "event" and string(event, "eventtype") == "enter_chat"

    @property
    def peer(self) -> Peer:
        """The group, else the member."""
        group = string(self.content, "chatid")
        if string(self.content, "chattype") == "group" and group:
            return Peer("group", group)
        return Peer("user", self.user)

    @property
    def user(self) -> str:
        """Who asked."""
        return string(nested(self.content, "from"), "userid")


def read_bot_callback(asked: Asked) -> Found:
    """Return the message in an authentic callback.

    Raises:
        Forbidden: It is for another bot.

    Source: WeCom docs 100719 (callbacks of an AI bot), read 2026-07.
    """
    own_id, named = asked.account.config.bot_id, string(asked.content, "aibotid")
    if own_id and named and named != own_id:
        raise Forbidden("the callback is for another bot")
    if not asked.user or not string(asked.content, "msgid"):
        return Found(ignored="missing_sender" if not asked.user else "missing_message_id")
    if asked.kind == "event":
        return _read_event(asked)
    said = _read_said(asked)
    if said is None:
        return Found(ignored="unknown_type")
    quoted = _quoted(asked.content)
    message_id = string(asked.content, "msgid")
    meta: JsonObject = {
        "response_url": string(asked.content, "response_url"),
        "asked_ms": asked.received_ms,
        "stream_id": stream_id(message_id),
        "streams": asked.account.config.streaming,
        **filled({"quoted_text": quoted.text[:_QUOTED_MAX] if quoted else ""}),
    }
    return Found((_message(asked, said, quoted, meta),))


def stream_id(message_id: str) -> str:
    """Return the id of the stream that answers a message: a repeat gets the same."""
    return hashlib.sha256(message_id.encode()).hexdigest()[:24]


# --- messages -----------------------------------------------------------------------------------


def _message(asked: Asked, said: Said, quoted: Said | None, meta: JsonObject) -> ChannelMessage:
    attachments = said.attachments + (quoted.attachments if quoted else ())
    kind: MessageType = "mixed" if attachments != said.attachments else said.type
    return ChannelMessage(
        channel=asked.account.channel,
        account_id=asked.account.account_id,
        peer=asked.peer,
        message_id=bounded(string(asked.content, "msgid")),
        sender=Sender(asked.user),
        ts=seconds_to_ms(string(asked.content, "create_time"), asked.received_ms),
        type=kind,
        text=_without_own_name(said.text, asked),
        attachments=attachments,
        # In a group only messages that name the bot arrive.
        mentions_bot=asked.peer.kind == "group",
        meta=meta,
    )


def _read_said(asked: Asked) -> Said | None:
    if asked.kind == "mixed":
        return _read_mixed(nested(asked.content, "mixed"), asked)
    return _read_one(asked.content)


def _read_one(content: JsonObject) -> Said | None:
    kind = string(content, "msgtype")
    inner = nested(content, kind)
    if kind == "text":
        return Said("text", string(inner, "content"))
    if kind == "voice":
        # WeCom has recognised it: there are words and no sound.
        return Said("audio", string(inner, "content"))
    if kind not in _MEDIA:
        return None
    url, name = string(inner, "url") or string(inner, "pic_url"), string(inner, "filename")
    words = f"{PLACEHOLDER[kind]} {name}".strip()
    if not url:
        return Said("text", words)
    if own_key := string(inner, "aeskey"):
        url += KEY_MARK + own_key
    return Said(_MEDIA[kind], words, (Attachment(_MEDIA[kind], url=url, name=name or None),))


def _read_mixed(mixed: JsonObject, asked: Asked | None) -> Said:
    parts = [said for item in objects(mixed, "msg_item") if (said := _read_one(item))]
    texts = [part.text for part in parts]
    said_at = next((at for at, part in enumerate(parts) if part.type == "text"), None)
    if said_at is not None and asked is not None:
        texts[said_at] = _without_own_name(texts[said_at], asked)
    attachments = tuple(one for part in parts for one in part.attachments)
    return Said("mixed" if attachments else "text", "\n".join(filter(None, texts)), attachments)


def _quoted(content: JsonObject) -> Said | None:
    """Return what the message quotes: pictures reach a bot in a group in no other way."""
    quote = nested(content, "quote")
    if string(quote, "msgtype") == "mixed":
        return _read_mixed(nested(quote, "mixed"), None)
    return _read_one(quote)


def _without_own_name(text: str, asked: Asked) -> str:
    """Strip the "@name" that a group message begins or ends with: WeCom sends it as plain text."""
    stripped = text.strip(_BLANKS)
    own_name = asked.account.config.bot_name
    if asked.peer.kind != "group" or not own_name:
        return stripped
    mention = re.escape(f"@{own_name}")
    return re.sub(rf"\A{mention}(?:\s+|\Z)|\s+{mention}\Z", "", stripped, count=1)


# --- events -------------------------------------------------------------------------------------


def _read_event(asked: Asked) -> Found:
    event = nested(asked.content, "event")
    name = string(event, "eventtype")
    if not name:
        return Found(ignored="missing_event")
    detail = nested(event, name)
    kept = {
        "event_key": string(detail, "event_key"),
        "task_id": string(detail, "task_id") or string(detail, "taskid"),
        "card_type": string(detail, "card_type"),
        "feedback_id": string(detail, "id"),
        "response_url": string(asked.content, "response_url"),
    }
    message = ChannelMessage(
        channel=asked.account.channel,
        account_id=asked.account.account_id,
        peer=asked.peer,
        message_id=bounded(string(asked.content, "msgid")),
        sender=Sender(asked.user),
        ts=seconds_to_ms(string(asked.content, "create_time"), asked.received_ms),
        type="event",
        text=string(detail, "event_key") or string(detail, "content") or None,
        mentions_bot=False,
        meta={"event_type": name, "asked_ms": asked.received_ms, **filled(kept)},
    )
    return Found((message,))
