"""What is written about people, and what is shown of them: never a password or the hash of one."""

from typing import Annotated

import msgspec
from msgspec import UNSET, UnsetType

from wunder.model.ids import At
from wunder.people.person import Role

#: Choices: longer than any password manager makes, and little work for a hash.
MAX_PASSWORD_CHARS = 256
Password = Annotated[str, msgspec.Meta(max_length=MAX_PASSWORD_CHARS)]
Name = Annotated[str, msgspec.Meta(max_length=64)]
DisplayName = Annotated[str, msgspec.Meta(max_length=100)]


class UserDraft(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A new user. Without a password they sign in through OIDC, or once somebody sets one."""

    name: Name
    role: Role
    display_name: DisplayName = ""
    password: Password | None = None


class UserChanges(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Some fields of a user; being disabled ends every session."""

    display_name: DisplayName | UnsetType = UNSET
    role: Role | UnsetType = UNSET
    is_disabled: bool | UnsetType = UNSET


class UserView(msgspec.Struct, frozen=True, kw_only=True):
    """A user as shown."""

    user_id: str
    name: str
    display_name: str
    role: Role
    has_password: bool
    is_external: bool  # signs in through OIDC
    is_disabled: bool
    created_at: At
    created_by: str
    updated_at: At
    rev: int


class SessionView(msgspec.Struct, frozen=True, kw_only=True):
    """A session as shown. `is_this` marks the one that asks."""

    session_id: str
    created_at: At
    seen_at: At
    expires_at: At
    remote_addr: str
    user_agent: str
    is_this: bool = False


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """Who is signed in."""

    user_id: str
    name: str
    display_name: str
    role: Role
    has_password: bool


class SignedIn(msgspec.Struct, frozen=True, kw_only=True):
    """A session of the console. `csrf` goes into the header X-Wunder-CSRF of every unsafe request.

    `confirmed_until`: until then approvals, trust and secrets are taken without the password again.
    """

    user: Person
    csrf: str
    scopes: tuple[str, ...]
    expires_at: At
    confirmed_until: At
