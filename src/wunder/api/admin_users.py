"""Users: made, given roles and passwords, locked, by administrators."""

import msgspec
from litestar import delete, get, patch, post, put
from litestar.params import FromPath, JSONBody

from wunder.api.admin_request import IF_MATCH, AdminRequest
from wunder.api.scopes import OWN, scopes_of
from wunder.api.sign_in import Ended
from wunder.errors import NotAllowed
from wunder.people.describe import session_view, user_view
from wunder.people.drafts import Password, SessionView, UserChanges, UserDraft, UserView
from wunder.people.person import Role
from wunder.ports import Page

PATH = "/wunder/admin/users"
ONE = f"{PATH}/{{user_id:str}}"
TAGS = ["Users"]


class SetPassword(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A password for somebody; their sessions end."""

    password: Password


@get(PATH, operation_id="list_users", tags=TAGS, summary="List the users")
async def list_users(request: AdminRequest) -> Page[UserView]:
    """Everybody, locked ones too, by name."""
    return Page(tuple(user_view(one) for one in await request.parts.people.users.list()))


@get(ONE, operation_id="get_user", tags=TAGS, summary="Show a user")
async def get_user(user_id: FromPath[str], request: AdminRequest) -> UserView:
    """One user."""
    return user_view(await request.parts.people.users.get(user_id))


@post(
    PATH,
    operation_id="create_user",
    tags=TAGS,
    summary="Make a user",
    opt={"example": {"name": "alice", "role": "operator", "password": "correct horse battery"}},
)
async def create_user(data: JSONBody[UserDraft], request: AdminRequest) -> UserView:
    """Make a user; a console session gives its own password again first (`password_needed`)."""
    request.require_fresh()
    _require_powers(data.role, request)
    return user_view(await request.parts.people.users.create(data, request.by))


@patch(
    ONE,
    operation_id="change_user",
    tags=TAGS,
    summary="Change a user",
    opt={"example": {"role": "viewer"}, "headers": [IF_MATCH]},
)
async def change_user(
    user_id: FromPath[str], data: JSONBody[UserChanges], request: AdminRequest
) -> UserView:
    """Change name, role or lock; the last administrator who may sign in stays one: 409 `last_admin`."""
    request.require_fresh()
    if data.role is not msgspec.UNSET:
        _require_powers(data.role, request)
    users = request.parts.people.users
    return user_view(await users.change(user_id, data, request.seen_rev(), request.by))


@put(
    f"{ONE}/password",
    operation_id="set_user_password",
    tags=TAGS,
    summary="Set a user's password",
    opt={"example": {"password": "purple giraffe umbrella"}},
)
async def set_user_password(
    user_id: FromPath[str], data: JSONBody[SetPassword], request: AdminRequest
) -> Ended:
    """Set it, and end their sessions."""
    request.require_fresh()
    users = request.parts.people.users
    _require_powers((await users.get(user_id)).role, request)  # a password is all that they may do
    return Ended(await users.set_password(user_id, data.password, request.by))


@get(
    f"{ONE}/sessions",
    operation_id="list_user_sessions",
    tags=TAGS,
    summary="List a user's sessions",
)
async def list_user_sessions(user_id: FromPath[str], request: AdminRequest) -> Page[SessionView]:
    """Where they are signed in, newest first."""
    return Page(
        tuple(session_view(one) for one in await request.parts.people.users.sessions(user_id))
    )


@delete(
    f"{ONE}/sessions",
    operation_id="end_user_sessions",
    tags=TAGS,
    summary="Sign a user out everywhere",
    status_code=200,
)
async def end_user_sessions(user_id: FromPath[str], request: AdminRequest) -> Ended:
    """End every session; streams that they opened close within 5 seconds."""
    return Ended(await request.parts.people.users.end_sessions(user_id, request.by))


@delete(ONE, operation_id="remove_user", tags=TAGS, summary="Remove a user")
async def remove_user(user_id: FromPath[str], request: AdminRequest) -> None:
    """Remove them; 409 `owns_accounts` while accounts are theirs, 409 `last_admin`."""
    request.require_fresh()
    await request.parts.people.users.remove(user_id, request.by)


def _require_powers(role: Role, request: AdminRequest) -> None:
    """Nobody hands out more than they have, to a person as little as to a token. Raises: NotAllowed."""
    powers = [scope for scope in scopes_of(role) if scope != OWN]
    if not all(request.caller.holds(scope) for scope in powers):
        raise NotAllowed("A role can be given only by who has all of its scopes.")


HANDLERS = (
    list_users,
    get_user,
    create_user,
    change_user,
    set_user_password,
    list_user_sessions,
    end_user_sessions,
    remove_user,
)
