"""WeCom's callback envelope: who signed it, what is inside, and how an answer is sealed."""

import base64
import hashlib
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from wunder_sdk import AccountConfigInvalid, Forbidden, MalformedEvent, SignatureInvalid, aes_cbc

#: Plaintext is padded to a multiple of this, twice AES's own block: a 16-byte PKCS#7 check fails
#: for about half of all messages (WeCom docs 90968, 加解密方案说明).
PAD_BYTES = 32
_RANDOM_BYTES = 16
_LENGTH_BYTES = 4
_KEY_BYTES = 32
_KEY_TEXT = re.compile(r"[A-Za-z0-9+/]{43}\Z")


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A Token and its EncodingAESKey, as the console shows them."""

    token: str
    encoding_aes_key: str


@dataclass(frozen=True, slots=True)
class Marks:
    """The query of a callback that proves its sender."""

    msg_signature: str
    timestamp: str
    nonce: str


def open_envelope(
    encrypted: str, marks: Marks, pairs: Sequence[KeyPair], receive_id: str
) -> tuple[bytes, KeyPair]:
    """Return what a signed envelope holds, and the pair that opened it.

    Args:
        encrypted: `echostr` or the element `Encrypt`, as it came.
        marks: From the query.
        pairs: The account's pair, then the one it replaced, if keys are being rotated.
        receive_id: Must stand in the envelope: the corp id, or empty for an AI bot.

    Raises:
        SignatureInvalid: None of the pairs signed this.
        MalformedEvent: Signed, but no envelope.
        Forbidden: For another receiver.
    """
    for pair in pairs:
        if is_signed(pair.token, marks, encrypted):
            return unseal(encrypted, pair.encoding_aes_key, receive_id), pair
    raise SignatureInvalid("the signature does not fit this account's token")


def sign(token: str, timestamp: str, nonce: str, encrypted: str) -> str:
    """Return the signature over four strings, sorted bytewise (WeCom docs 90968)."""
    parts = (token, timestamp, nonce, encrypted)
    ordered = sorted(part.encode("utf-8", "surrogatepass") for part in parts)
    return hashlib.sha1(b"".join(ordered), usedforsecurity=False).hexdigest()


def is_signed(token: str, marks: Marks, encrypted: str) -> bool:
    """Compare the signature in constant time."""
    wanted = sign(token, marks.timestamp, marks.nonce, encrypted).encode()
    return hmac.compare_digest(wanted, marks.msg_signature.encode("utf-8", "surrogatepass"))


def unseal(encrypted: str, encoding_aes_key: str, receive_id: str) -> bytes:
    """Return the message inside an envelope whose signature was checked before.

    Raises:
        MalformedEvent: Not base64, not whole blocks, a wrong pad or length.
        Forbidden: For another receiver; empty is a receiver like any other.
    """
    sealed = aes_cbc.from_base64(encrypted)
    key = aes_key(encoding_aes_key)
    frame = aes_cbc.decrypt(key, key[: aes_cbc.BLOCK_BYTES], sealed, PAD_BYTES)
    begin = _RANDOM_BYTES + _LENGTH_BYTES
    if len(frame) < begin:
        raise MalformedEvent("the envelope is too short")
    end = begin + int.from_bytes(frame[_RANDOM_BYTES:begin], "big")
    if end > len(frame):
        raise MalformedEvent("the envelope is shorter than it says")
    if not hmac.compare_digest(frame[end:], receive_id.encode()):
        raise Forbidden("the envelope is for another receiver")
    return frame[begin:end]


def seal(message: bytes, encoding_aes_key: str, receive_id: str, random16: bytes) -> str:
    """Return the envelope of an answer; sign it with `sign`."""
    frame = random16 + len(message).to_bytes(_LENGTH_BYTES, "big") + message + receive_id.encode()
    key = aes_key(encoding_aes_key)
    sealed = aes_cbc.encrypt(key, key[: aes_cbc.BLOCK_BYTES], frame, PAD_BYTES)
    return base64.b64encode(sealed).decode()


@lru_cache(maxsize=64)
def aes_key(encoding_aes_key: str) -> bytes:
    """Return the 32 bytes of an EncodingAESKey; spare bits of its last character do not count.

    Raises:
        AccountConfigInvalid: Not 43 characters of base64.
    """
    if not is_key_text(encoding_aes_key):
        raise AccountConfigInvalid("the EncodingAESKey is not 43 letters and digits")
    return base64.b64decode(encoding_aes_key + "=")[:_KEY_BYTES]


def is_key_text(encoding_aes_key: str) -> bool:
    """Does it look like an EncodingAESKey?"""
    return _KEY_TEXT.match(encoding_aes_key) is not None
