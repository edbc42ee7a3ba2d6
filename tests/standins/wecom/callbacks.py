"""Sealed callbacks as the platform posts them; its own crypto, written apart from the channel's."""

import base64
import hashlib
import json
import os
import struct
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from xml.sax.saxutils import escape

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from tests.standins.wecom.platform import Json, WecomPlatform

USER = "zhangsan"
#: Fields of a message of each kind, unless `fields` says otherwise.
MESSAGE_FIELDS: dict[str, dict[str, str]] = {
    "text": {},
    "image": {"PicUrl": "https://wework.qpic.cn/wwpic/1/0", "MediaId": "MEDIA_in_1"},
    "voice": {"MediaId": "MEDIA_in_2", "Format": "amr"},
    "video": {"MediaId": "MEDIA_in_3", "ThumbMediaId": "MEDIA_in_4"},
    "location": {"Location_X": "23.134", "Location_Y": "113.358", "Scale": "20", "Label": "广州塔"},
    "link": {"Title": "公告", "Description": "描述", "Url": "https://example.com/x?a=1&b=2"},
}
_NUMBERS = frozenset({"CreateTime", "MsgId", "AgentID", "Location_X", "Location_Y", "Scale"})


@dataclass(frozen=True)
class Keys:
    """Token and EncodingAESKey, as the console shows them."""

    token: str
    encoding_aes_key: str


@dataclass(frozen=True)
class Callback:
    """One request as it goes to the webhook."""

    query: dict[str, str]
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    message_id: str = ""
    peer: str = ""

    @property
    def method(self) -> str:
        """An address check has no body."""
        return "POST" if self.body else "GET"

    @property
    def raw_query(self) -> str:
        """The query as it is on the wire: + is %2B."""
        return urlencode(self.query)


def seal(keys: Keys, plain: bytes, receive_id: str) -> str:
    """Encrypt as WXBizMsgCrypt does."""
    key = base64.b64decode(keys.encoding_aes_key + "=")
    frame = os.urandom(16) + struct.pack(">I", len(plain)) + plain + receive_id.encode()
    count = 32 - len(frame) % 32
    encryptor = Cipher(algorithms.AES(key), modes.CBC(key[:16])).encryptor()
    return base64.b64encode(encryptor.update(frame + bytes([count]) * count)).decode()


def unseal(keys: Keys, encrypted: str) -> tuple[bytes, str]:
    """Decrypt an answer: the message and the receive id."""
    key = base64.b64decode(keys.encoding_aes_key + "=")
    frame = (
        Cipher(algorithms.AES(key), modes.CBC(key[:16]))
        .decryptor()
        .update(base64.b64decode(encrypted))
    )
    assert 1 <= frame[-1] <= 32 and len(frame) % 32 == 0
    frame = frame[: -frame[-1]]
    (size,) = struct.unpack(">I", frame[16:20])
    return frame[20 : 20 + size], frame[20 + size :].decode()


def signature(token: str, timestamp: str, nonce: str, encrypted: str) -> str:
    """Sign as WXBizMsgCrypt does."""
    return hashlib.sha1("".join(sorted([token, timestamp, nonce, encrypted])).encode()).hexdigest()


class CallbackWriter:
    """Writes what the platform would post for one app, or one AI bot."""

    def __init__(self, platform: WecomPlatform, keys: Keys, bot_keys: Keys | None = None) -> None:
        self.platform, self.keys = platform, keys
        self.bot_keys = bot_keys or keys
        self.base_url = "https://qyapi.weixin.qq.com"

    # --- an app ----------------------------------------------------------------------------------

    def write(self, asked: Json) -> Callback:
        """Write the callback that `POST /standin/send` describes.

        `kind`: text, image, ..., event, or bot_text, bot_image, ... ; `text`, `user`, `message_id`,
        `fields` (more elements), `event`, `now_s`, `group` (bots).
        """
        kind = str(asked.get("kind", "text"))
        if kind.startswith("bot_"):
            return self._write_for_bot(kind.removeprefix("bot_"), asked)
        if kind == "kf":
            return self.hint(asked)
        user = str(asked.get("user", USER))
        message_id = str(asked.get("message_id") or uuid.uuid4().int % 10**19)
        fields: dict[str, str] = {
            "ToUserName": self.platform.corp_id,
            "FromUserName": user,
            "CreateTime": str(int(asked.get("now_s") or time.time())),
            "MsgType": kind,
        }
        if kind == "event":
            fields |= {"Event": str(asked.get("event", "subscribe")), "EventKey": ""}
        else:
            fields |= {**MESSAGE_FIELDS.get(kind, {}), "MsgId": message_id}
        if kind == "text":
            fields["Content"] = str(asked.get("text", "hello"))
        fields |= {"AgentID": str(self.platform.agent_id), **asked.get("fields", {})}
        inner = "<xml>" + "".join(_element(*one) for one in fields.items())
        inner += str(asked.get("xml", "")) + "</xml>"
        return self.seal_xml(inner.encode(), asked, message_id, user)

    def hint(self, asked: Json) -> Callback:
        """Say that customers wrote (`text`, `type`, `content`, `user`, `silent`: nobody did)."""
        now_s = float(asked.get("now_s") or time.time())
        message = {} if asked.get("silent") else self.platform.desk.write(asked, now_s)
        fields = {
            "ToUserName": self.platform.corp_id,
            "CreateTime": str(int(now_s)),
            "MsgType": "event",
            "Event": "kf_msg_or_event",
            "Token": uuid.uuid4().hex,
            "OpenKfId": str(asked.get("open_kfid", self.platform.desk.open_kfid)),
        }
        inner = "<xml>" + "".join(_element(*one) for one in fields.items()) + "</xml>"
        return self.seal_xml(inner.encode(), asked, message.get("msgid", ""))

    def seal_xml(
        self, inner: bytes, asked: Json | None = None, message_id: str = "", peer: str = ""
    ) -> Callback:
        """Seal any inner XML for the app."""
        corp_id = self.platform.corp_id
        encrypted = seal(self.keys, inner, str((asked or {}).get("receive_id", corp_id)))
        outer = (
            f"<xml><ToUserName><![CDATA[{corp_id}]]></ToUserName>"
            f"<Encrypt><![CDATA[{encrypted}]]></Encrypt>"
            f"<AgentID><![CDATA[{self.platform.agent_id}]]></AgentID></xml>"
        )
        query = _signed(self.keys, encrypted, asked or {})
        headers = (("Content-Type", "text/xml"),)
        return Callback(query, outer.encode(), headers, message_id, peer)

    def address_check(self, echo: str = "4375120948345356249", *, bot: bool = False) -> Callback:
        """Write the GET that checks the URL."""
        keys = self.bot_keys if bot else self.keys
        encrypted = seal(keys, echo.encode(), "" if bot else self.platform.corp_id)
        return Callback({**_signed(keys, encrypted, {}), "echostr": encrypted})

    # --- an AI bot -------------------------------------------------------------------------------

    def _write_for_bot(self, kind: str, asked: Json) -> Callback:
        user = str(asked.get("user", USER))
        group = str(asked.get("group", ""))
        message_id = str(asked.get("message_id") or f"CAIQ{uuid.uuid4().hex}")
        code = self.platform.open_question(group or user)
        content: Json = {
            "msgid": message_id,
            "aibotid": "AIBOTID01",
            "chattype": "group" if group else "single",
            "from": {"userid": user},
            "response_url": f"{self.base_url}/cgi-bin/aibot/response?response_code={code}",
            "msgtype": kind,
        }
        if group:
            content["chatid"] = group
        if kind in ("text", "voice"):
            content[kind] = {"content": str(asked.get("text", "hello"))}
        if kind == "event":
            content["event"] = {"eventtype": str(asked.get("event", "enter_chat"))}
        content |= asked.get("fields", {})
        return self.seal_json(content, asked, message_id, group or user)

    def poll(self, stream_id: str) -> Callback:
        """Write the question how an answer goes on."""
        content = {
            "msgid": f"POLL{uuid.uuid4().hex}",
            "aibotid": "AIBOTID01",
            "chattype": "single",
            "from": {"userid": USER},
            "msgtype": "stream",
            "stream": {"id": stream_id},
        }
        return self.seal_json(content)

    def seal_json(
        self, content: Json, asked: Json | None = None, message_id: str = "", peer: str = ""
    ) -> Callback:
        """Seal any inner JSON for the bot."""
        inner = json.dumps(content, ensure_ascii=False).encode()
        return self.seal_bytes(inner, asked, message_id, peer)

    def seal_bytes(
        self, inner: bytes, asked: Json | None = None, message_id: str = "", peer: str = ""
    ) -> Callback:
        """Seal anything at all for the bot."""
        encrypted = seal(self.bot_keys, inner, str((asked or {}).get("receive_id", "")))
        query = _signed(self.bot_keys, encrypted, asked or {})
        body = json.dumps({"encrypt": encrypted}).encode()
        return Callback(query, body, (("Content-Type", "application/json"),), message_id, peer)

    def read_answer(self, body: bytes) -> Json:
        """Read a sealed answer of the bot, as WeCom does: signed, for nobody in particular."""
        said = json.loads(body)
        assert type(said["timestamp"]) is int
        wanted = signature(
            self.bot_keys.token, str(said["timestamp"]), said["nonce"], said["encrypt"]
        )
        assert said["msgsignature"] == wanted
        plain, receive_id = unseal(self.bot_keys, said["encrypt"])
        assert receive_id == ""
        answer: Json = json.loads(plain)
        return answer


def _element(name: str, value: Any) -> str:
    if name in _NUMBERS or not value:
        return f"<{name}>{escape(str(value))}</{name}>"
    return f"<{name}><![CDATA[{value}]]></{name}>"


def _signed(keys: Keys, encrypted: str, asked: Mapping[str, Any]) -> dict[str, str]:
    timestamp = str(int((asked.get("now_s") or time.time()) - asked.get("age_s", 0)))
    nonce = str(uuid.uuid4().int % 10**10)
    return {
        "msg_signature": signature(keys.token, timestamp, nonce, encrypted),
        "timestamp": timestamp,
        "nonce": nonce,
    }
