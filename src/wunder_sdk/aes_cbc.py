"""AES-CBC as platforms seal their callbacks: base64, padding to 16 or 32; needs cryptography."""

import base64
import binascii

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC

from wunder_sdk.errors import MalformedEvent

#: AES's own block, and the length of an initialisation vector.
BLOCK_BYTES = 16


def from_base64(text: str) -> bytes:
    """Return the bytes of standard base64, read strictly.

    Raises:
        MalformedEvent: Not base64.
    """
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise MalformedEvent("what was sealed is not base64") from None


def decrypt(key: bytes, iv: bytes, sealed: bytes, pad_to: int = BLOCK_BYTES) -> bytes:
    """Return the plaintext without its padding. CBC proves nothing: check a signature first.

    Args:
        key: 16, 24 or 32 bytes.
        iv: 16 bytes.
        sealed: Whole blocks.
        pad_to: The padding is 1 to this many equal bytes; 32 where a library's PKCS#7 would fail.

    Raises:
        MalformedEvent: Empty, cut off, or no such padding: another key, most likely.
    """
    if not sealed or len(sealed) % BLOCK_BYTES:
        raise MalformedEvent("what was sealed is cut off")
    decryptor = Cipher(AES(key), CBC(iv)).decryptor()
    return without_pad(decryptor.update(sealed) + decryptor.finalize(), pad_to)


def encrypt(key: bytes, iv: bytes, content: bytes, pad_to: int = BLOCK_BYTES) -> bytes:
    """Return `content`, padded and encrypted; the arguments are those of `decrypt`."""
    pad = pad_to - len(content) % pad_to
    encryptor = Cipher(AES(key), CBC(iv)).encryptor()
    return encryptor.update(content + bytes([pad]) * pad) + encryptor.finalize()


def without_pad(padded: bytes, pad_to: int = BLOCK_BYTES) -> bytes:
    """Strip a padding of 1 to `pad_to` equal bytes, for plaintext that came in chunks.

    Raises:
        MalformedEvent: There is no such padding.
    """
    pad = padded[-1] if padded else 0
    if not 1 <= pad <= pad_to or not padded.endswith(bytes([pad]) * pad):
        raise MalformedEvent("what was sealed is not padded as it should be")
    return padded[:-pad]
