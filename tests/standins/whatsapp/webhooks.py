"""Signed webhooks as Meta posts them: escaped JSON in batches, and the handshake."""

import hashlib
import hmac
import itertools
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from tests.standins.whatsapp.platform import Json, Sent, WhatsAppPlatform

PHONE = "16505551234"
USER_ID = "US.13491208655302741918"
GROUP = "HBgKMTIzNDU2Nzg5MBUCAAA"
NAME = "Sheena Nelson"

#: kind -> the part of the message that makes it one.
CONTENTS: dict[str, Callable[[Json], Json]] = {
    "text": lambda asked: {"text": {"body": asked.get("text", "hello")}},
    "location": lambda _: {
        "location": {
            "latitude": 31.23,
            "longitude": 121.47,
            "name": "外滩",
            "address": "中山东一路",
        }
    },
    "contacts": lambda _: {
        "contacts": [{"name": {"formatted_name": "Li Lei"}, "phones": [{"phone": "+86 138"}]}]
    },
    "interactive": lambda asked: {
        "interactive": {
            "type": "button_reply",
            "button_reply": {"id": asked.get("payload", "ok"), "title": asked.get("text", "OK")},
        }
    },
    "button": lambda asked: {
        "button": {"text": asked.get("text", "Yes"), "payload": asked.get("payload", "yes")}
    },
    "reaction": lambda asked: {
        "reaction": {"message_id": asked.get("target", "wamid.OUT1"), "emoji": "👍"}
    },
    "order": lambda _: {
        "order": {
            "catalog_id": "1",
            "product_items": [
                {"product_retailer_id": "sku", "quantity": 2, "item_price": 9.5, "currency": "EUR"}
            ],
        }
    },
    "edit": lambda asked: {
        "edit": {
            "original_message_id": asked.get("target", "wamid.1"),
            "message": {"type": "text", "text": {"body": asked.get("text", "better")}},
        }
    },
    "revoke": lambda asked: {"revoke": {"original_message_id": asked.get("target", "wamid.1")}},
    "unsupported": lambda _: {
        "errors": [{"code": 131051, "title": "Message type unknown"}],
    },
}
MEDIA = {
    "image": "image/jpeg", "video": "video/mp4", "audio": "audio/ogg; codecs=opus",
    "document": "application/pdf", "sticker": "image/webp",
}  # fmt: skip


@dataclass(frozen=True)
class Callback:
    """One request as it goes to the webhook."""

    headers: dict[str, str]
    body: bytes
    message_ids: tuple[str, ...] = ()


@dataclass
class WebhookWriter:
    """Writes what Meta would post for one app."""

    platform: WhatsAppPlatform
    first_id: int = field(default_factory=lambda: time.time_ns() % 10**9)

    def __post_init__(self) -> None:
        self._ids = itertools.count(self.first_id)

    def write(self, *asked: Json) -> Callback:
        """Write one batch with a message for each of `asked`.

        `kind` (text, image, .. or any type with `content`), `text`, `from`, `user_id`, `group`,
        `message_id`, `quotes`, `age_s`, `bytes` and `mime` of media, `phone_number_id`.
        """
        changes = [self._change(one) for one in asked]
        ids = [change["value"]["messages"][0]["id"] for change in changes]
        return self.sign({"entry": [{"id": self.platform.waba_id, "changes": changes}]}, ids)

    def status(self, sent: Sent, status: str, *, code: int = 0) -> Callback:
        """Write what became of a message we sent."""
        told: Json = {
            "id": sent.id,
            "status": status,
            "timestamp": str(int(self.platform.now())),
            "recipient_id": sent.to,
            "biz_opaque_callback_data": sent.body.get("biz_opaque_callback_data"),
        }
        if code:
            told["errors"] = [{
                "code": code, "title": "Re-engagement message",
                "error_data": {"details": "more than 24 hours have passed"},
            }]  # fmt: skip
        value = {**self._metadata({}), "statuses": [told]}
        return self.sign({"entry": [{"id": self.platform.waba_id, "changes": [
            {"field": "messages", "value": value}]}]})  # fmt: skip

    def sign(self, document: Json, message_ids: list[str] | None = None) -> Callback:
        """Write a document as Meta does: non-ASCII and slashes escaped, HMAC over these bytes."""
        whole = {"object": "whatsapp_business_account", **document}
        text = json.dumps(whole, separators=(",", ":")).replace("/", "\\/")
        return self.sign_bytes(text.encode(), message_ids)

    def sign_bytes(self, body: bytes, message_ids: list[str] | None = None) -> Callback:
        """Sign any bytes at all."""
        secret = self.platform.app_secret.encode()
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "facebookexternalua",
            "X-Hub-Signature": "sha1=" + hmac.new(secret, body, hashlib.sha1).hexdigest(),
            "X-Hub-Signature-256": "sha256=" + hmac.new(secret, body, hashlib.sha256).hexdigest(),
        }
        return Callback(headers, body, tuple(message_ids or ()))

    def handshake_query(self, verify_token: str, challenge: str) -> str:
        """Return the query of the subscription handshake."""
        return urlencode(
            {"hub.mode": "subscribe", "hub.challenge": challenge, "hub.verify_token": verify_token}
        )

    def _metadata(self, asked: Json) -> Json:
        number_id = asked.get("phone_number_id", self.platform.phone_number_id)
        return {
            "messaging_product": "whatsapp",
            "metadata": {
                "display_phone_number": self.platform.display_phone_number,
                "phone_number_id": number_id,
            },
        }

    def _change(self, asked: Json) -> Json:
        kind = asked.get("kind", "text")
        sender, user_id = asked.get("from", PHONE), asked.get("user_id", USER_ID)
        message_id = asked.get("message_id") or f"wamid.IN{next(self._ids)}"
        message: Json = {
            "id": message_id,
            "timestamp": str(int(self.platform.now() - asked.get("age_s", 0))),
            "type": kind,
            **self._content(kind, asked),
        }
        contact: Json = {"profile": {"name": asked.get("name", NAME)}}
        if sender:
            message["from"] = contact["wa_id"] = sender
        if user_id:
            message["from_user_id"] = contact["user_id"] = user_id
        if asked.get("group"):
            message["group_id"] = GROUP if asked["group"] is True else asked["group"]
        if asked.get("quotes"):
            message["context"] = {
                "from": asked.get("quotes_from", self.platform.display_phone_number),
                "id": asked["quotes"],
            }
        self.platform.heard(message.get("group_id") or sender or user_id, message_id)
        value = {**self._metadata(asked), "contacts": [contact], "messages": [message]}
        return {"field": "messages", "value": value}

    def _content(self, kind: str, asked: Json) -> dict[str, Any]:
        if "content" in asked:
            return dict(asked["content"])
        if kind not in MEDIA:
            return CONTENTS[kind](asked)
        content, mime = asked.get("bytes", b"bytes of a medium"), asked.get("mime", MEDIA[kind])
        content = content.encode() if isinstance(content, str) else content
        media_id = asked.get("media_id") or self.platform.keep_medium(mime, content)
        medium = {
            "id": media_id,
            "mime_type": mime,
            "sha256": hashlib.sha256(content).hexdigest(),
        }
        if asked.get("text"):
            medium["caption"] = asked["text"]
        if kind == "document":
            medium["filename"] = asked.get("filename", "发票.pdf")
        return {kind: medium}
