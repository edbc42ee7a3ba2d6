"""Read one authentic message or event: who wrote what, and how long it may be answered."""

import hashlib
from dataclasses import dataclass
from typing import Literal

from wunder_channels.wechat_mp.callback import Opened
from wunder_channels.wechat_mp.config import MpConfig
from wunder_channels.wechat_mp.documents import decimal, string, whole
from wunder_sdk import Account, Attachment, ChannelMessage, Location, Peer, Sender
from wunder_sdk.loose_json import JsonObject, nested

AttachmentKind = Literal["image", "audio", "video"]
MessageType = Literal["text", "image", "audio", "video", "location", "event"]

#: What may be sent to a user after each kind of act (customer service docs, since 2023-06):
#: 5 messages in 48 hours after a message, 3 in a minute after anything else.
_AFTER_MESSAGE: JsonObject = {"quota": 5, "window_s": 172_800}
_AFTER_EVENT: JsonObject = {"quota": 3, "window_s": 60}

_MEDIA: dict[str, AttachmentKind] = {
    "image": "image", "voice": "audio", "video": "video", "shortvideo": "video",
}  # fmt: skip
#: What stands for a file where a text is wanted.
_PLACEHOLDER = {"image": "[image]", "audio": "[audio]", "video": "[video]"}
_VOICE_MIME = {"amr": "audio/amr", "speex": "audio/x-speex", "mp3": "audio/mpeg"}
#: Acts of a user that may be answered. The rest (VIEW, LOCATION, unsubscribe, *JOBFINISH, the
#: menus that are followed by an ordinary message) is nothing to talk about.
_EVENTS = frozenset({"subscribe", "scan", "click", "scancode_push", "scancode_waitmsg"})
_IGNORED_EVENTS = frozenset(
    {"unsubscribe", "view", "view_miniprogram", "location", "location_select"}
    | {"pic_sysphoto", "pic_photo_or_album", "pic_weixin"}
    | {"templatesendjobfinish", "masssendjobfinish"}
)
_MESSAGE_ID_BYTES = 256


@dataclass(frozen=True, slots=True)
class Found:
    """What a callback holds for us; `ignored` says why nothing."""

    message: ChannelMessage | None = None
    ignored: str | None = None


@dataclass(frozen=True, slots=True)
class _Content:
    """What was said, and what goes into `meta`."""

    type: MessageType
    text: str
    attachments: tuple[Attachment, ...] = ()
    location: Location | None = None
    meta: JsonObject | None = None


def read_message(account: Account[MpConfig], opened: Opened, received_ms: int) -> Found:
    """Return the message in an opened callback, or why there is none."""
    kind = string(opened.fields, "MsgType").strip().lower()
    content = _event(opened.fields) if kind == "event" else _content(kind, account, opened.fields)
    if isinstance(content, str):
        return Found(ignored=content)
    sent_s = whole(opened.fields, "CreateTime")
    sent_ms = sent_s * 1000 if sent_s else received_ms
    rules = _AFTER_EVENT if content.type == "event" else _AFTER_MESSAGE
    message = ChannelMessage(
        channel=account.channel,
        account_id=account.account_id,
        peer=Peer("user", opened.sender),
        message_id=message_id(opened),
        sender=Sender(opened.sender),
        ts=sent_ms,
        type=content.type,
        text=content.text,
        attachments=content.attachments,
        location=content.location,
        mentions_bot=False,
        meta={**rules, "sent_ms": sent_ms, **(content.meta or {})},
    )
    return Found(message)


def message_id(opened: Opened) -> str:
    """Return the id that is the same in every delivery: events have none of their own.

    Source: official account docs 2026-07, receiving events: FromUserName + CreateTime.
    """
    own = string(opened.fields, "MsgId")
    if own:
        return _bounded(own)
    act = (string(opened.fields, name) for name in ("CreateTime", "Event", "EventKey"))
    created, event, key = act
    return _bounded(f"{opened.sender}:{created}:{event.lower()}:{key}")


# --- messages -------------------------------------------------------------------------------------


def _content(kind: str, account: Account[MpConfig], fields: JsonObject) -> _Content | str:
    if kind == "text":
        text = string(fields, "Content").strip()
        menu_id = string(fields, "bizmsgmenuid")
        meta: JsonObject = {"menu_id": menu_id, "payload_id": menu_id} if menu_id else {}
        return _Content("text", text, meta=meta) if text else "empty_text"
    if kind in _MEDIA:
        return _media(kind, account, fields)
    if kind == "location":
        return _place(fields)
    if kind == "link":
        return _link(fields)
    return "unknown_type"


def _media(kind: str, account: Account[MpConfig], fields: JsonObject) -> _Content | str:
    media_id, picture = string(fields, "MediaId").strip(), string(fields, "PicUrl").strip()
    thumb = string(fields, "ThumbMediaId").strip()
    mime = _VOICE_MIME.get(string(fields, "Format").strip().lower()) if kind == "voice" else None
    if kind == "image" and picture and not (media_id and account.config.can_call):
        # Whoever cannot call WeChat can still fetch a picture: its address needs no token.
        attachment = Attachment("image", url=picture)
    elif media_id:
        attachment = Attachment(_MEDIA[kind], media_id=media_id, mime=mime)
    else:
        return "missing_media"
    heard = string(fields, "Recognition").strip() if kind == "voice" else ""
    meta: JsonObject = {"thumb_media_id": thumb} if thumb else {}
    if picture and attachment.url is None:
        meta["pic_url"] = picture
    text = heard or _PLACEHOLDER[_MEDIA[kind]]
    return _Content(_MEDIA[kind], text, (attachment,), meta=meta)


def _link(fields: JsonObject) -> _Content | str:
    title, about, address = (
        string(fields, name).strip() for name in ("Title", "Description", "Url")
    )
    heading = f"{title} ({address})" if title and address else title or address
    text = "\n".join(filter(None, (heading, about)))
    return _Content("text", text) if text else "empty_link"


def _place(fields: JsonObject) -> _Content | str:
    latitude, longitude = decimal(fields, "Location_X", 90), decimal(fields, "Location_Y", 180)
    if latitude is None or longitude is None:
        return "missing_place"
    label = string(fields, "Label").strip()
    named = f"({string(fields, 'Location_X').strip()},{string(fields, 'Location_Y').strip()})"
    text = " ".join(filter(None, ("[location]", label, named)))
    return _Content("location", text, location=Location(latitude, longitude, label or None))


# --- events ---------------------------------------------------------------------------------------


def _event(fields: JsonObject) -> _Content | str:
    name = string(fields, "Event").strip().lower()
    if name in _IGNORED_EVENTS:
        return f"event_{name}"
    if name not in _EVENTS:
        return "unknown_event"
    key = string(fields, "EventKey")
    scanned = string(nested(fields, "ScanCodeInfo"), "ScanResult")
    said = {"click": key, "scancode_push": scanned, "scancode_waitmsg": scanned}.get(name, "")
    meta: JsonObject = {"event": name, "event_key": key}
    if ticket := string(fields, "Ticket"):
        meta["ticket"] = ticket
    return _Content("event", said or f"{name} {key}".strip(), meta=meta)


def _bounded(one_id: str) -> str:
    if len(one_id.encode("utf-8", "replace")) <= _MESSAGE_ID_BYTES:
        return one_id
    return "sha256:" + hashlib.sha256(one_id.encode("utf-8", "replace")).hexdigest()
