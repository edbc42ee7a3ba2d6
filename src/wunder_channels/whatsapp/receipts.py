"""Statuses of messages we sent: delivered, read, failed and why; and which send had arrived."""

from collections.abc import Iterable, Iterator
from typing import Literal

from wunder_channels.whatsapp.envelope import Change
from wunder_channels.whatsapp.provider_errors import failure_words
from wunder_sdk import Receipt
from wunder_sdk.loose_json import JsonObject, nested, objects, seconds_to_ms, string

#: Status -> receipt. `sent` says no more than the answer to sending did; a voice message that was
#: played was read. Source: Cloud API, Webhooks, statuses (2026-07).
_RECEIPTS: dict[str, Literal["delivered", "read", "failed"]] = {
    "delivered": "delivered",
    "read": "read",
    "played": "read",
    "failed": "failed",
}


def statuses_of(changes: Iterable[Change]) -> list[JsonObject]:
    """Return the statuses of these changes, in order."""
    return [one for change in changes for one in objects(change.value, "statuses")]


def read_receipts(statuses: Iterable[JsonObject], received_ms: int) -> Iterator[Receipt]:
    """Return what the gateway has to know of them.

    In a group each participant reports: a failure for one of them is no failure of the message.
    """
    for status in statuses:
        kind = _RECEIPTS.get(string(status, "status"))
        message_id = string(status, "id")
        if kind is None or not message_id:
            continue
        if kind == "failed" and string(status, "recipient_participant_id"):
            continue
        at = seconds_to_ms(status.get("timestamp"), received_ms)
        detail = _reason(status) if kind == "failed" else None
        yield Receipt(message_id, kind, at, detail)


def confirmed_sends(statuses: Iterable[JsonObject]) -> dict[str, str]:
    """Return our key -> WhatsApp's id of each message that a status proves to have arrived.

    The key travels in `biz_opaque_callback_data`; it finds a message whose answer was lost.
    """
    return {
        key: message_id
        for status in statuses
        if (key := string(status, "biz_opaque_callback_data"))
        and (message_id := string(status, "id"))
        and string(status, "status") in ("sent", *_RECEIPTS)
        and string(status, "status") != "failed"
    }


def _reason(status: JsonObject) -> str:
    errors = list(objects(status, "errors"))
    if not errors:
        return "WhatsApp gave no reason"
    error = errors[0]
    words = string(error, "message") or string(error, "title")
    details = string(nested(error, "error_data"), "details")
    return failure_words(string(error, "code"), words, details)
