"""Passwords: which are taken, and hashing them two at a time (rule 16)."""

import asyncio
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

from wunder.errors import FieldFault, Invalid, RequestRefused
from wunder.people import lazy
from wunder.people.policy import PeoplePolicy

if TYPE_CHECKING:
    from wunder.people.argon2id import Argon2id

#: NIST SP 800-63B-4 (2025-08) asks for 15 where the password stands alone and for 8 beside something
#: else; ten with a lock-out is a choice between them.
MIN_CHARS = 10
_RETRY_AFTER_S = 2
#: Choice: a thread that much nicer gets about a tenth of a core that somebody else wants.
_NICE, _LEAST = 10, 19

T = TypeVar("T")


class Passwords:
    """Hashes in threads, at most `hashes_at_once`; the rest waits, and when many wait, goes away."""

    def __init__(self, policy: PeoplePolicy) -> None:
        self._slots = asyncio.Semaphore(policy.hashes_at_once)
        self._room = policy.hashes_at_once + policy.hashes_waiting
        self._inside = 0
        self._argon2id: Argon2id | None = None
        self._threads = ThreadPoolExecutor(
            policy.hashes_at_once, "password", initializer=_step_behind
        )

    async def hash(self, password: str) -> str:
        """Return a salted hash. Raises: RequestRefused 429 when too many wait."""
        async with _Turn(self):
            return await self._in_thread(lambda: self._library().hash(password))

    async def verify(self, stored: str, password: str) -> bool:
        """Tell whether it is the password; as slow where there is none. Raises: as hash."""
        async with _Turn(self):
            return await self._in_thread(lambda: self._library().verify(stored, password))

    async def is_outdated(self, stored: str) -> bool:
        """True where the hash should be made again, now that the password is known."""
        return await self._in_thread(lambda: self._library().is_outdated(stored))

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    def _library(self) -> "Argon2id":
        if self._argon2id is None:
            self._argon2id = lazy.argon2id()
        return self._argon2id

    async def enter(self) -> None:
        """Wait for a slot. Raises: RequestRefused 429."""
        if self._inside >= self._room:
            raise RequestRefused(429, "too_many_sign_ins", retry_after_s=_RETRY_AFTER_S)
        self._inside += 1
        try:
            await self._slots.acquire()
        except BaseException:
            self._inside -= 1
            raise

    def leave(self) -> None:
        """Give the slot back."""
        self._inside -= 1
        self._slots.release()


def _step_behind() -> None:
    """Let messages go first: a flood of sign-ins takes what is left of the machine (Linux)."""
    with suppress(OSError, AttributeError):
        thread = threading.get_native_id()
        now = os.getpriority(os.PRIO_PROCESS, thread)
        os.setpriority(os.PRIO_PROCESS, thread, min(now + _NICE, _LEAST))


class _Turn:
    """One use of a slot."""

    def __init__(self, passwords: Passwords) -> None:
        self._passwords = passwords

    async def __aenter__(self) -> None:
        await self._passwords.enter()

    async def __aexit__(self, *_error: object) -> None:
        self._passwords.leave()


def refuse_weak(password: str, name: str, pointer: str) -> None:
    """Refuse a password that anybody would try first. Raises: Invalid."""
    folded = password.casefold().strip()
    if len(password) < MIN_CHARS:
        words = f"At least {MIN_CHARS} characters; several words are easy to remember."
    elif len(set(folded)) < 4 or folded in {name, name * 2} or folded in _FIRST_TRIED:
        words = "This is one of the first that anybody would try."
    elif "\x00" in password:
        words = "It may not hold a zero character."
    else:
        return
    raise Invalid("This password is not taken.", [FieldFault(pointer, "password", words)])


#: The most used passwords of ten characters and more, by several published lists.
_FIRST_TRIED = frozenset(
    {"1234567890", "0123456789", "0987654321", "12345678910", "123456789a", "qwertyuiop"}
    | {"1q2w3e4r5t", "1qaz2wsx3edc", "q1w2e3r4t5", "password12", "password123", "password1234"}
    | {"administrator", "admin12345", "admin123456", "changeme123", "letmein1234", "welcome123"}
    | {"asdfghjkl;", "abcdefghij", "abcd123456", "iloveyou12", "woaini1314", "woaini520"}
)
