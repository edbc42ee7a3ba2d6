"""Open one webhook request: which of its changes are this account's, and whose the others are."""

from collections.abc import Iterator
from dataclasses import dataclass

from wunder_sdk import MalformedEvent, UnsupportedFeature
from wunder_sdk.loose_json import JsonObject, nested, objects, string

#: What the payloads of the Cloud API call themselves.
OBJECT = "whatsapp_business_account"
#: The subscription under which everything of a chat arrives.
MESSAGES = "messages"


@dataclass(frozen=True, slots=True)
class Change:
    """One `changes[]` element: a field of the subscription and what it says.

    Attributes:
        field: `messages`, or another subscribed field.
        value: What happened.
        phone_number_id: Whose number it happened to, "" where it is about a whole account.
    """

    field: str
    value: JsonObject
    phone_number_id: str

    @property
    def display_phone_number(self) -> str:
        """The number as it is printed, digits only."""
        printed = string(nested(self.value, "metadata"), "display_phone_number")
        return "".join(filter(str.isdigit, printed))


def changes_of(payload: object) -> list[Change]:
    """Return every change of every entry, in order, whoever it is for.

    Raises:
        UnsupportedFeature: A payload of another product of Meta's (answered with 404).
        MalformedEvent: Not an object, or without entries (answered with 400).

    Source: Meta, Cloud API, Webhooks, Components (read 2026-07); updates come in batches.
    """
    if not isinstance(payload, dict):
        raise MalformedEvent("the payload is not a JSON object")
    if payload.get("object") != OBJECT:
        raise UnsupportedFeature("the payload is not of a WhatsApp business account")
    if not isinstance(payload.get("entry"), list):
        raise MalformedEvent("the payload has no entry")
    return list(_changes(payload))


def phone_number_ids(payload: object) -> tuple[str, ...]:
    """Return whose numbers a payload speaks of, each once, in order; nothing for odd payloads."""
    found = _changes(payload) if isinstance(payload, dict) else iter(())
    return tuple(dict.fromkeys(one.phone_number_id for one in found if one.phone_number_id))


def _changes(payload: JsonObject) -> Iterator[Change]:
    for entry in objects(payload, "entry"):
        for change in objects(entry, "changes"):
            value = nested(change, "value")
            number_id = string(nested(value, "metadata"), "phone_number_id")
            yield Change(string(change, "field"), value, number_id)
