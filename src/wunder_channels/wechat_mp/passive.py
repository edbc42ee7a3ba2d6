"""Answer in the webhook's own response (被动回复): in time, once, sealed like the message was."""

import json
import secrets
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from wunder_channels.wechat_mp.callback import Opened
from wunder_channels.wechat_mp.config import MpConfig
from wunder_channels.wechat_mp.documents import clean, write_xml
from wunder_channels.wechat_mp.envelope import seal, signature
from wunder_sdk import (
    ChannelMessage,
    ImmediateResponse,
    InlineReply,
    OutboundMessage,
    bytes_response,
    text_response,
)
from wunder_sdk.loose_json import JsonObject

T = TypeVar("T")

#: WeChat reads an answer for 5 s, then closes the connection and delivers again, 3 times in all
#: (official account docs 2026-07, passive replies).
WINDOW_MS = 5_000
DELIVERIES = 3
#: What WeChat reads as "received, do not send again, show nothing".
ACK = "success"
#: A delivery this long after the message is no repeat of WeChat's, but one of ours (choice).
_OLDEST_REPEAT_MS = 20_000
_REMEMBERED = 10_000


@dataclass(frozen=True, slots=True)
class Stamp:
    """What makes two answers with the same words differ."""

    at_s: int
    nonce: str
    random16: bytes

    @classmethod
    def now(cls, now_ms: int) -> "Stamp":
        """Return a fresh one."""
        return cls(now_ms // 1000, str(secrets.randbelow(10**10)), secrets.token_bytes(16))


def window(delivery: int) -> InlineReply:
    """Say how long this delivery, and those that follow it, can carry the reply."""
    return InlineReply(WINDOW_MS, WINDOW_MS * (DELIVERIES - delivery + 1))


def acknowledge() -> ImmediateResponse:
    """Answer that the message arrived."""
    return text_response(ACK)


def text_reply(text: str) -> JsonObject:
    """Return the fields of a text answer."""
    return {"MsgType": "text", "Content": clean(text)}


def media_reply(kind: str, media_id: str, title: str) -> JsonObject:
    """Return the fields of an image, a voice message or a video."""
    video: JsonObject = {"Title": title, "Description": ""} if kind == "video" else {}
    return {"MsgType": kind, kind.capitalize(): {"MediaId": media_id, **video}}


def picture_reply(address: str, title: str) -> JsonObject:
    """Return the fields of one article that shows a picture by its address."""
    article = {"Title": title, "Description": "", "PicUrl": address, "Url": address}
    return {"MsgType": "news", "ArticleCount": 1, "Articles": [article]}


def render(
    config: MpConfig, opened: Opened, reply: Mapping[str, object], stamp: Stamp
) -> ImmediateResponse:
    """Write an answer to `opened`: swapped names, the same form, sealed if the message was."""
    document: JsonObject = {
        "ToUserName": opened.sender,
        "FromUserName": opened.receiver,
        "CreateTime": stamp.at_s,
        **reply,
    }
    if opened.keys is not None:
        message = _write(document, is_json=opened.is_json)
        sealed = seal(opened.keys.aes_key, message, config.app_id, stamp.random16)
        signed = signature(opened.keys.token, str(stamp.at_s), stamp.nonce, sealed)
        document = {
            "Encrypt": sealed,
            "MsgSignature": signed,
            "TimeStamp": stamp.at_s,
            "Nonce": stamp.nonce,
        }
    kind = "application/json" if opened.is_json else "application/xml; charset=utf-8"
    return bytes_response(_write(document, is_json=opened.is_json), kind)


class Deliveries:
    """Which delivery of a message this is: remembered, else told by how old the message is."""

    def __init__(self, most: int = _REMEMBERED) -> None:
        self._most = most
        self._seen: OrderedDict[tuple[str, str, str], int] = OrderedDict()
        self._answered: OrderedDict[tuple[str, str, str], None] = OrderedDict()

    def count(self, message: ChannelMessage, received_ms: int) -> int:
        """Return 1, 2 or 3, and remember this one."""
        key = _key(message.account_id, message.peer.id, message.message_id)
        before = self._seen.pop(key, 0)
        age_ms = received_ms - message.ts
        if not before and WINDOW_MS <= age_ms < _OLDEST_REPEAT_MS:
            # Another process took the deliveries before this one.
            before = age_ms // WINDOW_MS
        this = min(before + 1, DELIVERIES)
        self._seen[key] = this
        _trim(self._seen, self._most)
        return this

    def answered(self, reply: OutboundMessage) -> None:
        """Remember that a reply was worded for one of the deliveries."""
        self._answered[_key(reply.account_id, reply.peer.id, reply.reply_to or "")] = None
        _trim(self._answered, self._most)

    def is_answered(self, message: ChannelMessage) -> bool:
        """Was a reply to this message worded in this process?"""
        return _key(message.account_id, message.peer.id, message.message_id) in self._answered


def _key(account_id: str, openid: str, message_id: str) -> tuple[str, str, str]:
    return account_id, openid, message_id


def _trim(remembered: OrderedDict[tuple[str, str, str], T], most: int) -> None:
    while len(remembered) > most:
        remembered.popitem(last=False)


def _write(document: Mapping[str, object], *, is_json: bool) -> bytes:
    if is_json:
        return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
    return write_xml(document).encode()
