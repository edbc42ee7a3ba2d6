"""One request of WeChat's: prove who sent it, then open it."""

import re
from dataclasses import dataclass

from wunder_channels.wechat_mp.config import MpConfig
from wunder_channels.wechat_mp.documents import is_json, read_document, string
from wunder_channels.wechat_mp.envelope import is_same, open_sealed, signature
from wunder_sdk import (
    AccountConfigInvalid,
    ChannelError,
    Forbidden,
    MalformedEvent,
    Request,
    SignatureInvalid,
)
from wunder_sdk.loose_json import JsonObject

_UNIX_SECONDS = re.compile(r"[0-9]{1,12}\Z")
_ECHO_MAX = 4096
_CLEAR_RECEIVER = re.compile(
    rb'<ToUserName>\s*(?:<!\[CDATA\[)?(gh_[0-9A-Za-z]{1,40})\b|"ToUserName"\s*:\s*"(gh_[0-9A-Za-z]{1,40})"'
)


@dataclass(frozen=True, slots=True)
class Keys:
    """The pair that signed and sealed a message; an answer uses the same."""

    token: str
    aes_key: str


@dataclass(frozen=True, slots=True)
class Opened:
    """A message as WeChat wrote it.

    Attributes:
        fields: The fields of the document; of an encrypted one, those that were encrypted.
        is_json: JSON by the console's setting, else XML; an answer has the same form.
        keys: None where it came in clear.
    """

    fields: JsonObject
    is_json: bool
    keys: Keys | None

    @property
    def sender(self) -> str:
        """The OpenID of who wrote."""
        return string(self.fields, "FromUserName")

    @property
    def receiver(self) -> str:
        """The original ID of the account."""
        return string(self.fields, "ToUserName")


def echo(config: MpConfig, http: Request) -> str:
    """Return what proves to WeChat that this address is ours: its `echostr`, never encrypted.

    Raises:
        SignatureInvalid: Not signed with this account's token, or too old.
        MalformedEvent: A parameter is missing or repeated.
    """
    _require_signature(config, http)
    echostr = _parameter(http, "echostr")
    if len(echostr) > _ECHO_MAX:
        raise MalformedEvent("echostr is too long")
    return echostr


def open_callback(config: MpConfig, http: Request) -> Opened:
    """Verify and open a message under the rules of the account's encryption mode.

    Raises:
        SignatureInvalid: Not from WeChat, or too old.
        MalformedEvent: Cannot be read.
        Forbidden: For another account, or in clear although this account encrypts.
    """
    opened = _open_clear(config, http) if config.is_plain else _open_encrypted(config, http)
    if not opened.sender or not opened.receiver or not string(opened.fields, "MsgType"):
        raise MalformedEvent("the message names no sender, receiver or type")
    if config.original_id and opened.receiver != config.original_id:
        raise Forbidden("the message is for another official account")
    return opened


def named_account(http: Request) -> str:
    """Return the original ID that a body names in clear, empty where there is none."""
    found = _CLEAR_RECEIVER.search(http.body[:4096])
    return (found[1] or found[2]).decode() if found else ""


def _open_clear(config: MpConfig, http: Request) -> Opened:
    _require_signature(config, http)
    fields = read_document(http.body)
    if "Encrypt" in fields and "MsgType" not in fields:
        raise Forbidden("WeChat encrypts for this account, whose mode is set to plain")
    return Opened(fields, is_json(http.body), None)


def _open_encrypted(config: MpConfig, http: Request) -> Opened:
    if http.query.get("encrypt_type") != "aes":
        # The signature in the address does not cover the body: believing it would be a downgrade.
        _require_signature(config, http)
        raise Forbidden("the message is in clear, but this account encrypts")
    given, timestamp, nonce = (
        _parameter(http, name) for name in ("msg_signature", "timestamp", "nonce")
    )
    sealed = string(read_document(http.body), "Encrypt")
    if not sealed.strip():
        raise MalformedEvent("the body holds no encrypted message")
    token = _signer(config, given, timestamp, nonce, sealed)
    _require_fresh(config, http, timestamp)
    message, aes_key = _open_with_any(config, sealed)
    return Opened(read_document(message), is_json(message), Keys(token, aes_key))


def _open_with_any(config: MpConfig, sealed: str) -> tuple[bytes, str]:
    """Try the key before the last change too: WeChat goes on using it for a while."""
    refused: ChannelError | None = None
    for aes_key in config.aes_keys:
        try:
            return open_sealed(aes_key, sealed, config.app_id), aes_key
        except (MalformedEvent, Forbidden) as error:
            refused = refused or error
    raise refused or AccountConfigInvalid("the EncodingAESKey is missing")


def _require_signature(config: MpConfig, http: Request) -> None:
    given, timestamp, nonce = (
        _parameter(http, name) for name in ("signature", "timestamp", "nonce")
    )
    _signer(config, given, timestamp, nonce)
    _require_fresh(config, http, timestamp)


def _signer(config: MpConfig, given: str, *signed: str) -> str:
    """Return the token that signed, the current one or the one before."""
    if not config.tokens:
        raise AccountConfigInvalid("the token is missing")
    for token in config.tokens:
        if is_same(given, signature(token, *signed)):
            return token
    raise SignatureInvalid("the signature does not fit this account's token")


def _require_fresh(config: MpConfig, http: Request, timestamp: str) -> None:
    if not config.max_clock_skew_s:
        return
    if not _UNIX_SECONDS.match(timestamp):
        raise MalformedEvent("the timestamp is not a number of seconds")
    if abs(http.received_ms - int(timestamp) * 1000) > config.max_clock_skew_s * 1000:
        raise SignatureInvalid("the timestamp is outside the time window")


def _parameter(http: Request, name: str) -> str:
    values = http.query.get_all(name)
    if len(values) != 1 or not values[0]:
        raise MalformedEvent(f"{name} is missing or repeated")
    return values[0]
