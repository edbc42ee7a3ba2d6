"""AES-256-GCM from the cryptography library, its one error translated."""

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from wunder.errors import StoreBroken


class AesGcm:
    """The keyring's cipher (Aead)."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None) -> bytes:
        """Return the ciphertext with its tag of 16 bytes."""
        return self._cipher.encrypt(nonce, data, associated_data)

    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None) -> bytes:
        """Return the plaintext.

        Raises:
            StoreBroken: Ciphertext, context or key are not those of the sealing.
        """
        try:
            return self._cipher.decrypt(nonce, data, associated_data)
        except InvalidTag as error:
            raise StoreBroken(
                "A sealed value was changed or moved; restore it from a backup."
            ) from error
