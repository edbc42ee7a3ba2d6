"""A sealer that hides nothing and still notices every change."""

import hashlib

from wunder.errors import StoreBroken


class FakeSealer:
    """Sealer whose ciphertext is a checksum over plaintext and context, then the plaintext."""

    def seal(self, plain: bytes, context: str) -> bytes:
        return self._checksum(plain, context) + plain

    def open(self, sealed: bytes, context: str) -> bytes:
        plain = sealed[32:]
        if sealed[:32] != self._checksum(plain, context):
            raise StoreBroken
        return plain

    @staticmethod
    def _checksum(plain: bytes, context: str) -> bytes:
        encoded = context.encode("utf-8", "surrogatepass")
        return hashlib.sha256(len(encoded).to_bytes(8, "big") + encoded + plain).digest()
