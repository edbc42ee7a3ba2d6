"""The key of a data directory, and sealing with it (security rule 8).

The key is 32 random bytes in a file of mode 0600, written as 64 hex digits, or a systemd credential of
the same form. It never stands in the environment. The store holds a check value derived from it.
"""

import hmac
import os
import secrets
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from wunder.accounts import lazy
from wunder.errors import ConfigInvalid, StoreBroken
from wunder.ports import KeyCheck

KEY_BYTES = 32
#: Name of the key file below the data dir, and of the systemd credential.
KEY_FILE = Path("keys/master.key")
CREDENTIAL = "wunder-master-key"

#: First byte of everything sealed: AES-256-GCM, 12 bytes of random nonce, ciphertext with tag.
_FORMAT = b"\x01"
#: NIST SP 800-38D 8.2.2: random nonces of 96 bits hold for 2^32 seals under one key.
_NONCE_BYTES = 12
_TAG_BYTES = 16


class Aead(Protocol):
    """An authenticated cipher under one key."""

    def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None) -> bytes:
        """Return the ciphertext with its tag."""
        ...

    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None) -> bytes:
        """Return the plaintext. Raises: StoreBroken when anything was changed."""
        ...


class Keyring:
    """Seals and opens under the data dir's key (port Sealer)."""

    def __init__(self, key: bytes, cipher: Callable[[bytes], Aead] = lazy.aes_gcm) -> None:
        if len(key) != KEY_BYTES:
            raise ConfigInvalid(f"The key has {len(key)} bytes; it must have {KEY_BYTES}.")
        self._key = key
        self._make_cipher = cipher
        self._cipher: Aead | None = None

    def __repr__(self) -> str:
        return "Keyring(***)"

    def seal(self, plain: bytes, context: str) -> bytes:
        """Encrypt `plain`; opening needs the same context."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return _FORMAT + nonce + self._aead().encrypt(nonce, plain, _bound(context))

    def open(self, sealed: bytes, context: str) -> bytes:
        """Decrypt what was sealed under this key and context.

        Raises:
            StoreBroken: The ciphertext or its context was changed, or the key is another one.
        """
        if sealed[:1] != _FORMAT or len(sealed) < 1 + _NONCE_BYTES + _TAG_BYTES:
            raise StoreBroken("A sealed value has an unknown form; restore it from a backup.")
        nonce, body = sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
        return self._aead().decrypt(nonce, body, _bound(context))

    def check_value(self) -> bytes:
        """Return 32 bytes that name the key and tell nothing about it."""
        return hmac.digest(self._key, b"wunder key check 1", "sha256")

    def link_key(self) -> bytes:
        """Return the key with which links to stored attachments are signed."""
        return hmac.digest(self._key, b"wunder attachment links 1", "sha256")

    def chat_key(self) -> bytes:
        """Return the key with which the visits of chat pages are signed."""
        return hmac.digest(self._key, b"wunder chat visits 1", "sha256")

    def hmac8(self, value: str) -> str:
        """Return 8 hex digits by which audit shows that a secret changed (security rule 18)."""
        own_key = hmac.digest(self._key, b"wunder audit 1", "sha256")
        return hmac.digest(own_key, value.encode("utf-8", "surrogatepass"), "sha256").hex()[:8]

    def _aead(self) -> Aead:
        if self._cipher is None:
            self._cipher = self._make_cipher(self._key)
        return self._cipher


async def open_keyring(
    data_dir: Path, check: KeyCheck, *, holds_ciphertext: bool, credentials_dir: Path | None = None
) -> Keyring:
    """Open the key of a data dir, or make it where nothing was ever sealed.

    Args:
        data_dir: holds `keys/master.key`.
        check: where the store keeps the key's check value.
        holds_ciphertext: whether any row holds a sealed value.
        credentials_dir: systemd's $CREDENTIALS_DIRECTORY; a `wunder-master-key` there goes first.

    Raises:
        ConfigInvalid: The key is missing, open to others, damaged, or not the one that sealed.
    """
    expected = await check.get()
    try:
        place, key = _find_key(data_dir, credentials_dir)
    except OSError as error:
        raise ConfigInvalid(
            f"The key {error.filename} cannot be read: {error.strerror}. Let the gateway's user read it."
        ) from error
    if key is None:
        if expected is not None or holds_ciphertext:
            raise ConfigInvalid(
                f"The store holds secrets sealed with a key that is not here: put the key back at "
                f"{place} (of several nodes all have the same), or restore a backup made with it. "
                f"A new key could not open them."
            )
        key = _make_key(place)
    keyring = Keyring(key)
    if expected is None:
        await check.put(keyring.check_value())
    elif not hmac.compare_digest(expected, keyring.check_value()):
        raise ConfigInvalid(
            f"The key in {place} is not the one that sealed this store's secrets: put the right "
            f"key there, or restore the store that belongs to it. Nothing was changed."
        )
    return keyring


def key_at(data_dir: Path, credentials_dir: Path | None) -> tuple[Path, Keyring | None]:
    """Where a data dir's key is or would be, and the key where there is one. Raises: ConfigInvalid."""
    place, key = _find_key(data_dir, credentials_dir)
    return place, None if key is None else Keyring(key)


def _find_key(data_dir: Path, credentials_dir: Path | None) -> tuple[Path, bytes | None]:
    """Return where the key is, or would be made, and the key."""
    if credentials_dir is not None and (place := credentials_dir / CREDENTIAL).exists():
        return place, _read_key(place)
    place = data_dir / KEY_FILE
    if place.exists():
        _refuse_open_to_others(place)
        return place, _read_key(place)
    return place, None


def _refuse_open_to_others(place: Path) -> None:
    mode = stat.S_IMODE(place.stat().st_mode)
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise ConfigInvalid(
            f"Others may read the key in {place} (mode {mode:04o}): run chmod 600 {place}, and "
            f"consider the secrets known to whoever could read it."
        )


def _read_key(place: Path) -> bytes:
    with place.open("rb") as file:
        content = file.read(4 * KEY_BYTES)
    if len(content) == KEY_BYTES:
        return content
    try:
        key = bytes.fromhex(content.decode("ascii"))
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise ConfigInvalid(f"The key in {place} is damaged: it must be 64 hex digits.")
    return key


def _make_key(place: Path) -> bytes:
    """Make a key that is wholly on disk before its name is; an existing one is never replaced."""
    key = secrets.token_bytes(KEY_BYTES)
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    staged = place.with_name(f".{place.name}.{secrets.token_hex(4)}")
    descriptor = os.open(staged, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with open(descriptor, "wb") as file:
            file.write(key.hex().encode() + b"\n")
            file.flush()
            os.fsync(descriptor)
        os.link(staged, place)
    finally:
        staged.unlink()
    directory = os.open(place.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
    return key


def _bound(context: str) -> bytes:
    return b"wunder seal 1\x00" + context.encode("utf-8", "surrogatepass")
