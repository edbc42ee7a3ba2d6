"""Read one event of Feishu, schema 2.0 or 1.0: which conversation, who, and what was said."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from wunder_channels.feishu.api import FeishuConfig
from wunder_channels.feishu.content import Names, Said, read_content, read_v1_content
from wunder_channels.feishu.wording import CHOICE
from wunder_sdk import (
    Account,
    ChannelMessage,
    Mention,
    Peer,
    Receipt,
    Sender,
    Thread,
)
from wunder_sdk.choices import Choice, pressed
from wunder_sdk.loose_json import (
    JsonObject,
    nested,
    objects,
    seconds_to_ms,
    string,
    strings,
)

PeerKind = Literal["user", "group"]

#: Unix milliseconds have at most this many digits for the next 30,000 years.
_MS_DIGITS = 15
MESSAGE = "im.message.receive_v1"
CARD_BUTTON = "card.action.trigger"
#: Event -> whose chat it is about: a group's, a person's, or one that only memory tells.
_NOTICES: dict[str, Literal["group", "user", "either"]] = {
    "im.chat.member.bot.added_v1": "group",
    "im.chat.member.bot.deleted_v1": "group",
    "im.chat.member.user.added_v1": "group",
    "im.chat.member.user.deleted_v1": "group",
    "im.chat.member.user.withdrawn_v1": "group",
    "im.chat.updated_v1": "group",
    "im.chat.disbanded_v1": "group",
    "im.chat.access_event.bot_p2p_chat_entered_v1": "user",
    "im.message.recalled_v1": "either",
    "im.message.reaction.created_v1": "either",
    "im.message.reaction.deleted_v1": "either",
    "application.bot.menu_v6": "user",
    # schema 1.0
    "add_bot": "group",
    "remove_bot": "group",
    "p2p_chat_create": "user",
}
_READ = frozenset({"im.message.message_read_v1", "message_read"})
_MESSAGE_ID_BYTES = 256
_MENTIONS_MAX = 200


@dataclass(frozen=True, slots=True)
class Event:
    """An authentic event.

    Attributes:
        account: Whose it is.
        name: Its type; a message of schema 1.0 has the name of schema 2.0.
        event_id: `header.event_id`, or `uuid` in schema 1.0.
        at_ms: When it happened, Unix milliseconds.
        received_ms: When it arrived here.
        content: Its `event` object.
        is_v1: It came in schema 1.0.
        own_id: The bot's open_id where it is known.
        is_private: Is the chat it names a private one, as far as is known?
    """

    account: Account[FeishuConfig]
    name: str
    event_id: str
    at_ms: int
    received_ms: int
    content: JsonObject
    is_v1: bool = False
    own_id: str = ""
    is_private: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """What an event holds for us; `ignored` says why nothing."""

    messages: tuple[ChannelMessage, ...] = ()
    receipts: tuple[Receipt, ...] = ()
    ignored: str | None = None


def event_of(account: Account[FeishuConfig], letter: JsonObject, received_ms: int) -> Event:
    """Return the event in an opened request, whatever its schema."""
    header = nested(letter, "header")
    content = nested(letter, "event")
    if header:
        return Event(
            account,
            string(header, "event_type"),
            string(header, "event_id"),
            _at_ms(header.get("create_time"), received_ms),
            received_ms,
            content,
        )
    if "action" in letter:
        return Event(account, CARD_BUTTON, "", received_ms, received_ms, letter, is_v1=True)
    name = string(content, "type")
    return Event(
        account,
        MESSAGE if name == "message" else name,
        string(letter, "uuid"),
        seconds_to_ms(letter.get("ts"), received_ms),
        received_ms,
        content,
        is_v1=True,
    )


def read_event(event: Event) -> Found:
    """Return the messages and receipts of one authentic event."""
    if event.name == MESSAGE:
        return _read_v1_message(event) if event.is_v1 else _read_message(event)
    if event.name == CARD_BUTTON:
        return _read_button(event)
    if event.name in _NOTICES:
        return _read_notice(event, _NOTICES[event.name])
    if event.name in _READ:
        return _read_receipts(event)
    return Found(ignored="unknown_event")


def needs_own_id(event: Event) -> bool:
    """Say whether only the bot's own open_id tells if this is for the bot, or from it."""
    if event.name != MESSAGE or event.is_v1:
        return False
    mentions = nested(event.content, "message").get("mentions")
    return bool(mentions) or _is_bot(nested(event.content, "sender"))


def chat_of(event: Event) -> tuple[str, bool | None]:
    """Return the chat that an event names, and whether it is private (None: it does not say)."""
    holder = nested(event.content, "message") or event.content
    context = nested(event.content, "context")
    chat_id = (string(holder, "chat_id") or string(holder, "open_chat_id")
               or string(context, "open_chat_id"))  # fmt: skip
    chat_type = string(holder, "chat_type")
    if event.name == MESSAGE and chat_type:
        return chat_id, chat_type in ("p2p", "private")
    return chat_id, None


# --- messages ---------------------------------------------------------------------------------


def _read_message(event: Event) -> Found:
    message, sender = nested(event.content, "message"), nested(event.content, "sender")
    ids = nested(sender, "sender_id")
    sender_id = _first(ids, "open_id", "union_id", "user_id")
    message_id, chat_id = string(message, "message_id"), string(message, "chat_id")
    if not message_id or not chat_id:
        return Found(ignored="missing_message_id" if chat_id else "missing_chat")
    if _is_bot(sender) and (not event.own_id or sender_id in ("", event.own_id)):
        return Found(ignored="own_message")
    own_ids = _own_ids(event, message)
    mentions, names = _mentions(message, own_ids)
    text = string(message, "content")
    said = read_content(string(message, "message_type"), text, message_id, names)
    thread_id = string(message, "thread_id")
    kind: PeerKind = "user" if string(message, "chat_type") == "p2p" else "group"
    return _one(
        ChannelMessage(
            channel=event.account.channel,
            account_id=event.account.account_id,
            peer=Peer(kind, chat_id),
            message_id=_bounded(message_id),
            sender=Sender(sender_id or "unknown", is_bot=_is_bot(sender)),
            ts=_at_ms(message.get("create_time"), event.at_ms),
            type=said.type,
            thread=Thread(thread_id) if thread_id else None,
            text=said.text,
            attachments=said.attachments,
            location=said.location,
            mentions=mentions,
            mentions_bot=any(one.is_self for one in mentions),
            reply_to=string(message, "parent_id") or None,
            meta={**_meta(event, message_id, message), **_ids(ids, "union_id", "user_id")},
        )
    )


def _read_v1_message(event: Event) -> Found:
    content = event.content
    message_id, chat_id = string(content, "open_message_id"), string(content, "open_chat_id")
    if not message_id or not chat_id:
        return Found(ignored="missing_message_id" if chat_id else "missing_chat")
    said: Said = read_v1_content(content, message_id)
    return _one(
        ChannelMessage(
            channel=event.account.channel,
            account_id=event.account.account_id,
            peer=Peer("user" if string(content, "chat_type") == "private" else "group", chat_id),
            message_id=_bounded(message_id),
            sender=Sender(_first(content, "open_id", "union_id", "employee_id") or "unknown"),
            ts=event.at_ms,
            type=said.type,
            text=said.text,
            attachments=said.attachments,
            mentions_bot=content.get("is_mention") is True,
            reply_to=string(content, "parent_id") or None,
            meta={
                **_meta(event, message_id, content),
                **_ids(content, "union_id", "employee_id"),
            },
        )
    )


def _one(message: ChannelMessage) -> Found:
    return Found(messages=(message,))


def _own_ids(event: Event, message: JsonObject) -> frozenset[str]:
    """Return the open_ids under which a message mentions this bot.

    While the bot's own id is unknown, a mention that Feishu marks as a bot's must do: without
    the permission for all messages of a group only those that mention this bot are delivered.
    """
    if event.own_id:
        return frozenset({event.own_id})
    marked = (one for one in objects(message, "mentions") if one.get("mentioned_type") == "bot")
    return frozenset(filter(None, (string(nested(one, "id"), "open_id") for one in marked)))


def _mentions(message: JsonObject, own_ids: frozenset[str]) -> tuple[tuple[Mention, ...], Names]:
    mentions: list[Mention] = []
    name_of: dict[str, str] = {}
    own_keys: set[str] = set()
    for one in list(objects(message, "mentions"))[:_MENTIONS_MAX]:
        key, name = string(one, "key"), string(one, "name")
        open_id = _first(nested(one, "id"), "open_id", "union_id", "user_id")
        is_self = open_id in own_ids
        if key:
            name_of[key] = name
        if is_self and key:
            own_keys.add(key)
        if open_id:
            mentions.append(Mention(open_id, name, is_self))
    return tuple(mentions), Names(name_of, frozenset(own_keys))


def _is_bot(sender: JsonObject) -> bool:
    return string(sender, "sender_type") in ("app", "bot")


# --- everything that is no message ------------------------------------------------------------


def _read_button(event: Event) -> Found:
    """Read a pressed button, a chosen option or a submitted form of a card."""
    content, context = event.content, nested(event.content, "context")
    message_id = _first(context, "open_message_id") or string(content, "open_message_id")
    who, action = nested(content, "operator") or content, nested(content, "action")
    found = _event_message(
        event, _pressed(action), _first(who, "open_id", "union_id", "user_id"), message_id
    )
    choice = pressed(string(nested(action, "value"), CHOICE))
    return found if choice is None else Found(tuple(_said(one, choice) for one in found.messages))


def _said(message: ChannelMessage, choice: Choice) -> ChannelMessage:
    """Return the press of a button that an agent offered: its title, said by who pressed it."""
    meta = {**message.meta, "payload_id": choice.id}
    return replace(message, type="text", text=choice.title, mentions_bot=True, meta=meta)


def _pressed(action: JsonObject) -> str:
    """Return what an agent should read: the button's value, or all a form was filled in with."""
    form, value = nested(action, "form_value"), action.get("value")
    if form:
        said = {"form_value": form, "value": value, "name": action.get("name")}
        return _as_json({key: one for key, one in said.items() if one})
    if isinstance(value, str) and value:
        return string(action, "value")
    if value:
        return _as_json(value)
    found = ("option", "input_value", "name", "tag")
    return next((string(action, key) for key in found if string(action, key)), "")


def _read_notice(event: Event, whose: str) -> Found:
    content = event.content
    who = ("operator_id", "operator", "user_id", "user", "reader_id", "inviter")
    people = (nested(content, key) for key in who)
    people_ids = (nested(one, "operator_id") or one for one in people)
    actor = next((found for one in people_ids if (found := _first(one, "open_id"))), "")
    is_private = event.is_private if whose == "either" else whose == "user"
    told = string(content, "event_key") or string(nested(content, "reaction_type"), "emoji_type")
    return _event_message(
        event, told or event.name, actor or string(content, "open_id"),
        string(content, "message_id"), is_private=is_private,
    )  # fmt: skip


def _event_message(
    event: Event, text: str, actor: str, message_id: str, *, is_private: bool | None = None
) -> Found:
    chat_id, _ = chat_of(event)
    # An event without a chat is about its person: an open_id is an address, too.
    private = (event.is_private if is_private is None else is_private) or not chat_id
    peer_id = chat_id or actor
    if not peer_id:
        return Found(ignored="missing_chat")
    return _one(
        ChannelMessage(
            channel=event.account.channel,
            account_id=event.account.account_id,
            peer=Peer("user" if private else "group", peer_id),
            message_id=_bounded(event.event_id or _derived_id(event)),
            sender=Sender(actor or peer_id),
            ts=event.at_ms,
            type="event",
            text=text or event.name,
            meta=_meta(event, message_id, {}),
        )
    )


def _read_receipts(event: Event) -> Found:
    reader = nested(event.content, "reader") or event.content
    at = _at_ms(reader.get("read_time"), event.at_ms)
    receipts = tuple(Receipt(one, "read", at) for one in _read_ids(event.content))
    return Found(receipts=receipts, ignored=None if receipts else "missing_message_id")


def _read_ids(content: JsonObject) -> Iterator[str]:
    yield from strings(content, "message_id_list")
    yield from strings(content, "open_message_ids")


# --- details ----------------------------------------------------------------------------------


def _meta(event: Event, message_id: str, message: JsonObject) -> JsonObject:
    meta: JsonObject = {"event_type": event.name}
    if event.event_id:
        meta["event_id"] = event.event_id
    if message_id:
        meta["message_id"] = message_id
    if root_id := string(message, "root_id"):
        meta["root_id"] = root_id
    return meta


def _ids(content: JsonObject, *names: str) -> JsonObject:
    return {name: found for name in names if (found := string(content, name))}


def _first(content: JsonObject, *names: str) -> str:
    return next((found for name in names if (found := string(content, name))), "")


def _as_json(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)
    return text.encode("utf-8", "replace").decode()


def _derived_id(event: Event) -> str:
    """Return an id for an event without one: equal content, equal id."""
    content = json.dumps(event.content, sort_keys=True, default=str).encode()
    return f"{event.name}:{hashlib.sha256(content).hexdigest()[:32]}"


def _bounded(message_id: str) -> str:
    if len(message_id.encode()) <= _MESSAGE_ID_BYTES:
        return message_id
    return "sha256:" + hashlib.sha256(message_id.encode()).hexdigest()


def _at_ms(value: object, otherwise: int) -> int:
    """Return Unix milliseconds: v2 events write them as text, some in microseconds."""
    text = str(value) if type(value) is int else value
    if not isinstance(text, str) or not text.isascii() or not text.isdecimal():
        return otherwise
    if len(text) > _MS_DIGITS:
        text = text[:13]
    return int(text) or otherwise
