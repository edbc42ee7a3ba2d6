"""Prove that a request comes from QQ, and answer its address check without signing for strangers."""

import hmac
import re
from functools import lru_cache

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from wunder_sdk import AccountConfigInvalid, SignatureInvalid

_HEX_64_BYTES = re.compile(r"[0-9A-Fa-f]{128}\Z")
_UNIX_SECONDS = re.compile(r"[0-9]{1,16}\Z")
#: What a plain_token may be made of. No brace, quote, comma or space: event_ts + plain_token can
#: then never be read as timestamp + a JSON object, so our answer signs no event for anybody.
_PLAIN_TOKEN = re.compile(r"[A-Za-z0-9_+./=-]{1,256}\Z")
_SEED_BYTES = 32


@lru_cache(maxsize=64)
def signing_key(secret: str) -> Ed25519PrivateKey:
    """Return the key pair of a bot: its secret's UTF-8 bytes, repeated and cut to a 32-byte seed.

    Raises:
        AccountConfigInvalid: There is no secret.

    Source: QQ bot docs 2026-07, event subscription, signature check.
    """
    if not secret:
        raise AccountConfigInvalid("the bot's secret is missing")
    secret_bytes = secret.encode()
    repeats = -(-_SEED_BYTES // len(secret_bytes))
    return Ed25519PrivateKey.from_private_bytes((secret_bytes * repeats)[:_SEED_BYTES])


def verify(secret: str, timestamp: str, signature_hex: str, body: bytes) -> None:
    """Check an Ed25519 signature over timestamp + raw body; freshness is `require_fresh`'s job.

    Raises:
        SignatureInvalid: Not 64 bytes of hex, S not canonical, or not made with this secret.
    """
    if not _HEX_64_BYTES.match(signature_hex) or not _UNIX_SECONDS.match(timestamp):
        raise SignatureInvalid("the signature headers are not well formed")
    signature = bytes.fromhex(signature_hex)
    if signature[63] & 0xE0:
        raise SignatureInvalid("the signature is not canonical")
    key, signed = signing_key(secret), timestamp.encode() + body
    # We hold the private key and Ed25519 is deterministic: signing again takes 36 us, verifying
    # 114 us (measured, cryptography 50, 2 cores). Another nonce is valid too, so verify the rest.
    if hmac.compare_digest(key.sign(signed), signature):
        return
    try:
        key.public_key().verify(signature, signed)
    except InvalidSignature:
        raise SignatureInvalid("the signature does not fit this bot's secret") from None


def require_fresh(timestamp: str, received_ms: int, max_skew_s: int) -> None:
    """Refuse a timestamp (Unix seconds) further than `max_skew_s` from the request's arrival.

    Raises:
        SignatureInvalid: Too old, or from the future.
    """
    if abs(received_ms - int(timestamp) * 1000) > max_skew_s * 1000:
        raise SignatureInvalid("the signed timestamp is outside the time window")


def answer_validation(
    secret: str, plain_token: object, event_ts: object, received_ms: int, max_skew_s: int
) -> dict[str, str]:
    """Return the answer to the platform's address check (op 13).

    The request need not be signed, so a stranger may send one: only a fresh event_ts and a
    token that cannot begin a JSON object are signed.

    Raises:
        SignatureInvalid: Anything else; an unsigned request that is no plain address check.

    Source: QQ bot docs 2026-07, event subscription, callback address validation.
    """
    ts = str(event_ts) if type(event_ts) in (str, int) else ""
    if not _UNIX_SECONDS.match(ts) or not isinstance(plain_token, str):
        raise SignatureInvalid("the address check is not well formed")
    if not _PLAIN_TOKEN.match(plain_token):
        raise SignatureInvalid("the address check asks to sign something that is no plain token")
    require_fresh(ts, received_ms, max_skew_s)
    signature = signing_key(secret).sign((ts + plain_token).encode())
    return {"plain_token": plain_token, "signature": signature.hex()}
