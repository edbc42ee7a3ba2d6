"""Signing in: a password becomes a session, a cookie is recognised again, until one of both ends."""

import contextlib
import hashlib
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import msgspec

from wunder.errors import Conflict, NotAllowed, RequestRefused
from wunder.model.ids import At, new_id
from wunder.observe.logs import get_logger
from wunder.people.passwords import Passwords
from wunder.people.person import SessionHash, User, UserSession
from wunder.people.policy import PeoplePolicy
from wunder.people.tables import SessionEnds, SessionTable, UserTable
from wunder.people.throttle import Throttle
from wunder.ports import Clock

log = get_logger(__name__)

COOKIE_BYTES = 32
#: A session that is used is written down once in so long: a page asks many things a minute.
TOUCH_EVERY_MS = 60_000


@dataclass(frozen=True, slots=True)
class Whence:
    """Where a request comes from: for the lock-out, the audit and the list of sessions."""

    remote_addr: str
    user_agent: str = ""


@dataclass(frozen=True, slots=True)
class Opened:
    """A session, whose it is, and the cookie that proves it. Never logged."""

    user: User
    session: UserSession
    cookie: str

    def __repr__(self) -> str:
        return f"Opened({self.user.name})"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInParts:
    """What signing in works with. `source_key` says which addresses are one source."""

    users: UserTable
    sessions: SessionTable
    ends: SessionEnds
    clock: Clock
    policy: PeoplePolicy
    passwords: Passwords
    source_key: Callable[[str], str] = str


class SignInDesk:
    """Opens, recognises, confirms and ends sessions."""

    def __init__(self, parts: SignInParts) -> None:
        self._parts = parts
        self._throttle = Throttle(parts.policy)
        self._idle_ms = parts.policy.idle_s * 1000

    async def by_password(self, name: str, password: str, whence: Whence) -> Opened:
        """Open a session for whoever knows the password.

        Raises: RequestRefused 401 `sign_in_failed`, the same whatever was wrong; 429 with the time to
            wait after several failures, whether the name exists or not.
        """
        name = name.strip().casefold()
        user = await self._parts.users.by_name(name)
        return await self.open(await self._proved(name, user, password, whence), whence)

    async def open_outside(self, user: User, whence: Whence, confirmed_at: At) -> Opened:
        """Open a session for a user whom another server vouches for, who gave the password there then.

        Raises: NotAllowed where the user is locked.
        """
        if user.disabled_at is not None:
            raise NotAllowed("This user is locked: ask an administrator.")
        return await self.open(user, whence, confirmed_at)

    async def open(self, user: User, whence: Whence, confirmed_at: At | None = None) -> Opened:
        """Open a session for a user who has proved to be one, just now or at `confirmed_at`."""
        now = self._parts.clock.now()
        cookie = secrets.token_urlsafe(COOKIE_BYTES)
        session = UserSession(
            session_hash=_hash(cookie),
            session_id=new_id(),
            user_id=user.user_id,
            created_at=now,
            seen_at=now,
            expires_at=At(now + self._parts.policy.session_s * 1000),
            confirmed_at=now if confirmed_at is None else confirmed_at,
            remote_addr=whence.remote_addr,
            user_agent=whence.user_agent[:200],
        )
        await self._parts.ends.forget_old(now, self._idle_ms)
        await self._parts.sessions.add(session)
        log.info("signed_in", user_id=user.user_id, session_id=session.session_id)
        return Opened(user, session, cookie)

    async def recognise(self, cookie: str) -> Opened | None:
        """Return the valid session of a cookie, None for anything else.

        Looked up by the hash of 256 random bits: how long it takes tells nothing of a cookie.
        """
        found = await self._parts.sessions.find(_hash(cookie))
        if found is None:
            return None
        session, user = found
        now = self._parts.clock.now()
        if user.disabled_at is not None or not session.is_valid(now, self._idle_ms):
            return None
        if now - session.seen_at >= TOUCH_EVERY_MS:
            await self._parts.sessions.touch(session.session_hash, seen_at=now)
        return Opened(user, session, cookie)

    async def confirm(self, opened: Opened, password: str, whence: Whence) -> Opened:
        """Note that the person gave the password again. Raises: as by_password."""
        await self._proved(opened.user.name, opened.user, password, whence)
        now = self._parts.clock.now()
        session = opened.session
        await self._parts.sessions.touch(session.session_hash, seen_at=now, confirmed_at=now)
        confirmed = msgspec.structs.replace(session, seen_at=now, confirmed_at=now)
        return Opened(opened.user, confirmed, opened.cookie)

    async def sign_out(self, opened: Opened) -> None:
        """End a session."""
        await self._parts.ends.remove(opened.session.session_hash)
        log.info("signed_out", user_id=opened.user.user_id, session_id=opened.session.session_id)

    async def living(self, hashes: Sequence[SessionHash]) -> set[SessionHash]:
        """Return which of these sessions still hold: one question for all open streams."""
        return await self._parts.sessions.living(hashes, self._parts.clock.now(), self._idle_ms)

    async def _proved(self, name: str, user: User | None, password: str, whence: Whence) -> User:
        """Return the user whose password this is, under lock-out. Raises: RequestRefused 401, 429."""
        clock, source = self._parts.clock, self._parts.source_key(whence.remote_addr)
        wait_s = self._throttle.wait_s(source, name, clock.monotonic())
        if wait_s:
            raise RequestRefused(429, "sign_in_failed", retry_after_s=wait_s)
        # Counted before it is looked at: many at once are many tries.
        self._throttle.failed(source, name, clock.monotonic())
        stored = "" if user is None or user.disabled_at is not None else user.password_hash
        if not await self._parts.passwords.verify(stored, password) or user is None:
            log.info("sign_in_failed", remote_addr=whence.remote_addr)
            raise RequestRefused(401, "sign_in_failed")
        self._throttle.succeeded(source, name)
        if await self._parts.passwords.is_outdated(stored):
            hashed = await self._parts.passwords.hash(password)
            with contextlib.suppress(Conflict):  # changed at this moment: the next time, then
                changed = msgspec.structs.replace(user, password_hash=hashed)
                await self._parts.users.update(changed, user.rev)
        return user


def _hash(cookie: str) -> SessionHash:
    return SessionHash(hashlib.sha256(cookie.encode("utf-8", "surrogatepass")).digest())
