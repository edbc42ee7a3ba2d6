"""Signatures and the AES envelope: prove that a message is WeChat's, open it, seal an answer."""

import base64
import binascii
import hashlib
import hmac
from functools import lru_cache

from wunder_sdk import AccountConfigInvalid, Forbidden, MalformedEvent, aes_cbc

#: Padding goes up to 32 although a block has 16 bytes (message encryption docs; a published sample
#: has 19), so no library's PKCS#7 can be used.
_PAD_TO = 32
_RANDOM_BYTES = 16
_HEAD_BYTES = _RANDOM_BYTES + 4


def signature(*parts: str) -> str:
    """Return the SHA-1 of the parts, sorted by their bytes and joined, as lower-case hex."""
    joined = b"".join(sorted(part.encode("utf-8", "replace") for part in parts))
    return hashlib.sha1(joined, usedforsecurity=False).hexdigest()


def is_same(given: str, wanted: str) -> bool:
    """Compare two signatures in constant time."""
    return hmac.compare_digest(given.encode("utf-8", "replace"), wanted.encode())


def open_sealed(aes_key: str, sealed: str, app_id: str) -> bytes:
    """Return the message inside an envelope whose signature was verified.

    Raises:
        MalformedEvent: Not base64, not whole blocks, wrong padding or length.
        Forbidden: It is for another App ID, or for none.
        AccountConfigInvalid: The account's key is no key.

    Source: message encryption docs 2026-07, technical scheme.
    """
    key = _key_bytes(aes_key)
    ciphertext = aes_cbc.from_base64(sealed.strip())
    content = aes_cbc.decrypt(key, key[: aes_cbc.BLOCK_BYTES], ciphertext, _PAD_TO)
    if len(content) < _HEAD_BYTES:
        raise MalformedEvent("the decrypted message is too short")
    end = _HEAD_BYTES + int.from_bytes(content[_RANDOM_BYTES:_HEAD_BYTES], "big")
    if end > len(content):
        raise MalformedEvent("the decrypted message is shorter than it says")
    if not app_id or not hmac.compare_digest(content[end:], app_id.encode()):
        raise Forbidden("the message is for another App ID")
    return content[_HEAD_BYTES:end]


def seal(aes_key: str, message: bytes, app_id: str, random16: bytes) -> str:
    """Return `message` as WeChat can open it: encrypted, base64.

    Args:
        aes_key: EncodingAESKey, 43 characters.
        message: The whole document.
        app_id: Whose message it is.
        random16: 16 bytes that nobody can guess.
    """
    key = _key_bytes(aes_key)
    content = random16 + len(message).to_bytes(4, "big") + message + app_id.encode()
    sealed = aes_cbc.encrypt(key, key[: aes_cbc.BLOCK_BYTES], content, _PAD_TO)
    return base64.b64encode(sealed).decode("ascii")


@lru_cache(maxsize=64)
def _key_bytes(aes_key: str) -> bytes:
    try:
        key = base64.b64decode(aes_key + "=", validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != 32:
        raise AccountConfigInvalid("the EncodingAESKey is not one")
    return key
