"""The first-run token: a file of mode 0600, single use, 24 hours (security rule 16)."""

import asyncio
import hmac
import os
import secrets
from pathlib import Path

import msgspec

from wunder.model.ids import At

#: Name of the file below the data dir.
SETUP_FILE = Path("run/setup-token")
LIFE_MS = 24 * 3_600 * 1_000
_BYTES = 32


class _Offer(msgspec.Struct, frozen=True):
    token: str
    expires_at: At


class SetupToken:
    """Keeps the token in its file and nowhere else; the file is JSON {"token", "expires_at"}."""

    def __init__(self, data_dir: Path) -> None:
        self._place = data_dir / SETUP_FILE

    async def offer(self, now: At) -> str:
        """Write a token unless a valid one is there; the path of the file."""
        await asyncio.to_thread(self._offer, now)
        return str(self._place)

    async def redeem(self, text: str, now: At) -> bool:
        """Use the token up. Of two at the same time, one wins: whoever removes the file."""
        return await asyncio.to_thread(self._redeem, text, now)

    async def withdraw(self) -> None:
        """Remove a token that nobody needs any more."""
        await asyncio.to_thread(self._place.unlink, missing_ok=True)

    def read(self) -> str:
        """Return the token for a terminal, "" where none is offered."""
        offered = self._read()
        return offered.token if offered else ""

    def _offer(self, now: At) -> None:
        offered = self._read()
        if offered is not None and now < offered.expires_at:
            return
        self._place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        staged = self._place.with_name(f".setup-token.{secrets.token_hex(4)}")
        descriptor = os.open(staged, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with open(descriptor, "wb") as file:
            offer = _Offer(secrets.token_urlsafe(_BYTES), At(now + LIFE_MS))
            file.write(msgspec.json.encode(offer))
            file.flush()
            os.fsync(descriptor)
        staged.replace(self._place)

    def _redeem(self, text: str, now: At) -> bool:
        offered = self._read()
        if offered is None or now >= offered.expires_at:
            return False
        given = text.encode("utf-8", "surrogatepass")
        if not hmac.compare_digest(given, offered.token.encode()):
            return False
        try:
            self._place.unlink()
        except FileNotFoundError:
            return False
        return True

    def _read(self) -> _Offer | None:
        try:
            return msgspec.json.decode(self._place.read_bytes(), type=_Offer)
        except (FileNotFoundError, msgspec.DecodeError):
            return None
