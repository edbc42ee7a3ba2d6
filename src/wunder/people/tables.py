"""The tables of people: users, their sessions, and the audit."""

from collections.abc import Iterable, Sequence
from typing import Protocol

import msgspec

from wunder.model.ids import At, ChannelId
from wunder.people.audit import AuditEntry
from wunder.people.person import SessionHash, User, UserId, UserSession
from wunder.ports import Page


class UserTable(Protocol):
    """`users`."""

    async def all(self) -> list[User]:
        """Everybody, disabled ones too, by name."""

    async def by_name(self, name: str) -> User | None:
        """Who signs in with this name; None where nobody does."""

    async def add(self, user: User, *, is_first: bool = False) -> None:
        """Keep a new user.

        Raises: Conflict `user_exists`; `not_first` when `is_first` and somebody is there already.
        """

    async def update(self, user: User, expected_rev: int | None) -> User:
        """Write a user anew; as stored. Raises: Conflict `rev`, `user_exists`, `last_admin`; NotFound."""

    async def remove(self, user_id: UserId) -> None:
        """Forget a user and end their sessions. Raises: NotFound; Conflict `last_admin`, `owns_accounts`."""


class SessionTable(Protocol):
    """`user_sessions`: only hashes of cookies are stored; a session that ended has no row."""

    async def add(self, session: UserSession) -> None:
        """Keep a new session."""

    async def find(self, session_hash: SessionHash) -> tuple[UserSession, User] | None:
        """A session and whose it is; None where it has ended."""

    async def touch(
        self, session_hash: SessionHash, *, seen_at: At, confirmed_at: At | None = None
    ) -> None:
        """Note that it was used, and that the password was given; nothing where it has ended."""

    async def living(
        self, hashes: Sequence[SessionHash], now: At, idle_ms: int
    ) -> set[SessionHash]:
        """Which of these are valid now and belong to a user who may sign in."""

    async def of(self, user_id: UserId) -> list[UserSession]:
        """The sessions of a user, newest first."""

    async def end(self, user_id: UserId, *, but: SessionHash | None = None) -> int:
        """End every session of a user, but for one; how many."""


class SessionEnds(Protocol):
    """How single sessions of `user_sessions` end."""

    async def remove(self, session_hash: SessionHash) -> None:
        """End one session; one that has ended is fine."""

    async def forget_old(self, now: At, idle_ms: int) -> int:
        """Remove the rows of sessions that are over; how many."""


class AuditFilter(msgspec.Struct, frozen=True):
    """Which entries; empty fields match everything."""

    actor: str = ""
    action: str = ""
    subject: str = ""
    since: At | None = None
    until: At | None = None


class AuditLog(Protocol):
    """`audit`: written before the change is answered, newest first; nothing here changes a row."""

    async def add(self, entries: Sequence[AuditEntry]) -> None:
        """Keep entries."""

    async def entries(self, where: AuditFilter, limit: int, cursor: str) -> Page[AuditEntry]:
        """Entries that match, newest first."""


class VisibilityTable(Protocol):
    """`channel_visibility`: which channels users may connect accounts of."""

    async def visible(self) -> set[ChannelId]:
        """The channels that users see."""

    async def choose(
        self, channels: Iterable[ChannelId], *, is_visible: bool, at: At, by: str
    ) -> None:
        """Show channels to users, or hide them."""
