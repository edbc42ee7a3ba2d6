"""Prove that a request comes from Feishu, and open it: signature, encryption, verification token."""

import hashlib
import hmac
from dataclasses import dataclass
from functools import lru_cache

from wunder_channels.feishu.api import FeishuConfig
from wunder_sdk import MalformedEvent, Request, SignatureInvalid, aes_cbc
from wunder_sdk.loose_json import JsonObject, nested, parse, string

_TIMESTAMP, _NONCE, _SIGNATURE = (
    "X-Lark-Request-Timestamp", "X-Lark-Request-Nonce", "X-Lark-Signature",
)  # fmt: skip
_BLOCK = aes_cbc.BLOCK_BYTES
#: A timestamp header is Unix seconds.
_TIMESTAMP_DIGITS = 12


@dataclass(frozen=True, slots=True)
class Letter:
    """A request of Feishu, opened.

    Attributes:
        content: The event, decrypted where it was sealed.
        was_sealed: It was encrypted with this account's Encrypt Key.
        is_signed: Its signature was checked and holds.
    """

    content: JsonObject
    was_sealed: bool
    is_signed: bool

    @property
    def is_challenge(self) -> bool:
        """Does Feishu ask whether this address is ours?"""
        return self.content.get("type") == "url_verification"


def open_letter(config: FeishuConfig, http: Request) -> Letter:
    """Check the signature where there is one and decrypt the body; nothing is believed yet.

    The order is Feishu's (facts sheet, section 2): the address check comes without signature
    headers even when it is encrypted, so a missing signature is judged by `require_genuine`.

    Raises:
        MalformedEvent: The body is no JSON object, or cannot be decrypted.
        SignatureInvalid: There is a signature and it is wrong, or its headers are incomplete.
    """
    body = http.json()
    if not isinstance(body, dict):
        raise MalformedEvent("the body is not a JSON object")
    if _is_old_card(body):
        return _old_card(config, http, body)
    is_signed = bool(config.encrypt_key) and _verify(config.encrypt_key, http)
    if "encrypt" not in body:
        return Letter(body, was_sealed=False, is_signed=is_signed)
    if not config.encrypt_key:
        raise MalformedEvent("the body is encrypted and this account has no Encrypt Key")
    try:
        content = parse(decrypt(config.encrypt_key, body["encrypt"]))
    except MalformedEvent:
        if is_signed:
            raise
        # Nothing says who sent this: one answer for every fault, so that nobody learns from it.
        raise SignatureInvalid("neither signed nor encrypted for this account") from None
    if not isinstance(content, dict):
        raise MalformedEvent("the decrypted body is not a JSON object")
    return Letter(content, was_sealed=True, is_signed=is_signed)


def require_genuine(config: FeishuConfig, http: Request, letter: Letter) -> None:
    """Refuse a letter that Feishu did not write for this account, or that is too old.

    Raises:
        SignatureInvalid: No signature where one is due, another token, or outside the time window.
    """
    if letter.is_challenge:
        if not config.verification_token and not letter.was_sealed and not letter.is_signed:
            raise SignatureInvalid("nothing in this address check is ours")
    elif config.encrypt_key and not letter.is_signed:
        raise SignatureInvalid("the request is not signed")
    if config.verification_token and not _is_old_card(letter.content):
        _require_token(config.verification_token, letter.content)
    if config.max_clock_skew_s and letter.is_signed:
        _require_fresh(http, config.max_clock_skew_s)


def decrypt(encrypt_key: str, sealed: object) -> str:
    """Return the text in an `encrypt` field.

    Raises:
        MalformedEvent: Not base64, not whole blocks, wrong padding, not UTF-8.

    Source: open.feishu.cn, event subscription, Encrypt Key: AES-256-CBC, the key is the SHA-256
    of the Encrypt Key, the first 16 bytes are the IV, PKCS#7 of 16; no framing inside.
    """
    raw = aes_cbc.from_base64(sealed if isinstance(sealed, str) else "")
    try:
        return aes_cbc.decrypt(_aes_key(encrypt_key), raw[:_BLOCK], raw[_BLOCK:]).decode("utf-8")
    except UnicodeDecodeError:
        raise MalformedEvent("the decrypted body is not UTF-8") from None


def signature_of(timestamp: str, nonce: str, secret: str, body: bytes) -> str:
    """Return the signature of an event: hex SHA-256 over timestamp, nonce, Encrypt Key, raw body."""
    return hashlib.sha256(_signed(timestamp, nonce, secret) + body).hexdigest()


def app_id_of(content: JsonObject) -> str:
    """Return the app that an event says it is for, "" if it says none."""
    header = nested(content, "header")
    return string(header, "app_id") or string(nested(content, "event"), "app_id")


# --- the steps --------------------------------------------------------------------------------


@lru_cache(maxsize=64)
def _aes_key(encrypt_key: str) -> bytes:
    return hashlib.sha256(encrypt_key.encode()).digest()


def _signed(timestamp: str, nonce: str, secret: str) -> bytes:
    return (timestamp + nonce + secret).encode("utf-8", "replace")


def _headers(http: Request) -> tuple[str, str, str] | None:
    """Return timestamp, nonce and signature, None where there is none of them."""
    found = [http.headers.get_all(name) for name in (_TIMESTAMP, _NONCE, _SIGNATURE)]
    if not any(found):
        return None
    if any(len(values) != 1 for values in found):
        raise SignatureInvalid("the signature headers are incomplete or repeated")
    return found[0][0], found[1][0], found[2][0]


def _verify(encrypt_key: str, http: Request) -> bool:
    """Check the signature if there is one; False means the request carries none."""
    given = _headers(http)
    if given is None:
        return False
    timestamp, nonce, signature = given
    _require_same(signature_of(timestamp, nonce, encrypt_key, http.body), signature.lower())
    return True


def _require_same(expected: str, given: str) -> None:
    if not hmac.compare_digest(expected.encode("utf-8"), given.encode("utf-8", "replace")):
        raise SignatureInvalid("the signature or token is not this account's")


def _require_token(expected: str, content: JsonObject) -> None:
    holder = nested(content, "header") if "header" in content else content
    _require_same(expected, string(holder, "token"))


def _require_fresh(http: Request, max_skew_s: int) -> None:
    timestamp = http.headers.get(_TIMESTAMP)
    is_number = timestamp.isascii() and timestamp.isdecimal()
    if not is_number or len(timestamp) > _TIMESTAMP_DIGITS:
        raise SignatureInvalid("the signed timestamp is not Unix seconds")
    if abs(http.received_ms - int(timestamp) * 1000) > max_skew_s * 1000:
        raise SignatureInvalid("the signed timestamp is outside the time window")


def _is_old_card(body: JsonObject) -> bool:
    """Is this a button of the old card request URL (消息卡片请求网址)? It has no event around it."""
    return isinstance(body.get("action"), dict) and "open_message_id" in body


def _old_card(config: FeishuConfig, http: Request, body: JsonObject) -> Letter:
    """Check an old card's signature: SHA-1, with the verification token in the key's place."""
    given = _headers(http)
    if given is None or not config.verification_token:
        raise SignatureInvalid("the card's request is not signed")
    timestamp, nonce, signature = given
    signed = _signed(timestamp, nonce, config.verification_token) + http.body
    # The platform's own algorithm for this address; there is no other to ask for.
    expected = hashlib.sha1(signed, usedforsecurity=False).hexdigest()
    _require_same(expected, signature.lower())
    return Letter(body, was_sealed=False, is_signed=True)
