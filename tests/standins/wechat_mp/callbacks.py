"""Callbacks as the platform posts them: signed, and sealed as the account's mode says."""

import itertools
import json
import secrets
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode
from xml.etree import ElementTree

from tests.standins.wechat_mp.crypto import seal, sign, unseal
from tests.standins.wechat_mp.platform import Json

USER = "oIDrpjqASyTPnxRmpS9O_ruZGsfk"
ORIGINAL_ID = "gh_0123456789ab"
EVENTS = frozenset({"subscribe", "unsubscribe", "SCAN", "CLICK", "VIEW", "LOCATION"})


@dataclass(frozen=True)
class Callback:
    """One request as it goes to the webhook; a repeat is the same but for its signature."""

    query: dict[str, str]
    body: bytes
    openid: str
    message_id: str = ""
    is_message: bool = True

    @property
    def query_string(self) -> str:
        """The query as it stands in the address."""
        return urlencode(self.query)


@dataclass
class CallbackWriter:
    """Writes what the platform would post for one account.

    `mode` is plain, compat or safe; `form` is xml or json: settings of the console.
    """

    app_id: str
    token: str
    aes_key: str = ""
    mode: str = "safe"
    form: str = "xml"
    original_id: str = ORIGINAL_ID
    first_id: int = field(default_factory=lambda: 23_000_000_000_000_000 + time.time_ns() % 10**12)

    def __post_init__(self) -> None:
        self._ids = itertools.count(self.first_id)

    def address_check(self, echostr: str = "8305999631672647420") -> dict[str, str]:
        """Write the query of the address check."""
        return {**self._signed({}), "echostr": echostr}

    def write(self, asked: Json) -> Callback:
        """Write the callback that `POST /standin/send` describes.

        `kind` is a MsgType or the name of an event (default text); `text`, `openid`,
        `message_id`, `created_s`, `extra` (further fields).
        """
        kind = str(asked.get("kind", "text"))
        openid = str(asked.get("openid") or USER)
        created_s = int(asked.get("created_s") or time.time())
        is_event = kind in EVENTS or bool(asked.get("is_event"))
        fields: Json = {
            "ToUserName": str(asked.get("to") or self.original_id),
            "FromUserName": openid,
            "CreateTime": created_s,
            "MsgType": "event" if is_event else kind,
        }
        message_id = ""
        if is_event:
            fields |= {"Event": kind, "EventKey": str(asked.get("text", ""))}
        else:
            message_id = str(asked.get("message_id") or next(self._ids))
            if kind == "text":
                fields["Content"] = str(asked.get("text", "hello"))
            fields["MsgId"] = int(message_id) if message_id.isdecimal() else message_id
        fields |= asked.get("extra", {})
        return self.post(fields, openid, message_id, is_message=not is_event)

    def post(
        self, fields: Json, openid: str = USER, message_id: str = "", *, is_message: bool = True
    ) -> Callback:
        """Sign and seal these fields."""
        body = self.document(fields)
        if self.mode == "plain":
            query = {**self._signed({}), "openid": openid}
            return Callback(query, body, openid, message_id, is_message)
        sealed = seal(self.aes_key, body, self.app_id)
        outer: Json = {"ToUserName": fields.get("ToUserName", ""), "Encrypt": sealed}
        if self.mode == "compat":
            outer = {**fields, "Encrypt": sealed}
        query = self._signed({"openid": openid, "encrypt_type": "aes"})
        query["msg_signature"] = sign(self.token, query["timestamp"], query["nonce"], sealed)
        return Callback(query, self.document(outer), openid, message_id, is_message)

    def document(self, fields: Json) -> bytes:
        """Write fields in the form that the console says."""
        if self.form == "json":
            return json.dumps(fields, ensure_ascii=False).encode()
        return f"<xml>{_elements(fields)}</xml>".encode()

    def read_answer(self, body: bytes) -> Json | None:
        """Read an answer as the platform does: {} for "received", None if it is no answer at all."""
        if body in (b"", b"success"):
            return {}
        try:
            fields = self._read(body)
            if self.mode != "plain" and "Encrypt" in fields:
                wanted = sign(
                    self.token, str(fields["TimeStamp"]), str(fields["Nonce"]), fields["Encrypt"]
                )
                message, app_id = unseal(self.aes_key, fields["Encrypt"])
                if wanted != fields["MsgSignature"] or app_id != self.app_id:
                    return None
                fields = self._read(message)
            elif self.mode == "safe":
                return None
        except (ValueError, KeyError, IndexError, ElementTree.ParseError):
            return None
        return fields if fields.get("MsgType") and fields.get("ToUserName") else None

    def _read(self, body: bytes) -> Json:
        if self.form == "json":
            found = json.loads(body)
            if not isinstance(found, dict):
                raise ValueError
            return found
        root = ElementTree.fromstring(body)
        if root.tag != "xml":
            raise ValueError
        return {one.tag: _value(one) for one in root}

    def _signed(self, query: dict[str, str]) -> dict[str, str]:
        timestamp, nonce = str(int(time.time())), str(secrets.randbelow(10**10))
        signature = sign(self.token, timestamp, nonce)
        return {"signature": signature, "timestamp": timestamp, "nonce": nonce, **query}


def _elements(fields: Json) -> str:
    return "".join(f"<{name}>{_inner(value)}</{name}>" for name, value in fields.items())


def _inner(value: Any) -> str:
    if isinstance(value, dict):
        return _elements(value)
    if isinstance(value, int | float):
        return str(value)
    return "<![CDATA[" + str(value).replace("]]>", "]]]]><![CDATA[>") + "]]>"


def _value(element: ElementTree.Element) -> Any:
    return {one.tag: _value(one) for one in element} if len(element) else element.text or ""
