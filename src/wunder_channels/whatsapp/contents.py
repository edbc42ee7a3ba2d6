"""What one WhatsApp message says, by its type: text, media, a place, an answer to a form, a notice."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from wunder_sdk import Attachment, Location
from wunder_sdk.loose_json import JsonObject, nested, number, objects, string

MessageType = Literal["text", "image", "audio", "video", "file", "location", "event"]
AttachmentKind = Literal["image", "audio", "video", "file"]

#: Type of a media message -> kind of the attachment (Cloud API, Webhooks, media messages 2026-07).
MEDIA_KINDS: dict[str, AttachmentKind] = {
    "image": "image",
    "video": "video",
    "audio": "audio",
    "voice": "audio",
    "document": "file",
    "sticker": "image",
}
#: What is told of each product of an order, contact of a list, error of a message at most (choice).
_LISTED_MAX = 50


@dataclass(frozen=True, slots=True)
class Content:
    """What a message says; `meta` goes back to this channel with the reply."""

    type: MessageType = "text"
    text: str = ""
    attachments: tuple[Attachment, ...] = ()
    location: Location | None = None
    about: str = ""
    meta: JsonObject = field(default_factory=dict)


def read_content(message: JsonObject) -> Content:
    """Return what a message says; a type nobody knows is a notice that names it."""
    kind = string(message, "type")
    if kind in MEDIA_KINDS:
        return _media(message, kind)
    reader = _READERS.get(kind)
    return reader(message) if reader else _notice(kind or "unknown", f"[{kind or 'unknown'}]")


# --- what people say -----------------------------------------------------------------------------


def _text(message: JsonObject) -> Content:
    return Content(text=string(nested(message, "text"), "body").strip())


def _media(message: JsonObject, kind: str) -> Content:
    media = nested(message, kind)
    caption = string(media, "caption").strip()
    media_id = string(media, "id")
    if not media_id:
        return _notice(f"{kind}_without_id", caption or f"[{kind}]")
    attachment = Attachment(
        kind=MEDIA_KINDS[kind],
        media_id=media_id,
        mime=string(media, "mime_type") or None,
        name=string(media, "filename") or None,
    )
    meta: JsonObject = {}
    if digest := string(media, "sha256"):
        meta["sha256"] = digest
    for mark in ("voice", "animated"):
        if media.get(mark) is True:
            meta[mark] = True
    if kind == "sticker":
        meta["sticker"] = True
    return Content(MEDIA_KINDS[kind], caption, (attachment,), meta=meta)


def _location(message: JsonObject) -> Content:
    place = nested(message, "location")
    lat, lng = number(place, "latitude"), number(place, "longitude")
    if lat is None or lng is None or abs(lat) > 90 or abs(lng) > 180:
        return _notice("location_without_coordinates", "[location]")
    name, address = string(place, "name"), string(place, "address")
    named = ", ".join(filter(None, (name, address)))
    return Content(
        "location",
        f"{named} ({lat:.10g},{lng:.10g})".strip(),
        location=Location(lat, lng, address or name or None),
        meta={"location": {"lat": lat, "lng": lng}},
    )


def _contacts(message: JsonObject) -> Content:
    lines = [_contact_line(one) for one in objects(message, "contacts")]
    return Content(text="\n".join(filter(None, lines[:_LISTED_MAX])) or "[contacts]")


def _contact_line(contact: JsonObject) -> str:
    name = nested(contact, "name")
    whole = string(name, "formatted_name") or " ".join(
        filter(None, (string(name, "first_name"), string(name, "last_name")))
    )
    ways = [string(one, "phone") or string(one, "wa_id") for one in objects(contact, "phones")]
    ways += [string(one, "email") for one in objects(contact, "emails")]
    organisation = string(nested(contact, "org"), "company")
    shown = whole + (f" ({organisation})" if organisation else "")
    told = ", ".join(filter(None, ways))
    return f"[contact] {shown}: {told}" if told else f"[contact] {shown}".strip()


def _interactive(message: JsonObject) -> Content:
    answer = nested(message, "interactive")
    kind = string(answer, "type")
    chosen = nested(answer, kind)
    if kind in ("button_reply", "list_reply"):
        meta: JsonObject = {"payload_id": string(chosen, "id")}
        if description := string(chosen, "description"):
            meta["payload_description"] = description
        return Content(text=string(chosen, "title").strip() or string(chosen, "id"), meta=meta)
    if kind == "nfm_reply":
        # A form that was filled in: what it holds is the message.
        said = string(chosen, "body").strip() or string(chosen, "name")
        return Content(
            text="\n".join(filter(None, (said, string(chosen, "response_json")))),
            meta={"payload_id": string(chosen, "name")},
        )
    return Content(text=_words_in(chosen) or f"[{kind or 'interactive'}]")


def _button(message: JsonObject) -> Content:
    pressed = nested(message, "button")
    payload = string(pressed, "payload")
    return Content(
        text=string(pressed, "text").strip() or payload,
        meta={"payload_id": payload} if payload else {},
    )


# --- what only happened -----------------------------------------------------------------------------


def _notice(event_type: str, text: str, about: str = "", **meta: object) -> Content:
    """Return something that happened to message `about`: stored, answered only on request."""
    return Content("event", text, about=about, meta={"event_type": event_type, **meta})


def _reaction(message: JsonObject) -> Content:
    reaction = nested(message, "reaction")
    emoji, target = string(reaction, "emoji"), string(reaction, "message_id")
    return _notice(
        "reaction",
        emoji,
        target,
        op="add" if emoji else "remove",
        emoji=emoji or None,
        target_message_id=target,
    )


def _order(message: JsonObject) -> Content:
    order = nested(message, "order")
    lines = [
        f"{string(one, 'quantity') or '1'} x {string(one, 'product_retailer_id')}"
        f" ({string(one, 'item_price') or one.get('item_price')} {string(one, 'currency')})"
        for one in list(objects(order, "product_items"))[:_LISTED_MAX]
    ]
    note = string(order, "text").strip()
    return _notice(
        "order",
        "\n".join(filter(None, ["[order]", *lines, note])),
        catalog_id=string(order, "catalog_id"),
    )


def _system(message: JsonObject) -> Content:
    system = nested(message, "system")
    kind = string(system, "type") or "system"
    return _notice(kind, string(system, "body") or f"[{kind}]")


def _edit(message: JsonObject) -> Content:
    edit = nested(message, "edit")
    changed = read_content(nested(edit, "message")) if "message" in edit else Content()
    target = string(edit, "original_message_id")
    return _notice("edit", changed.text, target, target_message_id=target)


def _revoke(message: JsonObject) -> Content:
    target = string(nested(message, "revoke"), "original_message_id")
    return _notice("revoke", "", target, target_message_id=target)


def _unsupported(message: JsonObject) -> Content:
    errors = list(objects(message, "errors"))[:_LISTED_MAX]
    said = [string(one, "title") or string(one, "message") for one in errors]
    codes = [string(one, "code") for one in errors]
    inner = string(nested(message, "unsupported"), "type")
    shown = "; ".join(filter(None, [inner, *said])) or "unsupported"
    return _notice("unsupported", f"[{shown}]", codes=[code for code in codes if code])


def _words_in(chosen: JsonObject) -> str:
    """Return an unknown answer as JSON, so that whoever reads it loses nothing."""
    return json.dumps(chosen, ensure_ascii=False)[:4096] if chosen else ""


_READERS: dict[str, Callable[[JsonObject], Content]] = {
    "text": _text,
    "location": _location,
    "contacts": _contacts,
    "interactive": _interactive,
    "button": _button,
    "reaction": _reaction,
    "order": _order,
    "system": _system,
    "edit": _edit,
    "revoke": _revoke,
    "unsupported": _unsupported,
    "request_welcome": lambda _message: _notice("request_welcome", "[request_welcome]"),
}
