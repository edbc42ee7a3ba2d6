"""`users` and `user_sessions`: who may sign in, and who is signed in. Hashes only."""

from collections.abc import Sequence
from typing import Any

import msgspec

from wunder.errors import Conflict, NotFound
from wunder.model.ids import At
from wunder.people.person import SessionHash, User, UserId, UserSession
from wunder.store.reads import Reads
from wunder.store.unit import RowExists, Transaction, Works, doing

_USER = """user_id, name, display_name, role, password_hash, oidc_subject, created_at, created_by,
  updated_at, disabled_at, rev"""
_USER_FIELDS = tuple(name.strip() for name in _USER.split(","))
_ALL = f"SELECT {_USER} FROM users ORDER BY name"  # noqa: S608 - constant
_BY_NAME = f"SELECT {_USER} FROM users WHERE name = ?"  # noqa: S608 - constant
_BY_ID = f"SELECT {_USER} FROM users WHERE user_id = ?"  # noqa: S608 - constant
_ADD = f"INSERT INTO users ({_USER}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608 - constant
_UPDATE = """
UPDATE users SET name = ?, display_name = ?, role = ?, password_hash = ?, oidc_subject = ?,
  updated_at = ?, disabled_at = ?, rev = ? WHERE user_id = ?
"""
_OTHER_ADMIN = """
SELECT 1 FROM users WHERE role = 'admin' AND disabled_at IS NULL AND user_id <> ? LIMIT 1
"""
_SESSION = """session_hash, session_id, user_id, created_at, seen_at, expires_at, confirmed_at,
  remote_addr, user_agent"""
_SESSION_FIELDS = tuple(name.strip() for name in _SESSION.split(","))
_FIND = f"""
SELECT {", ".join(f"s.{name}" for name in _SESSION_FIELDS)}, {", ".join(f"u.{name}" for name in _USER_FIELDS)}
FROM user_sessions s JOIN users u ON u.user_id = s.user_id WHERE s.session_hash = ?
"""  # noqa: S608 - constant
_OPEN = f"INSERT INTO user_sessions ({_SESSION}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608 - constant
_TOUCH = """
UPDATE user_sessions SET seen_at = ?, confirmed_at = coalesce(?, confirmed_at) WHERE session_hash = ?
"""
_OF = f"SELECT {_SESSION} FROM user_sessions WHERE user_id = ? ORDER BY created_at DESC"  # noqa: S608 - constant
_LIVING = """
SELECT s.session_hash FROM user_sessions s JOIN users u ON u.user_id = s.user_id
WHERE s.session_hash IN ({marks}) AND s.expires_at > ? AND s.seen_at > ? AND u.disabled_at IS NULL
"""
_ALONE = "users"


class SqlUserTable:
    """Port UserTable."""

    def __init__(self, writer: Works, reader: Reads) -> None:
        self._writer = writer
        self._reader = reader

    async def all(self) -> list[User]:
        """Everybody, disabled ones too, by name."""
        return [_user(row) for row in await self._reader.rows(_ALL)]

    async def by_name(self, name: str) -> User | None:
        """Who signs in with this name."""
        rows = await self._reader.rows(_BY_NAME, name)
        return _user(rows[0]) if rows else None

    async def add(self, user: User, *, is_first: bool = False) -> None:
        """Keep a new user. Raises: Conflict `user_exists`, `not_first`."""

        async def unit(tx: Transaction) -> None:
            await tx.alone(_ALONE)
            if is_first and await tx.first("SELECT 1 FROM users LIMIT 1") is not None:
                raise Conflict("There are users already: sign in.", reason="not_first")
            try:
                await tx.run(_ADD, tuple(getattr(user, name) for name in _USER_FIELDS))
            except RowExists as error:
                raise _taken() from error

        await self._writer.work(unit)

    async def update(self, user: User, expected_rev: int | None) -> User:
        """Write a user anew. Raises: Conflict `rev`, `user_exists`, `last_admin`; NotFound."""
        return await self._writer.work(lambda tx: _update(tx, user, expected_rev))

    async def remove(self, user_id: UserId) -> None:
        """Forget a user and end their sessions. Raises: NotFound; Conflict `last_admin`."""

        async def unit(tx: Transaction) -> None:
            await tx.alone(_ALONE)
            found = await tx.first(_BY_ID, (user_id,))
            if found is None:
                raise NotFound("There is no such user.")
            await _keep_an_admin(tx, _user(found), None)
            await tx.run("DELETE FROM user_sessions WHERE user_id = ?", (user_id,))
            await tx.run("DELETE FROM users WHERE user_id = ?", (user_id,))

        await self._writer.work(unit)


class SqlSessionTable:
    """Ports SessionTable and SessionEnds."""

    def __init__(self, writer: Works, reader: Reads) -> None:
        self._writer = writer
        self._reader = reader

    async def add(self, session: UserSession) -> None:
        """Keep a new session."""
        values = tuple(getattr(session, name) for name in _SESSION_FIELDS)
        await self._writer.work(doing(_OPEN, values))

    async def find(self, session_hash: SessionHash) -> tuple[UserSession, User] | None:
        """A session and whose it is."""
        rows = await self._reader.rows(_FIND, session_hash)
        if not rows:
            return None
        cut = len(_SESSION_FIELDS)
        return _session(rows[0][:cut]), _user(rows[0][cut:])

    async def touch(
        self, session_hash: SessionHash, *, seen_at: At, confirmed_at: At | None = None
    ) -> None:
        """Note that it was used, and that the password was given."""
        await self._writer.work(doing(_TOUCH, (seen_at, confirmed_at, session_hash)))

    async def living(
        self, hashes: Sequence[SessionHash], now: At, idle_ms: int
    ) -> set[SessionHash]:
        """Which of these are valid now."""
        if not hashes:
            return set()
        sql = _LIVING.format(marks=", ".join("?" * len(hashes)))
        rows = await self._reader.rows(sql, *hashes, now, now - idle_ms)
        return {SessionHash(bytes(row[0])) for row in rows}

    async def of(self, user_id: UserId) -> list[UserSession]:
        """The sessions of a user, newest first."""
        return [_session(row) for row in await self._reader.rows(_OF, user_id)]

    async def end(self, user_id: UserId, *, but: SessionHash | None = None) -> int:
        """End every session of a user, but for one; how many."""

        async def unit(tx: Transaction) -> int:
            sql = "DELETE FROM user_sessions WHERE user_id = ? AND session_hash <> ?"
            return (await tx.run(sql, (user_id, but or b""))).rowcount

        return await self._writer.work(unit)

    async def remove(self, session_hash: SessionHash) -> None:
        """End one session."""
        sql = "DELETE FROM user_sessions WHERE session_hash = ?"
        await self._writer.work(doing(sql, (session_hash,)))

    async def forget_old(self, now: At, idle_ms: int) -> int:
        """Remove the rows of sessions that are over; how many."""

        async def unit(tx: Transaction) -> int:
            sql = "DELETE FROM user_sessions WHERE expires_at <= ? OR seen_at <= ?"
            return (await tx.run(sql, (now, now - idle_ms))).rowcount

        return await self._writer.work(unit)


async def _update(tx: Transaction, user: User, expected_rev: int | None) -> User:
    await tx.alone(_ALONE)
    found = await tx.first(_BY_ID + tx.for_update, (user.user_id,))
    if found is None:
        raise NotFound("There is no such user.")
    before = _user(found)
    if expected_rev is not None and expected_rev != before.rev:
        words = f"The user was changed meanwhile: it has rev {before.rev}."
        raise Conflict(words, reason="rev", state={"rev": before.rev})
    await _keep_an_admin(tx, before, user)
    stored = msgspec.structs.replace(user, rev=before.rev + 1)
    values = (
        stored.name,
        stored.display_name,
        stored.role,
        stored.password_hash,
        stored.oidc_subject,
        stored.updated_at,
        stored.disabled_at,
        stored.rev,
        stored.user_id,
    )
    try:
        await tx.run(_UPDATE, values)
    except RowExists as error:
        raise _taken() from error
    return stored


async def _keep_an_admin(tx: Transaction, before: User, after: User | None) -> None:
    """Refuse to leave nobody who may administer. Raises: Conflict `last_admin`."""
    if not _administers(before) or (after is not None and _administers(after)):
        return
    if await tx.first(_OTHER_ADMIN, (before.user_id,)) is None:
        words = "This is the last administrator who may sign in: make another one first."
        raise Conflict(words, reason="last_admin")


def _administers(user: User) -> bool:
    return user.role == "admin" and user.disabled_at is None


def _taken() -> Conflict:
    return Conflict("Somebody has this name already.", reason="user_exists")


def _user(row: Sequence[Any]) -> User:
    return User(**dict(zip(_USER_FIELDS, row, strict=True)))


def _session(row: Sequence[Any]) -> UserSession:
    fields = dict(zip(_SESSION_FIELDS, row, strict=True))
    return UserSession(**{**fields, "session_hash": SessionHash(bytes(row[0]))})
