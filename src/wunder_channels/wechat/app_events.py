"""Read one callback of an app (自建应用): a member's message, or something that happened."""

import hashlib
from dataclasses import dataclass, replace
from typing import Literal

from wunder_channels.wechat.config import WecomConfig
from wunder_channels.wechat.strict_xml import Element
from wunder_sdk import Account, Attachment, ChannelMessage, Forbidden, Location, Peer, Sender
from wunder_sdk.choices import pressed
from wunder_sdk.loose_json import JsonObject, seconds_to_ms

MessageType = Literal["text", "image", "audio", "video", "file", "location", "event", "mixed"]
AttachmentKind = Literal["image", "audio", "video", "file"]

#: Events that fire whenever somebody opens the chat or a menu page: nobody said anything.
_NOISE = frozenset({"enter_agent", "location", "view"})
#: What stands for a message without words.
PLACEHOLDER = {"image": "[image]", "voice": "[audio]", "video": "[video]", "file": "[file]"}
_MESSAGE_ID_BYTES = 256
_META_MAX = 1024
_ATTACHMENT_KIND: dict[str, AttachmentKind] = {
    "image": "image", "voice": "audio", "video": "video", "file": "file",
}  # fmt: skip
_VOICE_MIME = {"amr": "audio/amr", "speex": "audio/speex", "mp3": "audio/mpeg"}


@dataclass(frozen=True, slots=True)
class Found:
    """What a callback holds for us; `ignored` says why nothing."""

    messages: tuple[ChannelMessage, ...] = ()
    ignored: str | None = None


@dataclass(frozen=True, slots=True)
class Said:
    """What a message says, whoever wrote it."""

    type: MessageType
    text: str
    attachments: tuple[Attachment, ...] = ()
    location: Location | None = None


def read_callback(account: Account[WecomConfig], xml: Element, received_ms: int) -> Found:
    """Return the message in an authentic callback.

    Raises:
        Forbidden: It is for another app of the company.

    Source: WeCom docs 90239 (messages) and 90240 (events), read 2026-07.
    """
    # Events about contacts and customer service carry no agent, or 0.
    if xml.text("AgentID") not in ("", "0", str(account.config.agent_id)):
        raise Forbidden("the callback is for another app")
    if not xml.text("FromUserName"):
        return Found(ignored="missing_sender")
    if xml.text("MsgType") == "event":
        return _read_event(account, xml, received_ms)
    said = _read_said(xml)
    if said is None:
        return Found(ignored="unknown_type")
    return Found((_message(account, xml, said, received_ms),))


# --- messages -----------------------------------------------------------------------------------


def _read_said(xml: Element) -> Said | None:
    kind = xml.text("MsgType")
    if kind == "text":
        return Said("text", xml.text("Content").strip())
    if kind == "link":
        return Said("text", _link_text(xml))
    if kind == "location":
        return _location(xml)
    if kind in PLACEHOLDER:
        return _media(xml, kind)
    return None


def _link_text(xml: Element) -> str:
    heading = f"{xml.text('Title')} ({xml.text('Url')})".strip()
    return "\n".join(filter(None, (heading, xml.text("Description"))))


def _location(xml: Element) -> Said:
    """Location_X is the latitude."""
    lat, lng, label = xml.text("Location_X"), xml.text("Location_Y"), xml.text("Label")
    words = " ".join(filter(None, ("[location]", label, f"({lat},{lng})")))
    try:
        place = Location(float(lat), float(lng), label or None)
    except ValueError:
        return Said("text", words)
    if abs(place.lat) <= 90 and abs(place.lng) <= 180:
        return Said("location", words, location=place)
    return Said("text", words)


def _media(xml: Element, kind: str) -> Said:
    media_id, url = xml.text("MediaId"), xml.text("PicUrl")
    name = xml.text("FileName") or xml.text("Title")
    heard = xml.text("Recognition")
    words = heard or f"{PLACEHOLDER[kind]} {name}".strip()
    if not media_id and not url:
        return Said("text", words)
    attached_kind = _ATTACHMENT_KIND[kind]
    attached = Attachment(
        attached_kind,
        url=None if media_id else url,
        media_id=media_id or None,
        mime=_VOICE_MIME.get(xml.text("Format").lower()),
        name=name or None,
    )
    return Said(attached_kind, words, (attached,))


def _message(
    account: Account[WecomConfig], xml: Element, said: Said, received_ms: int
) -> ChannelMessage:
    user, sent_at = xml.text("FromUserName"), xml.text("CreateTime")
    kept = {"pic_url": xml.text("PicUrl"), "thumb_media_id": xml.text("ThumbMediaId")}
    return ChannelMessage(
        channel=account.channel,
        account_id=account.account_id,
        peer=Peer("user", user),
        message_id=bounded(xml.text("MsgId") or _derived_id("message", xml)),
        sender=Sender(user),
        ts=seconds_to_ms(sent_at, received_ms),
        type=said.type,
        text=said.text,
        attachments=said.attachments,
        location=said.location,
        mentions_bot=False,
        meta={"agent_id": xml.text("AgentID"), "streams": False, **filled(kept)},
    )


# --- events -------------------------------------------------------------------------------------


def _read_event(account: Account[WecomConfig], xml: Element, received_ms: int) -> Found:
    # WeCom writes LOCATION and CLICK in capitals at some places and in small letters at others.
    name = xml.text("Event").lower()
    if name in _NOISE or not name:
        return Found(ignored=name or "missing_event")
    user = xml.text("FromUserName")
    kept = {
        "event_key": xml.text("EventKey"),
        "change_type": xml.text("ChangeType"),
        "task_id": xml.text("TaskId"),
        "card_type": xml.text("CardType"),
        "response_code": xml.text("ResponseCode"),
        "open_kfid": xml.text("OpenKfId"),
        "changed_user": xml.text("UserID"),
    }
    message = ChannelMessage(
        channel=account.channel,
        account_id=account.account_id,
        peer=Peer("user", user),
        message_id=_event_id(name, xml),
        sender=Sender(user),
        ts=seconds_to_ms(xml.text("CreateTime"), received_ms),
        type="event",
        text=_event_words(xml) or None,
        mentions_bot=False,
        meta={
            "event_type": name,
            "agent_id": xml.text("AgentID"),
            "streams": False,
            **filled(kept),
        },
    )
    choice = pressed(xml.text("EventKey")) if name == "template_card_event" else None
    if choice is not None:
        # An answer that an agent offered: said by who tapped it.
        meta = {**message.meta, "payload_id": choice.id}
        message = replace(message, type="text", text=choice.title, meta=meta)
    return Found((message,))


def _event_words(xml: Element) -> str:
    """Return what the member chose: the key, then options of a card, a scan or a place."""
    chosen = [one.content for one in xml.all("OptionId")]
    scanned = xml.text("ScanCodeInfo", "ScanResult")
    place = xml.text("SendLocationInfo", "Label")
    return " ".join(filter(None, (xml.text("EventKey"), *chosen, scanned, place)))


def _event_id(name: str, xml: Element) -> str:
    """Return the same id for a repeat of an event, which has no MsgId.

    Of customer service only the Token tells two apart, and it is a secret for ten minutes.
    """
    if name == "kf_msg_or_event":
        return f"{name}:{_digest(xml.text('Token'))}"
    distinct = (xml.text("EventKey"), xml.text("TaskId"), xml.text("ChangeType"))
    if xml.text("ChangeType"):
        return _derived_id(name, xml)
    return bounded(":".join([name, xml.text("CreateTime"), *filter(None, distinct)]))


# --- small things -------------------------------------------------------------------------------


def filled(fields: dict[str, str]) -> JsonObject:
    """Return the fields that are not empty, cut to what is worth keeping."""
    return {key: value[:_META_MAX] for key, value in fields.items() if value}


def bounded(message_id: str) -> str:
    """Return an id of at most 256 bytes."""
    if len(message_id.encode()) <= _MESSAGE_ID_BYTES:
        return message_id
    return "sha256:" + hashlib.sha256(message_id.encode()).hexdigest()


def _derived_id(kind: str, xml: Element) -> str:
    """Return an id for a callback without one: equal content, equal id."""
    return f"{kind}:{xml.text('CreateTime')}:{_digest(_all_text(xml))}"


def _all_text(xml: Element) -> str:
    inner = "".join(f"{child.name}={_all_text(child)};" for child in xml.children)
    return f"{xml.content.strip()}<{inner}>"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]
