"""Signed callbacks as the platform posts them: messages, notices, the address check."""

import itertools
import json
import time
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.standins.qq.platform import Json, QqPlatform

#: kind -> (event, scope); what a person does and how the platform calls it.
MESSAGE_KINDS = {
    "c2c": ("C2C_MESSAGE_CREATE", "c2c"),
    "group_at": ("GROUP_AT_MESSAGE_CREATE", "group"),
    "group": ("GROUP_MESSAGE_CREATE", "group"),
    "guild_at": ("AT_MESSAGE_CREATE", "channel"),
    "guild": ("MESSAGE_CREATE", "channel"),
    "guild_dm": ("DIRECT_MESSAGE_CREATE", "guild_dm"),
}
NOTICE_KINDS = {
    "friend_add": ("FRIEND_ADD", "c2c"),
    "friend_del": ("FRIEND_DEL", "c2c"),
    "group_add": ("GROUP_ADD_ROBOT", "group"),
    "group_del": ("GROUP_DEL_ROBOT", "group"),
}
USER = "E4F4AEA33253A2797FB897C50B81D7ED"
GROUP = "C9F778FE6ADF9D1D1DBE395BF744A33A"
MEMBER = "8F1C0A2B3D4E5F60718293A4B5C6D7E8"
PEERS = {"c2c": USER, "group": GROUP, "channel": "100010", "guild_dm": "18700000000099"}
SENDERS = {"c2c": USER, "group": MEMBER, "channel": "1234567890123456789",
           "guild_dm": "1234567890123456789"}  # fmt: skip


@dataclass(frozen=True)
class Callback:
    """One request as it goes to the webhook."""

    headers: dict[str, str]
    body: bytes
    message_id: str = ""
    event_id: str = ""


@dataclass
class CallbackWriter:
    """Writes what the platform would post for one bot."""

    platform: QqPlatform
    first_id: int = field(default_factory=lambda: time.time_ns() % 10**9)

    def __post_init__(self) -> None:
        self._ids = itertools.count(self.first_id)

    def write(self, asked: Json) -> Callback:
        """Write the callback that `POST /standin/send` describes.

        `kind`, `text`, `peer`, `sender`, `message_id`, `attachments`, `extra` (fields of d), or
        `t` and `d` for any event at all; `age_s`: how long ago it was signed.
        """
        if "t" in asked:
            event_id = str(asked.get("id") or f"{asked['t']}:evt{next(self._ids)}")
            return self.sign(
                {"op": 0, "id": event_id, "t": asked["t"], "d": asked.get("d", {})}, asked
            )
        kind = str(asked.get("kind", "c2c"))
        if kind == "button":
            return self._pressed(asked)
        if kind in NOTICE_KINDS:
            return self._notice(*NOTICE_KINDS[kind], asked)
        return self._message(*MESSAGE_KINDS[kind], asked)

    def sign(self, payload: Json, asked: Json | None = None, message_id: str = "") -> Callback:
        """Sign a payload with the bot's secret, now or `age_s` seconds ago."""
        body = json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode()
        now_s = float((asked or {}).get("now_s") or time.time())
        timestamp = str(int(now_s - float((asked or {}).get("age_s", 0))))
        headers = {
            "User-Agent": "QQBot-Callback",
            "Content-Type": "application/json",
            "X-Bot-Appid": self.platform.app_id,
            "X-Signature-Method": "Ed25519",
            "X-Signature-Timestamp": timestamp,
            "X-Signature-Ed25519": self._key().sign(timestamp.encode() + body).hex(),
        }
        return Callback(headers, body, message_id, str(payload.get("id", "")))

    def address_check(self, plain_token: str, event_ts: int | None = None) -> Callback:
        """Write the unsigned address check (op 13)."""
        ts = str(int(time.time()) if event_ts is None else event_ts)
        payload = {"d": {"plain_token": plain_token, "event_ts": ts}, "op": 13}
        body = json.dumps(payload, separators=(",", ":")).encode()
        return Callback({"User-Agent": "QQBot-Callback", "X-Bot-Appid": self.platform.app_id}, body)

    def is_right_answer(self, check: Callback, answer: bytes) -> bool:
        """Did the webhook answer the address check with the right signature?"""
        asked = json.loads(check.body)["d"]
        signed = self._key().sign((asked["event_ts"] + asked["plain_token"]).encode()).hex()
        try:
            said: Any = json.loads(answer)
        except ValueError:
            return False
        return bool(said == {"plain_token": asked["plain_token"], "signature": signed})

    def _message(self, name: str, scope: str, asked: Json) -> Callback:
        number = next(self._ids)
        message_id = str(asked.get("message_id") or f"ROBOT1.0_in{number}")
        peer = str(asked.get("peer") or PEERS[scope])
        sender = peer if scope == "c2c" else str(asked.get("sender") or SENDERS[scope])
        content: Json = {
            "id": message_id,
            "content": str(asked.get("text", "")),
            "timestamp": str(
                asked.get("timestamp") or time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime())
            ),
            "author": _author(scope, sender, asked),
            **_place(scope, peer),
        }
        if asked.get("attachments"):
            content["attachments"] = asked["attachments"]
        content |= asked.get("extra", {})
        event_id = f"{name}:evt{message_id}"
        self.platform.remember(message_id, scope, peer)
        payload = {"op": 0, "s": number, "t": name, "id": event_id, "d": content}
        return self.sign(payload, asked, message_id)

    def _notice(self, name: str, scope: str, asked: Json) -> Callback:
        peer = str(asked.get("peer") or PEERS[scope])
        event_id = str(asked.get("message_id") or f"{name}:evt{next(self._ids)}")
        who = (
            {"openid": peer}
            if scope == "c2c"
            else {"group_openid": peer, "op_member_openid": MEMBER}
        )
        self.platform.remember(event_id, scope, peer)
        payload = {"op": 0, "t": name, "id": event_id, "d": {**who, "timestamp": int(time.time())}}
        return self.sign(payload, asked)

    def _pressed(self, asked: Json) -> Callback:
        """Somebody presses a button of the bot's: `data` is what the button carries."""
        scope = str(asked.get("scope", "c2c"))
        peer = str(asked.get("peer") or PEERS[scope])
        event_id = f"INTERACTION_CREATE:evt{next(self._ids)}"
        where = (
            {"chat_type": 2, "user_openid": peer}
            if scope == "c2c"
            else {"chat_type": 1, "group_openid": peer, "group_member_openid": MEMBER}
        )
        resolved = {"button_data": asked.get("data", ""), "button_id": str(asked.get("button", ""))}
        content = {
            **where,
            "id": event_id.partition(":")[2],
            "data": {"type": 11, "resolved": resolved},
            "timestamp": time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime()),
        }
        self.platform.remember(event_id, scope, peer)
        payload = {"op": 0, "t": "INTERACTION_CREATE", "id": event_id, "d": content}
        return self.sign(payload, asked)

    def _key(self) -> Ed25519PrivateKey:
        seed = self.platform.secret.encode()
        while len(seed) < 32:
            seed *= 2
        return Ed25519PrivateKey.from_private_bytes(seed[:32])


def _author(scope: str, sender: str, asked: Json) -> Json:
    is_bot = {"bot": bool(asked["bot"])} if "bot" in asked else {}
    if scope == "c2c":
        return {"id": sender, "user_openid": sender, **is_bot}
    if scope == "group":
        return {"id": sender, "member_openid": sender, **is_bot}
    return {"id": sender, "username": str(asked.get("name", "abc")), "bot": False, **is_bot}


def _place(scope: str, peer: str) -> Json:
    if scope == "group":
        return {"group_id": peer, "group_openid": peer}
    if scope == "channel":
        return {"channel_id": peer, "guild_id": "18700000000001"}
    if scope == "guild_dm":
        return {"guild_id": peer, "channel_id": "200020", "src_guild_id": "18700000000001"}
    return {}
