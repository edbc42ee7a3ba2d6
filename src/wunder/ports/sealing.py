"""Secrets: sealing under the data dir's key, and the check value of that key."""

from typing import Protocol


class Sealer(Protocol):
    """Authenticated encryption under the data dir's key; `context` is bound to the ciphertext."""

    def seal(self, plain: bytes, context: str) -> bytes:
        """Encrypt; opening needs the same context."""

    def open(self, sealed: bytes, context: str) -> bytes:
        """Raises: StoreBroken when the ciphertext or its context was changed."""


class KeyCheck(Protocol):
    """The check value of the data dir's key, kept in `meta` (security rule 8)."""

    async def get(self) -> bytes | None:
        """The value written when the key was made; None in a store that never had a key."""

    async def put(self, value: bytes) -> None:
        """Write the value once. Raises: Conflict when another value is there."""
