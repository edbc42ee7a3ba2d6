"""From rows to what people see of people (pure)."""

from wunder.people.drafts import Person, SessionView, UserView
from wunder.people.person import User, UserSession


def user_view(user: User) -> UserView:
    """Describe a user to an administrator."""
    return UserView(
        user_id=user.user_id,
        name=user.name,
        display_name=user.display_name,
        role=user.role,
        has_password=bool(user.password_hash),
        is_external=bool(user.oidc_subject),
        is_disabled=user.disabled_at is not None,
        created_at=user.created_at,
        created_by=user.created_by,
        updated_at=user.updated_at,
        rev=user.rev,
    )


def session_view(session: UserSession, this_id: str = "") -> SessionView:
    """Describe a session; `this_id` names the one that asks."""
    return SessionView(
        session_id=session.session_id,
        created_at=session.created_at,
        seen_at=session.seen_at,
        expires_at=session.expires_at,
        remote_addr=session.remote_addr,
        user_agent=session.user_agent,
        is_this=session.session_id == this_id,
    )


def person_of(user: User) -> Person:
    """Describe a user to themselves."""
    return Person(
        user_id=user.user_id,
        name=user.name,
        display_name=user.display_name or user.name,
        role=user.role,
        has_password=bool(user.password_hash),
    )
