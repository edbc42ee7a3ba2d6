"""Events as the platform posts them: schema 2.0 or 1.0, encrypted and signed where the app has a key."""

import base64
import hashlib
import itertools
import json
import os
import time
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC

from tests.standins.feishu.platform import FeishuPlatform, Json

USER = "ou_u5er000000000000000000000000001"
CHATS = {"p2p": "oc_p2p0000000000000000000000000a", "group": "oc_grp0000000000000000000000000a"}
TENANT = "2ca1d211f64f6438"


@dataclass(frozen=True)
class Callback:
    """One request as it goes to the webhook."""

    headers: dict[str, str]
    body: bytes
    message_id: str = ""
    event_id: str = ""


@dataclass
class CallbackWriter:
    """Writes what the platform would post for one app."""

    platform: FeishuPlatform
    first_id: int = field(default_factory=lambda: time.time_ns() % 10**9)

    def __post_init__(self) -> None:
        self._ids = itertools.count(self.first_id)

    def write(self, asked: Json) -> Callback:
        """Write the callback that `POST /standin/send` describes.

        `kind` (p2p, group, button, old_button), `text` or `message_type` and `content`, `chat_id`,
        `sender`, `message_id`, `at_bot`, `thread_id`, `parent_id`, `mentions`, `sender_type`,
        `v1: true`; or `event_type` and `event` for any event at all; `resources` to attach.
        """
        if "event_type" in asked:
            return self.event(str(asked["event_type"]), asked.get("event", {}), asked)
        kind = str(asked.get("kind", "p2p"))
        if kind == "button":
            return self._button(asked)
        if kind == "old_button":
            return self._old_button(asked)
        return self._v1_message(kind, asked) if asked.get("v1") else self._message(kind, asked)

    def challenge(self, challenge: str, *, is_signed: bool = False) -> Callback:
        """Write the address check: sealed if the app has a key, and usually without headers."""
        letter = {
            "challenge": challenge,
            "token": self.platform.app.verification_token,
            "type": "url_verification",
        }
        return self.post(letter, is_signed=is_signed)

    def event(self, event_type: str, event: Json, asked: Json | None = None) -> Callback:
        """Write any event of schema 2.0."""
        event_id = str((asked or {}).get("event_id") or f"evt{next(self._ids):029x}")
        header = {
            "event_id": event_id,
            "event_type": event_type,
            "create_time": str(int(time.time() * 1000)),
            "token": self.platform.app.verification_token,
            "app_id": self.platform.app.app_id,
            "tenant_key": TENANT,
        }
        return self.post({"schema": "2.0", "header": header, "event": event}, event_id=event_id)

    def post(
        self, letter: Json, *, message_id: str = "", event_id: str = "", is_signed: bool = True
    ) -> Callback:
        """Seal and sign a letter as the app's settings have it."""
        key = self.platform.app.encrypt_key
        plain = json.dumps(letter, ensure_ascii=False).encode()
        body = json.dumps({"encrypt": seal(key, plain)}).encode() if key else plain
        headers = {"Content-Type": "application/json; charset=utf-8"}
        if key and is_signed:
            headers |= sign(key, body)
        return Callback(headers, body, message_id, event_id)

    def _message(self, kind: str, asked: Json) -> Callback:
        message_id = str(asked.get("message_id") or f"om_in{next(self._ids):027x}")
        chat_id = str(asked.get("chat_id") or CHATS[kind])
        text = str(asked.get("text", ""))
        mentions = list(asked.get("mentions", ()))
        if asked.get("at_bot"):
            app = self.platform.app
            text = f"@_user_9 {text}"
            mentions.append(
                {"key": "@_user_9", "id": {"open_id": app.bot_open_id}, "name": app.bot_name}
            )
        message = {
            "message_id": message_id,
            "create_time": str(asked.get("at_ms") or int(time.time() * 1000)),
            "chat_id": chat_id,
            "chat_type": kind,
            "message_type": str(asked.get("message_type", "text")),
            "content": json.dumps(asked.get("content") or {"text": text}, ensure_ascii=False),
            **({"mentions": mentions} if mentions else {}),
            **{key: asked[key] for key in ("thread_id", "parent_id", "root_id") if key in asked},
        }
        open_id = str(asked.get("sender") or USER)
        sender = {
            "sender_id": {
                "open_id": open_id,
                "union_id": open_id.replace("ou_", "on_"),
                "user_id": None,
            },
            "sender_type": str(asked.get("sender_type", "user")),
            "tenant_key": TENANT,
        }
        self.platform.received.setdefault(message_id, chat_id)
        callback = self.event(
            "im.message.receive_v1", {"sender": sender, "message": message}, asked
        )
        return Callback(callback.headers, callback.body, message_id, callback.event_id)

    def _v1_message(self, kind: str, asked: Json) -> Callback:
        message_id = str(asked.get("message_id") or f"om_in{next(self._ids):027x}")
        chat_id = str(asked.get("chat_id") or CHATS[kind])
        text = str(asked.get("text", ""))
        event_id = f"uuid{next(self._ids)}"
        event = {
            "type": "message", "app_id": self.platform.app.app_id, "tenant_key": TENANT,
            "open_chat_id": chat_id, "open_message_id": message_id, "open_id": asked.get("sender", USER),
            "chat_type": "private" if kind == "p2p" else "group", "msg_type": "text", "text": text,
            "text_without_at_bot": text, "is_mention": bool(asked.get("at_bot")), **asked.get("extra", {}),
        }  # fmt: skip
        letter = {
            "ts": f"{time.time():.7f}", "uuid": event_id, "type": "event_callback", "event": event,
            "token": self.platform.app.verification_token,
        }  # fmt: skip
        self.platform.received.setdefault(message_id, chat_id)
        return self.post(letter, message_id=message_id, event_id=event_id)

    def _button(self, asked: Json) -> Callback:
        event = {
            "operator": {"open_id": str(asked.get("sender") or USER), "tenant_key": TENANT},
            "token": "c-295ee57216a5dc9de90fefd0aadb4b1d7dxxxx",
            "action": {
                "tag": "button",
                "value": asked.get("value", {"answer": "yes"}),
                **asked.get("extra", {}),
            },
            "context": {
                "open_message_id": str(asked.get("message_id", "om_card0001")),
                "open_chat_id": str(asked.get("chat_id") or CHATS["p2p"]),
            },
        }
        return self.event("card.action.trigger", event, asked)

    def _old_button(self, asked: Json) -> Callback:
        app = self.platform.app
        letter = {
            "open_id": str(asked.get("sender") or USER), "open_message_id": "om_card0001",
            "open_chat_id": str(asked.get("chat_id") or CHATS["p2p"]), "tenant_key": TENANT,
            "token": "c-update", "action": {"tag": "button", "value": asked.get("value", {"answer": "yes"})},
        }  # fmt: skip
        body = json.dumps(letter).encode()
        timestamp, nonce = str(int(time.time())), "oldnonce"
        digest = hashlib.sha1((timestamp + nonce + app.verification_token).encode() + body)
        return Callback(_headers(timestamp, nonce, digest.hexdigest()), body)


def seal(encrypt_key: str, plain: bytes) -> str:
    """Encrypt as the platform does."""
    pad = 16 - len(plain) % 16
    iv = os.urandom(16)
    sealer = Cipher(AES(hashlib.sha256(encrypt_key.encode()).digest()), CBC(iv)).encryptor()
    return base64.b64encode(
        iv + sealer.update(plain + bytes([pad]) * pad) + sealer.finalize()
    ).decode()


def sign(
    encrypt_key: str, body: bytes, timestamp: str = "", nonce: str = "nonce1"
) -> dict[str, str]:
    """Return the headers that prove `body`."""
    timestamp = timestamp or str(int(time.time()))
    digest = hashlib.sha256((timestamp + nonce + encrypt_key).encode() + body).hexdigest()
    return _headers(timestamp, nonce, digest)


def _headers(timestamp: str, nonce: str, signature: str) -> dict[str, str]:
    return {
        "X-Lark-Request-Timestamp": timestamp,
        "X-Lark-Request-Nonce": nonce,
        "X-Lark-Signature": signature,
    }


def is_right_answer(challenge: str, answer: bytes) -> bool:
    """Did the webhook answer the address check?"""
    try:
        said: Any = json.loads(answer)
    except ValueError:
        return False
    return bool(said == {"challenge": challenge})
