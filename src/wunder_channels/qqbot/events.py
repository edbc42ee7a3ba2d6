"""Read one event of QQ: which conversation, who, what was said, and how it may be answered."""

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal

from wunder_channels.qqbot.api import QqConfig
from wunder_channels.qqbot.text import mentioned_ids, to_plain
from wunder_sdk import Account, Attachment, ChannelMessage, Mention, Peer, Receipt, Sender
from wunder_sdk.choices import Choice, pressed
from wunder_sdk.loose_json import JsonObject, nested, objects, seconds_to_ms, string

PeerKind = Literal["user", "group", "channel"]
AttachmentKind = Literal["image", "audio", "video", "file"]
MessageType = Literal["text", "image", "audio", "video", "file", "mixed"]
Verdict = Literal["delivered", "failed"]

#: How long, and how often, a message can be answered (QQ bot docs 2026-07, passive messages).
_C2C_RULES: JsonObject = {"window_s": 3600, "max_replies": 4}
_GROUP_RULES: JsonObject = {"window_s": 300, "max_replies": 5}
_GUILD_RULES: JsonObject = {"window_s": 300}
RULES: dict[str, JsonObject] = {
    "c2c": _C2C_RULES, "group": _GROUP_RULES, "channel": _GUILD_RULES, "guild_dm": _GUILD_RULES,
}  # fmt: skip

#: Message event -> (scope, does it always speak to the bot?).
_MESSAGES = {
    "C2C_MESSAGE_CREATE": ("c2c", True),
    "GROUP_AT_MESSAGE_CREATE": ("group", True),
    "GROUP_MESSAGE_CREATE": ("group", False),
    "AT_MESSAGE_CREATE": ("channel", True),
    "MESSAGE_CREATE": ("channel", False),
    "DIRECT_MESSAGE_CREATE": ("guild_dm", True),
}
#: Notice -> (scope, field of who did it, may it be answered with its event_id?).
_NOTICES = {
    "FRIEND_ADD": ("c2c", "openid", True),
    "FRIEND_DEL": ("c2c", "openid", False),
    "C2C_MSG_RECEIVE": ("c2c", "openid", True),
    "C2C_MSG_REJECT": ("c2c", "openid", False),
    "GROUP_ADD_ROBOT": ("group", "op_member_openid", True),
    "GROUP_DEL_ROBOT": ("group", "op_member_openid", False),
    "GROUP_MSG_RECEIVE": ("group", "op_member_openid", True),
    "GROUP_MSG_REJECT": ("group", "op_member_openid", False),
    "GROUP_MEMBER_ADD": ("group", "member_openid", False),
    "GROUP_MEMBER_REMOVE": ("group", "member_openid", False),
}
_INTERACTION = "INTERACTION_CREATE"
_AUDITS: dict[str, Verdict] = {"MESSAGE_AUDIT_PASS": "delivered", "MESSAGE_AUDIT_REJECT": "failed"}
_INTERACTION_SCOPES = {0: "channel", 1: "group", 2: "c2c"}
#: Where each kind of event says who wrote and to whom.
_PEER_FIELD = {"group": "group_openid", "channel": "channel_id", "guild_dm": "guild_id"}
_PEER_KIND: dict[str, PeerKind] = {
    "c2c": "user", "group": "group", "channel": "channel", "guild_dm": "user",
}  # fmt: skip
_ATTACHMENT_KIND: dict[str, AttachmentKind] = {
    "image": "image", "video": "video", "voice": "audio", "audio": "audio",
}  # fmt: skip
_SENDER_FIELD = {"c2c": "user_openid", "group": "member_openid"}
_MESSAGE_ID_BYTES = 256
_QUOTED_MAX = 2000


@dataclass(frozen=True, slots=True)
class Found:
    """What an event holds for us; `ignored` says why nothing."""

    messages: tuple[ChannelMessage, ...] = ()
    receipts: tuple[Receipt, ...] = ()
    ignored: str | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """A dispatch (op 0) as it came; `own_id` is the bot's id in guilds where it is known."""

    account: Account[QqConfig]
    name: str
    event_id: str
    received_ms: int
    content: JsonObject = field(default_factory=dict)
    own_id: str = ""


def read_event(event: Event, *, accept_bots: bool) -> Found:
    """Return the messages and receipts of one authentic event."""
    if event.name in _MESSAGES:
        return _read_message(event, accept_bots=accept_bots)
    if event.name in _NOTICES:
        return _read_notice(event)
    if event.name == _INTERACTION:
        return _read_interaction(event)
    if event.name in _AUDITS:
        return _read_audit(event)
    return Found(ignored="unknown_event")


def needs_own_id(event: Event) -> bool:
    """Say whether only the bot's own guild id tells if a guild message mentions it."""
    if event.name not in ("AT_MESSAGE_CREATE", "MESSAGE_CREATE"):
        return False
    mentioned = list(objects(event.content, "mentions"))
    if any(one.get("is_you") is True for one in mentioned):
        return False
    return len(_bots(mentioned)) >= (1 if event.name == "MESSAGE_CREATE" else 2)


def interaction_to_acknowledge(event: Event) -> str:
    """Return the id of a pressed button that spins until it is acknowledged, empty if none."""
    return string(event.content, "id") if event.name == _INTERACTION else ""


# --- messages -------------------------------------------------------------------------------


def _read_message(event: Event, *, accept_bots: bool) -> Found:
    content = event.content
    scope, always_addressed = _MESSAGES[event.name]
    author = nested(content, "author")
    sender_id = string(author, _SENDER_FIELD.get(scope, "id"))
    peer_id = sender_id if scope == "c2c" else string(content, _PEER_FIELD[scope])
    message_id = string(content, "id")
    if not peer_id or not sender_id or not message_id:
        return Found(ignored="missing_peer" if message_id else "missing_message_id")
    if author.get("bot") is True and not accept_bots:
        return Found(ignored="bot_author")
    own_ids = _own_ids(event)
    mentions, names = _mentions(content, own_ids)
    raw_text = string(content, "content")
    attachments = tuple(_attachments(content))
    scene = _scene(content)
    quote = _quote(content, scene)
    text = to_plain(raw_text, names, own_ids) or _spoken(content)
    if not text and not attachments:
        # Forwarded messages arrive as quotes under an empty text.
        text = to_plain(string(quote, "quoted_text"), names, own_ids)
    sent_ms = _at_ms(content.get("timestamp"), 0)
    message = ChannelMessage(
        channel=event.account.channel,
        account_id=event.account.account_id,
        peer=_peer(scope, peer_id),
        message_id=_bounded(message_id),
        sender=_sender(sender_id, author),
        ts=sent_ms or event.received_ms,
        type=_type(raw_text, attachments),
        text=text,
        attachments=attachments,
        mentions=mentions,
        mentions_bot=always_addressed or any(one.is_self for one in mentions),
        reply_to=_quoted_id(content, scene) or None,
        meta={
            **_meta(event, scope, sent_ms),
            "msg_id": message_id,
            # QQ lets a reply grow in private chats only.
            **({} if scope == "c2c" else {"streams": False}),
            **quote,
            **_guild(content, scope),
        },
    )
    return Found(messages=(message,))


def _own_ids(event: Event) -> frozenset[str]:
    """Return the ids under which a message mentions this bot.

    `is_you` is certain; guild events lack it. There the bot's own id decides; while it is
    unknown, an @-event means the first bot it mentions.
    """
    mentioned = list(objects(event.content, "mentions"))
    own = {one_id for one in mentioned if one.get("is_you") is True for one_id in _ids(one)}
    if own:
        return frozenset(own)
    if event.own_id:
        return frozenset({event.own_id})
    if event.name != "AT_MESSAGE_CREATE":
        return frozenset()
    bots = [one_id for one in _bots(mentioned) for one_id in _ids(one)]
    in_text = mentioned_ids(string(event.content, "content"))
    return frozenset([one for one in in_text if one in bots][:1] or bots[:1])


def _bots(mentioned: list[JsonObject]) -> list[JsonObject]:
    """Return who may be this bot: those marked as bots, else everybody mentioned."""
    return [one for one in mentioned if one.get("bot") is True] or mentioned


def _mentions(
    content: JsonObject, own_ids: frozenset[str]
) -> tuple[tuple[Mention, ...], dict[str, str]]:
    mentions: list[Mention] = []
    names: dict[str, str] = {}
    for one in objects(content, "mentions"):
        ids = _ids(one)
        if not ids:
            continue
        name = string(one, "username") or string(one, "nickname")
        names.update(dict.fromkeys(ids, name))
        mentions.append(Mention(id=ids[0], name=name, is_self=not own_ids.isdisjoint(ids)))
    return tuple(mentions), names


def _attachments(content: JsonObject) -> Iterator[Attachment]:
    for one in objects(content, "attachments"):
        # Of a voice message QQ offers a WAV beside its own SILK, which few programs read.
        wav = string(one, "voice_wav_url").strip()
        url = wav or string(one, "url").strip()
        if not url:
            continue
        if not re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", url):
            url = "https://" + url.removeprefix("//")
        mime = "audio/wav" if wav else string(one, "content_type")
        size = None if wav else one.get("size")
        yield Attachment(
            kind=_ATTACHMENT_KIND.get(mime.partition("/")[0].lower(), "file"),
            url=url,
            mime=mime if "/" in mime else None,
            size=size if type(size) is int and size >= 0 else None,
            name=None if wav else string(one, "filename") or None,
        )


def _type(raw_text: str, attachments: tuple[Attachment, ...]) -> MessageType:
    kinds = {one.kind for one in attachments}
    if not kinds:
        return "text"
    # A group's @ leaves a space behind: with any text at all it is more than the attachment.
    return kinds.pop() if len(kinds) == 1 and not raw_text else "mixed"


def _spoken(content: JsonObject) -> str:
    """Return what QQ heard in voice messages; it stands for a text that is not there."""
    heard = (string(one, "asr_refer_text") for one in objects(content, "attachments"))
    return "\n".join(filter(None, heard)).strip()


def _quoted_id(content: JsonObject, scene: dict[str, str]) -> str:
    """Return the id of the message that this one quotes."""
    reference = nested(content, "message_reference")
    return scene.get("ref_msg_idx") or string(reference, "message_id")


def _quote(content: JsonObject, scene: dict[str, str]) -> JsonObject:
    """Return how this message can be quoted (`msg_idx`) and what it quotes (`quoted_text`)."""
    found: JsonObject = {}
    if msg_idx := scene.get("msg_idx"):
        found["msg_idx"] = msg_idx
    said = [string(one, "content") for one in objects(content, "msg_elements")]
    if quoted := "\n".join(filter(None, said)):
        found["quoted_text"] = quoted[:_QUOTED_MAX]
    return found


def _scene(content: JsonObject) -> dict[str, str]:
    """Return the `key=value` marks of a message (QQ bot docs 2026-07, message_scene.ext)."""
    ext = nested(content, "message_scene").get("ext")
    marks = [one for one in ext if isinstance(one, str)] if isinstance(ext, list) else []
    return {key: value for key, _, value in (mark.partition("=") for mark in marks)}


def _guild(content: JsonObject, scope: str) -> JsonObject:
    if scope not in ("channel", "guild_dm"):
        return {}
    found = {key: string(content, key) for key in ("guild_id", "src_guild_id")}
    return {key: value for key, value in found.items() if value}


# --- everything that is no message -------------------------------------------------------------


def _read_notice(event: Event) -> Found:
    scope, actor_field, answerable = _NOTICES[event.name]
    actor = string(event.content, actor_field)
    peer_id = actor if scope == "c2c" else string(event.content, "group_openid")
    return _event_message(event, scope, peer_id, actor or peer_id, answerable=answerable)


def _read_interaction(event: Event) -> Found:
    content = event.content
    chat_type = content.get("chat_type")
    scope = _INTERACTION_SCOPES.get(chat_type if type(chat_type) is int else -1, "")
    resolved = nested(nested(content, "data"), "resolved")
    actor = {
        "group": string(content, "group_member_openid"),
        "c2c": string(content, "user_openid"),
        "channel": string(resolved, "user_id") or string(content, "user_openid"),
    }.get(scope, "")
    peer_id = actor if scope == "c2c" else string(content, _PEER_FIELD.get(scope, ""))
    data = string(resolved, "button_data") or string(resolved, "button_id")
    found = _event_message(event, scope, peer_id, actor or peer_id, text=data, answerable=True)
    choice = pressed(data)
    return found if choice is None else Found(tuple(_said(one, choice) for one in found.messages))


def _said(message: ChannelMessage, choice: Choice) -> ChannelMessage:
    """Return the press of a button that an agent offered: its title, said by who pressed it."""
    meta = {**message.meta, "payload_id": choice.id, "streams": False}
    return replace(message, type="text", text=choice.title, mentions_bot=True, meta=meta)


def _event_message(
    event: Event, scope: str, peer_id: str, actor: str, *, text: str = "", answerable: bool
) -> Found:
    if not peer_id:
        return Found(ignored="missing_peer")
    sent_ms = _at_ms(event.content.get("timestamp"), 0)
    message = ChannelMessage(
        channel=event.account.channel,
        account_id=event.account.account_id,
        peer=_peer(scope, peer_id),
        message_id=_bounded(event.event_id or _derived_id(event)),
        sender=Sender(id=actor),
        ts=sent_ms or event.received_ms,
        type="event",
        text=text or event.name,
        meta={
            **_meta(event, scope, sent_ms),
            "answerable": answerable and bool(event.event_id),
            **_guild(event.content, scope),
        },
    )
    return Found(messages=(message,))


def _read_audit(event: Event) -> Found:
    """Read the end of a review: a receipt for the message that was accepted for it."""
    audit_id = string(event.content, "audit_id")
    if not audit_id:
        return Found(ignored="missing_audit_id")
    at = _at_ms(event.content.get("audit_time"), event.received_ms)
    status = _AUDITS[event.name]
    detail = "refused by QQ's review" if status == "failed" else None
    return Found(receipts=(Receipt(audit_id, status, at, detail),))


# --- reading loose JSON -------------------------------------------------------------------------


def _peer(scope: str, peer_id: str) -> Peer:
    return Peer(kind=_PEER_KIND[scope], id=peer_id)


def _sender(sender_id: str, author: JsonObject) -> Sender:
    is_bot = author.get("bot")
    return Sender(
        id=sender_id,
        name=string(author, "username") or None,
        is_bot=is_bot if isinstance(is_bot, bool) else None,
    )


def _meta(event: Event, scope: str, sent_ms: int) -> JsonObject:
    meta: JsonObject = {"scope": scope, "event_type": event.name}
    if event.event_id:
        meta["event_id"] = event.event_id
    return {**meta, **RULES[scope], "sent_ms": sent_ms}


def _derived_id(event: Event) -> str:
    """Return an id for a notice without one: equal content, equal id."""
    content = json.dumps(event.content, sort_keys=True).encode()
    return f"{event.name}:{hashlib.sha256(content).hexdigest()[:32]}"


def _bounded(message_id: str) -> str:
    if len(message_id.encode()) <= _MESSAGE_ID_BYTES:
        return message_id
    return "sha256:" + hashlib.sha256(message_id.encode()).hexdigest()


def _ids(mentioned: JsonObject) -> list[str]:
    fields = ("id", "member_openid", "user_openid")
    return [found for name in fields if (found := string(mentioned, name))]


def _at_ms(value: object, otherwise: int) -> int:
    """Return Unix milliseconds: QQ's messages carry RFC 3339, its notices Unix seconds."""
    if (from_seconds := seconds_to_ms(value, 0)) or not isinstance(value, str):
        return from_seconds or otherwise
    try:
        at = datetime.fromisoformat(value)
        return round(at.timestamp() * 1000) if at.tzinfo else otherwise
    except (ValueError, OverflowError):
        return otherwise
