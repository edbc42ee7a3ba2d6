"""From one message of WhatsApp to one of ours: which conversation, who, what, how to answer it."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from wunder_channels.whatsapp.config import WhatsAppConfig
from wunder_channels.whatsapp.contents import Content, read_content
from wunder_channels.whatsapp.envelope import Change
from wunder_channels.whatsapp.people import Names, Person
from wunder_sdk import Account, ChannelMessage, Peer, Sender
from wunder_sdk.loose_json import JsonObject, nested, objects, seconds_to_ms, string

#: Who wrote may be answered freely for this long (Cloud API, customer service window, 2026-07).
WINDOW_MS = 24 * 3_600_000
_MESSAGE_ID_BYTES = 256
_REFERRAL_FIELDS = ("source_type", "source_id", "source_url", "headline", "ctwa_clid")
_REFERRAL_MAX = 500


@dataclass(frozen=True, slots=True)
class Raw:
    """A message as it came, with the change that brought it."""

    change: Change
    message: JsonObject

    @property
    def person(self) -> Person:
        """Who wrote it: by phone, by business-scoped id, or both; neither for odd messages."""
        return Person(
            phone=string(self.message, "from"), user_id=string(self.message, "from_user_id")
        )

    @property
    def is_usable(self) -> bool:
        """Can it be told apart from others, is there somebody to answer, is it not our own?"""
        phone = self.person.phone
        is_own = bool(phone) and phone == self.change.display_phone_number
        return bool(string(self.message, "id")) and self.person.is_somebody and not is_own


def raw_messages(changes: Iterable[Change]) -> list[Raw]:
    """Return the messages of these changes, in order."""
    return [Raw(change, one) for change in changes for one in objects(change.value, "messages")]


def read_messages(
    account: Account[WhatsAppConfig], raws: Iterable[Raw], names: Names, received_ms: int
) -> Iterator[ChannelMessage]:
    """Return what these messages say; `names` tells under which id a person is known here."""
    for raw in raws:
        yield _read(account, raw, names[raw.person], received_ms)


def _read(
    account: Account[WhatsAppConfig], raw: Raw, chat_id: str, received_ms: int
) -> ChannelMessage:
    message, person = raw.message, raw.person
    content = read_content(message)
    group_id = string(message, "group_id")
    context = nested(message, "context")
    text = content.text
    addressed = True
    if group_id:
        addressed, text = _addressed(account.config, raw, content)
    sent_ms = seconds_to_ms(message.get("timestamp"), received_ms)
    return ChannelMessage(
        channel=account.channel,
        account_id=account.account_id,
        peer=Peer("group", group_id) if group_id else Peer("user", chat_id, _name(raw)),
        message_id=_bounded(string(message, "id")),
        sender=Sender(id=chat_id, name=_name(raw)),
        ts=sent_ms,
        type=content.type,
        text=text,
        attachments=content.attachments,
        location=content.location,
        mentions_bot=addressed,
        reply_to=content.about or string(context, "id") or None,
        meta={
            **_way_back(person, group_id, string(message, "id")),
            **_window(sent_ms, received_ms),
            **_circumstances(message, context),
            **content.meta,
        },
    )


def _way_back(person: Person, group_id: str, message_id: str) -> JsonObject:
    """Return where an answer goes and which message it may quote."""
    if group_id:
        return {"to": group_id, "recipient_type": "group", "context_message_id": message_id}
    way: JsonObject = {"to": person.phone} if person.phone else {"recipient": person.user_id}
    if person.phone and person.user_id:
        way["user_id"] = person.user_id
    return {**way, "context_message_id": message_id}


def _window(sent_ms: int, received_ms: int) -> JsonObject:
    closes_ms = sent_ms + WINDOW_MS
    window: JsonObject = {"window_expires_ms": closes_ms}
    if received_ms > closes_ms:
        window["window_open"] = False
    return window


def _circumstances(message: JsonObject, context: JsonObject) -> JsonObject:
    """Return what else is known: forwarded, and which advertisement somebody came from."""
    found: JsonObject = {
        mark: True for mark in ("forwarded", "frequently_forwarded") if context.get(mark) is True
    }
    referral = nested(message, "referral")
    told = {key: string(referral, key)[:_REFERRAL_MAX] for key in _REFERRAL_FIELDS}
    if any(told.values()):
        found["referral"] = {key: value for key, value in told.items() if value}
    return found


def _addressed(config: WhatsAppConfig, raw: Raw, content: Content) -> tuple[bool, str]:
    """Say whether a group's message speaks to the bot, and what is left without its name.

    Groups have no mentions (Cloud API, Groups, 2026-07): quoting one of our messages does it, or
    beginning with the configured name.
    """
    quoted_from = "".join(filter(str.isdigit, string(nested(raw.message, "context"), "from")))
    quotes_us = bool(quoted_from) and quoted_from == raw.change.display_phone_number
    name = config.bot_name.strip()
    text = content.text.removeprefix("@")
    if name and text[: len(name)].casefold() == name.casefold():
        rest = text[len(name) :]
        if not rest[:1].isalnum() or not name[-1:].isascii():
            return True, rest.lstrip(" ,:;，：；、").strip()
    return quotes_us, content.text


def _name(raw: Raw) -> str | None:
    """Return the profile's name of who wrote, from the contacts beside the messages."""
    contacts = list(objects(raw.change.value, "contacts"))
    own = [one for one in contacts if _is_contact_of(one, raw.person)]
    profile = nested(own[0], "profile") if own else {}
    return string(profile, "name") or string(profile, "username") or None


def _is_contact_of(contact: JsonObject, person: Person) -> bool:
    ids = (string(contact, "wa_id"), string(contact, "user_id"))
    return (bool(person.phone) and ids[0] == person.phone) or (
        bool(person.user_id) and ids[1] == person.user_id
    )


def _bounded(message_id: str) -> str:
    if len(message_id.encode()) <= _MESSAGE_ID_BYTES:
        return message_id
    return "sha256:" + hashlib.sha256(message_id.encode()).hexdigest()
