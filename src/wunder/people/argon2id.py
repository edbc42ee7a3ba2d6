"""Password hashes: argon2id in the low-memory profile of RFC 9106 (64 MiB, 3 passes, 4 lanes)."""

from argon2 import Parameters, PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.profiles import RFC_9106_LOW_MEMORY

#: Of a password that nobody has; checked for unknown names, so that they take as long as known ones.
_DUMMY = "nobody has this password"


class Argon2id:
    """Hashes and verifies; blocks for tens of milliseconds and 64 MiB: use a thread."""

    def __init__(self, profile: Parameters = RFC_9106_LOW_MEMORY) -> None:
        self._hasher = PasswordHasher.from_parameters(profile)
        self._dummy = self._hasher.hash(_DUMMY)

    def hash(self, password: str) -> str:
        """Return a salted hash in PHC form."""
        return self._hasher.hash(password)

    def verify(self, stored: str, password: str) -> bool:
        """Tell whether the password is the one; "" as `stored` takes as long and is False."""
        try:
            self._hasher.verify(stored or self._dummy, password)
        except (VerificationError, InvalidHashError):
            return False
        return bool(stored)

    def is_outdated(self, stored: str) -> bool:
        """True where a hash was made with other parameters than today's."""
        return self._hasher.check_needs_rehash(stored)
