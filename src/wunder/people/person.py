"""People who sign in to the console: a user, their session, and what their role lets them do."""

from typing import Literal, NewType

import msgspec

from wunder.model.ids import At

UserId = NewType("UserId", str)  # a person who signs in to the console
SessionHash = NewType("SessionHash", bytes)  # SHA-256 of a console session's cookie
Role = Literal["viewer", "operator", "admin", "user"]
ROLES: tuple[Role, ...] = ("viewer", "operator", "admin", "user")


class User(msgspec.Struct, frozen=True, kw_only=True):
    """One row of `users`. Never shown as it is: it holds the hash of the password."""

    user_id: UserId
    name: str  # what is typed to sign in; lower case, unique
    display_name: str
    role: Role
    password_hash: str  # argon2id in PHC form; "" where the sign-in is somebody else's
    oidc_subject: str = ""  # issuer and subject of an outside sign-in
    created_at: At = At(0)
    created_by: str = ""
    updated_at: At = At(0)
    disabled_at: At | None = None
    rev: int = 1

    def __repr__(self) -> str:
        return f"User({self.name}, {self.role})"


class UserSession(msgspec.Struct, frozen=True, kw_only=True):
    """One row of `user_sessions`. `session_hash` is SHA-256 of a cookie of 256 random bits."""

    session_hash: SessionHash
    session_id: str
    user_id: UserId
    created_at: At
    seen_at: At
    expires_at: At
    confirmed_at: At  # when the password was last given
    remote_addr: str = ""
    user_agent: str = ""

    def is_valid(self, now: At, idle_ms: int) -> bool:
        """True while it has neither ended nor been left alone for too long."""
        return now < self.expires_at and now - self.seen_at < idle_ms
