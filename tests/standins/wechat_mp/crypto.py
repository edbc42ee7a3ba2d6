"""The platform's side of signatures and envelopes, written for itself and not taken from the channel."""

import base64
import hashlib
import os

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes


def sign(*parts: str) -> str:
    """SHA-1 of the sorted parts."""
    return hashlib.sha1("".join(sorted(parts)).encode(), usedforsecurity=False).hexdigest()


def seal(aes_key: str, message: bytes, app_id: str, random16: bytes | None = None) -> str:
    """Encrypt as the platform does."""
    key = base64.b64decode(aes_key + "=")
    content = (random16 or os.urandom(16)) + len(message).to_bytes(4, "big") + message
    content += app_id.encode()
    return seal_raw(aes_key, content + _padding(len(content)), key)


def seal_raw(aes_key: str, padded: bytes, key: bytes | None = None) -> str:
    """Encrypt bytes that are padded already, rightly or wrongly."""
    key = key or base64.b64decode(aes_key + "=")
    encryptor = Cipher(algorithms.AES(key), modes.CBC(key[:16])).encryptor()
    return base64.b64encode(encryptor.update(padded) + encryptor.finalize()).decode()


def unseal(aes_key: str, sealed: str) -> tuple[bytes, str]:
    """Decrypt an answer: the message and the App ID behind it."""
    key = base64.b64decode(aes_key + "=")
    decryptor = Cipher(algorithms.AES(key), modes.CBC(key[:16])).decryptor()
    content = decryptor.update(base64.b64decode(sealed, validate=True)) + decryptor.finalize()
    content = content[: -content[-1]]
    size = int.from_bytes(content[16:20], "big")
    return content[20 : 20 + size], content[20 + size :].decode()


def _padding(length: int) -> bytes:
    pad = 32 - length % 32
    return bytes([pad]) * pad
