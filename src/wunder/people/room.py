"""Everything about people in one place, for whoever wires it and whoever asks."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from wunder.people.oidc import OidcDesk
from wunder.people.passwords import Passwords
from wunder.people.policy import PeoplePolicy
from wunder.people.sign_in import SignInDesk, SignInParts
from wunder.people.tables import SessionEnds, SessionTable, UserTable
from wunder.people.users import UserDesk, UserParts
from wunder.ports import Clock, EventLog


class PeopleTables(Protocol):
    """The tables that a store has for people."""

    @property
    def users(self) -> UserTable:
        """Who may sign in."""

    @property
    def sessions(self) -> SessionTable:
        """Who is signed in."""

    @property
    def session_ends(self) -> SessionEnds:
        """How that ends."""


@dataclass(frozen=True, slots=True)
class Room:
    """The desks; `oidc` is None where no outside sign-in is set up."""

    policy: PeoplePolicy
    users: UserDesk
    sign_in: SignInDesk
    oidc: OidcDesk | None = None


def open_room(
    tables: PeopleTables,
    events: EventLog,
    clock: Clock,
    policy: PeoplePolicy,
    owns_accounts: Callable[[str], bool],
    source_key: Callable[[str], str],
) -> Room:
    """Build the desks over a store's tables.

    Args:
        tables: the store's.
        events: where changes are told.
        clock: for ends and locks.
        policy: settings.
        owns_accounts: whether a user owns any account.
        source_key: which addresses are one source.
    """
    passwords = Passwords(policy)
    users = UserDesk(
        UserParts(
            users=tables.users,
            sessions=tables.sessions,
            passwords=passwords,
            events=events,
            clock=clock,
            owns_accounts=owns_accounts,
        )
    )
    sign_in = SignInDesk(
        SignInParts(
            users=tables.users,
            sessions=tables.sessions,
            ends=tables.session_ends,
            clock=clock,
            policy=policy,
            passwords=passwords,
            source_key=source_key,
        )
    )
    return Room(policy, users, sign_in)
