"""Password hashes: argon2id with 46 MiB, 1 pass, 1 lane, the first of those that OWASP names."""

from argon2 import Parameters, PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.low_level import Type

#: OWASP Password Storage Cheat Sheet, read 2026-11. 64 ms of CPU here; the low-memory profile of RFC 9106
#: takes 207 ms and four threads, beside a message path that has the same two cores.
PROFILE = Parameters(
    type=Type.ID,
    version=19,
    salt_len=16,
    hash_len=32,
    time_cost=1,
    memory_cost=46 * 1024,
    parallelism=1,
)
#: Of a password that nobody has; checked for unknown names, so that they take as long as known ones.
_DUMMY = "nobody has this password"


class Argon2id:
    """Hashes and verifies; blocks for tens of milliseconds and takes 46 MiB: use a thread."""

    def __init__(self, profile: Parameters = PROFILE) -> None:
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
