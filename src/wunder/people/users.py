"""The user desk: people are made, given roles and passwords, locked and removed."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from msgspec import UNSET

from wunder.errors import Conflict, FieldFault, Invalid, NotFound
from wunder.model.ids import new_id
from wunder.model.trail import Event
from wunder.observe.logs import get_logger
from wunder.people.drafts import UserChanges, UserDraft
from wunder.people.passwords import Passwords, refuse_weak
from wunder.people.person import Role, User, UserId, UserSession
from wunder.people.sign_in import Opened
from wunder.people.tables import SessionTable, UserTable
from wunder.ports import Clock, EventLog

log = get_logger(__name__)
NAME = re.compile(r"[a-z0-9][a-z0-9._@+-]{0,63}")


@dataclass(frozen=True, slots=True, kw_only=True)
class UserParts:
    """What the desk works with. `owns_accounts` tells whether a user owns any account."""

    users: UserTable
    sessions: SessionTable
    passwords: Passwords
    events: EventLog
    clock: Clock
    owns_accounts: Callable[[str], bool]


class UserDesk:
    """Lists, makes, changes and removes users."""

    def __init__(self, parts: UserParts) -> None:
        self._parts = parts

    async def nobody_yet(self) -> bool:
        """True while there is no user at all."""
        return not await self._parts.users.all()

    async def is_known(self, name: str) -> bool:
        """True where somebody has this sign-in name."""
        return await self._parts.users.by_name(name.strip().casefold()) is not None

    def refuse(self, draft: UserDraft) -> str:
        """Return the sign-in name of a draft. Raises: Invalid where name or password is not taken."""
        name = draft.name.strip().casefold()
        refuse_name(name)
        _refuse_display_name(draft.display_name)
        if draft.password is not None:
            refuse_weak(draft.password, name, "/password")
        return name

    async def list(self) -> Sequence[User]:
        """Return everybody by name."""
        return await self._parts.users.all()

    async def get(self, user_id: str) -> User:
        """Return one user. Raises: NotFound."""
        for user in await self._parts.users.all():
            if user.user_id == user_id:
                return user
        raise NotFound("There is no such user.")

    async def create(self, draft: UserDraft, by: str, *, is_first: bool = False) -> User:
        """Make a user.

        Raises:
            Invalid: The name or the password is not taken.
            Conflict: `user_exists`; `not_first` where `is_first` and somebody is there.
        """
        name, hashed = self.refuse(draft), ""
        if draft.password is not None:
            hashed = await self._parts.passwords.hash(draft.password)
        user = self._new(name, draft.display_name, draft.role, by)
        user = msgspec.structs.replace(user, password_hash=hashed)
        await self._parts.users.add(user, is_first=is_first)
        self._record("user_created", user, by, role=user.role)
        return user

    async def from_outside(self, subject: str, name: str, display_name: str, role: Role) -> User:
        """Return the user of an outside sign-in, made or brought up to date. Raises: Conflict.

        A name that is taken is never taken over: the newcomer's gets a number.
        """
        everybody = await self._parts.users.all()
        for user in everybody:
            if user.oidc_subject == subject:
                if (user.role, user.display_name) == (role, display_name):
                    return user
                changed = msgspec.structs.replace(
                    user, role=role, display_name=display_name, updated_at=self._parts.clock.now()
                )
                stored = await self._parts.users.update(changed, user.rev)
                self._record("user_changed", stored, "oidc", role=role)
                return stored
        user = self._new(_free(name, {one.name for one in everybody}), display_name, role, "oidc")
        user = msgspec.structs.replace(user, oidc_subject=subject)
        await self._parts.users.add(user)
        self._record("user_created", user, "oidc", role=role)
        return user

    async def change(self, user_id: str, changes: UserChanges, rev: int | None, by: str) -> User:
        """Change name shown, role or lock; a lock or another role ends every session.

        Raises: NotFound; Conflict `rev`, `last_admin`; Invalid.
        """
        user = await self.get(user_id)
        now = self._parts.clock.now()
        told: dict[str, Any] = {}
        if changes.display_name is not UNSET:
            _refuse_display_name(changes.display_name)
            user = msgspec.structs.replace(user, display_name=changes.display_name)
        if changes.role is not UNSET and changes.role != user.role:
            told["role"] = [user.role, changes.role]
            user = msgspec.structs.replace(user, role=changes.role)
        if changes.is_disabled is not UNSET and changes.is_disabled != bool(user.disabled_at):
            told["is_disabled"] = changes.is_disabled
            at = now if changes.is_disabled else None
            user = msgspec.structs.replace(user, disabled_at=at)
        seen = user.rev if rev is None else rev
        stored = await self._parts.users.update(msgspec.structs.replace(user, updated_at=now), seen)
        if told:
            await self._parts.sessions.end(stored.user_id)
        self._record("user_changed", stored, by, **told)
        return stored

    async def set_password(
        self, user_id: str, password: str, by: str, but: Opened | None = None
    ) -> int:
        """Give a user a password and end their sessions, but for one; how many. Raises: Invalid, NotFound."""
        user = await self.get(user_id)
        refuse_weak(password, user.name, "/password" if but is None else "/new")
        hashed = await self._parts.passwords.hash(password)
        changed = msgspec.structs.replace(
            user, password_hash=hashed, updated_at=self._parts.clock.now()
        )
        stored = await self._parts.users.update(changed, user.rev)
        ended = await self._parts.sessions.end(user.user_id, but=_hash_of(but))
        self._record("password_set", stored, by)
        return ended

    async def sessions(self, user_id: str) -> Sequence[UserSession]:
        """Return where a user is signed in. Raises: NotFound."""
        return await self._parts.sessions.of((await self.get(user_id)).user_id)

    async def end_sessions(self, user_id: str, by: str, but: Opened | None = None) -> int:
        """End every session of a user, but for one; how many. Raises: NotFound."""
        user = await self.get(user_id)
        ended = await self._parts.sessions.end(user.user_id, but=_hash_of(but))
        self._record("sessions_ended", user, by, ended=ended)
        return ended

    async def remove(self, user_id: str, by: str) -> None:
        """Remove a user with their sessions. Raises: NotFound; Conflict `owns_accounts`, `last_admin`."""
        user = await self.get(user_id)
        if self._parts.owns_accounts(user_id):
            words = "Accounts are theirs: give them to somebody else, or lock the user instead."
            raise Conflict(words, reason="owns_accounts")
        await self._parts.users.remove(user.user_id)
        self._record("user_removed", user, by)

    def _new(self, name: str, display_name: str, role: Role, by: str) -> User:
        now = self._parts.clock.now()
        return User(
            user_id=UserId(new_id()),
            name=name,
            display_name=display_name,
            role=role,
            password_hash="",
            created_at=now,
            created_by=by,
            updated_at=now,
        )

    def _record(self, event: str, user: User, by: str, **told: Any) -> None:
        fields = {"by": by, "user_id": user.user_id, "name": user.name, **told}
        self._parts.events.record(Event(name=event, at=self._parts.clock.now(), fields=fields))
        log.info(event, user_id=user.user_id, by=by)


def refuse_name(name: str) -> None:
    """Refuse what is no sign-in name. Raises: Invalid."""
    if not NAME.fullmatch(name):
        words = "Begin with a-z or 0-9; then a-z, 0-9 and . _ @ + - up to 64 characters."
        raise Invalid(faults=[FieldFault("/name", "pattern", words)])


def _refuse_display_name(display_name: str) -> None:
    if not display_name.isprintable():
        words = "At most 100 printable characters."
        raise Invalid(faults=[FieldFault("/display_name", "text", words)])


def _free(wanted: str, taken: set[str]) -> str:
    base = re.sub(r"[^a-z0-9._@+-]", "-", wanted.casefold())[:56].lstrip("._@+-") or "user"
    number, name = 1, base
    while name in taken:
        number += 1
        name = f"{base}-{number}"
    return name


def _hash_of(opened: Opened | None) -> Any:
    return None if opened is None else opened.session.session_hash
