"""Signing in and out: a password becomes a cookie; the password is asked again for what matters."""

import msgspec
from litestar import Response, delete, get, post, put
from litestar.params import JSONBody

from wunder.api.admin_request import AdminRequest
from wunder.api.caller import csrf_of
from wunder.api.cookies import clear, put_session
from wunder.api.scopes import scopes_of
from wunder.errors import RequestRefused
from wunder.model.ids import At
from wunder.people.describe import person_of, session_view
from wunder.people.drafts import Name, Password, SessionView, SignedIn
from wunder.people.policy import PeoplePolicy
from wunder.people.sign_in import Opened
from wunder.ports import Page

PATH = "/wunder/session"
TAGS = ["Sign-in"]


class SignIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A name and its password."""

    name: Name
    password: Password


class Confirm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The password of whoever is signed in."""

    password: Password


class NewPassword(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The password so far, and the one to come."""

    old: Password
    new: Password


class OidcOption(msgspec.Struct, frozen=True):
    """Sign-in by somebody else's server: go to `url`."""

    label: str
    url: str


class SignInOptions(msgspec.Struct, frozen=True):
    """How one can sign in here. `needs_setup`: nobody can yet; the gateway printed a link."""

    needs_setup: bool
    oidc: OidcOption | None
    version: str


class Ended(msgspec.Struct, frozen=True):
    """How many sessions ended."""

    ended: int


def signed_in(opened: Opened, policy: PeoplePolicy) -> SignedIn:
    """Describe a session to whoever holds its cookie."""
    confirmed_until = At(opened.session.confirmed_at + policy.confirmed_s * 1000)
    return SignedIn(
        user=person_of(opened.user),
        csrf=csrf_of(opened.cookie),
        scopes=scopes_of(opened.user.role),
        expires_at=opened.session.expires_at,
        confirmed_until=confirmed_until,
    )


@get(
    f"{PATH}/options",
    operation_id="get_sign_in_options",
    tags=TAGS,
    summary="Ask how one can sign in",
)
async def get_options(request: AdminRequest) -> SignInOptions:
    """What a sign-in page shows, before anybody is known."""
    people = request.parts.people
    oidc = people.oidc
    return SignInOptions(
        needs_setup=await people.users.nobody_yet(),
        oidc=None if oidc is None else OidcOption(oidc.label, f"{PATH}/oidc"),
        version=request.parts.version,
    )


@post(
    PATH,
    operation_id="sign_in",
    tags=TAGS,
    summary="Sign in",
    status_code=200,
    opt={"example": {"name": "alice", "password": "correct horse battery"}},
)
async def sign_in(data: JSONBody[SignIn], request: AdminRequest) -> Response[SignedIn]:
    """Take name and password, give a cookie (`wunder_session`) and the CSRF token that goes with it.

    Every failure is the same 401, whatever was wrong; after several, 429 with `Retry-After`.
    """
    people = request.parts.people
    try:
        opened = await people.sign_in.by_password(data.name, data.password, request.whence)
    except RequestRefused:
        # A name that nobody has may be a password in the wrong field: it is not written down.
        known = data.name if await people.users.is_known(data.name) else ""
        request.note("nobody", "sign_in_failed", known)
        raise
    request.note(f"user:{opened.user.name}", "signed_in", opened.user.name)
    answer = Response(signed_in(opened, people.policy))
    put_session(answer, opened, request)
    return answer


@get(PATH, operation_id="get_session", tags=TAGS, summary="Show who is signed in")
async def get_session(request: AdminRequest) -> SignedIn:
    """Who is signed in, and the CSRF token of the session; 401 where nobody is."""
    return signed_in(request.session_of_person, request.parts.people.policy)


@delete(PATH, operation_id="sign_out", tags=TAGS, summary="Sign out", status_code=200)
async def sign_out(request: AdminRequest) -> Response[Ended]:
    """End this session; streams that it opened close within 5 seconds."""
    await request.parts.people.sign_in.sign_out(request.session_of_person)
    answer = Response(Ended(1))
    clear(answer, request)
    return answer


@post(
    f"{PATH}/confirm",
    operation_id="confirm_password",
    tags=TAGS,
    summary="Give the password again",
    status_code=200,
    opt={"example": {"password": "correct horse battery"}},
)
async def confirm_password(data: JSONBody[Confirm], request: AdminRequest) -> SignedIn:
    """For 5 minutes approvals, trust and secrets are taken from this session (rule 16)."""
    people = request.parts.people
    opened = await people.sign_in.confirm(request.session_of_person, data.password, request.whence)
    return signed_in(opened, people.policy)


@put(
    f"{PATH}/password",
    operation_id="change_own_password",
    tags=TAGS,
    summary="Change one's own password",
    opt={"example": {"old": "correct horse battery", "new": "purple giraffe umbrella"}},
)
async def change_own_password(data: JSONBody[NewPassword], request: AdminRequest) -> Ended:
    """Change it, and end every other session of the same person."""
    people = request.parts.people
    session = request.session_of_person
    await people.sign_in.confirm(session, data.old, request.whence)
    return Ended(
        await people.users.set_password(session.user.user_id, data.new, request.by, session)
    )


@get(f"{PATH}/others", operation_id="list_own_sessions", tags=TAGS, summary="List one's sessions")
async def list_own_sessions(request: AdminRequest) -> Page[SessionView]:
    """Every session of the same person, this one too, newest first."""
    mine = request.session_of_person
    found = await request.parts.people.users.sessions(mine.user.user_id)
    return Page(tuple(session_view(one, mine.session.session_id) for one in found))


@delete(
    f"{PATH}/others",
    operation_id="end_other_sessions",
    tags=TAGS,
    summary="End one's other sessions",
    status_code=200,
)
async def end_other_sessions(request: AdminRequest) -> Ended:
    """End every session of the same person but this one."""
    mine = request.session_of_person
    return Ended(await request.parts.people.users.end_sessions(mine.user.user_id, request.by, mine))


HANDLERS = (
    get_options,
    sign_in,
    get_session,
    sign_out,
    confirm_password,
    change_own_password,
    list_own_sessions,
    end_other_sessions,
)
