"""Sign-in by somebody else's server: a browser is sent there, and comes back with an answer."""

from typing import Annotated

import msgspec
from litestar import Response, get

from wunder.api.admin_request import AdminRequest
from wunder.api.cookies import cookie_of, is_secure, put_session
from wunder.errors import NotFound, WunderError
from wunder.people.oidc import TICKET_S, OidcDesk

PATH = "/wunder/session/oidc"
TAGS = ["Sign-in"]
_TICKET = "wunder_oidc"
_CONSOLE = "/console/"
Short = Annotated[str, msgspec.Meta(max_length=4_096)]


class BeginQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`fresh`: the password is given there again, for approvals, trust and secrets."""

    fresh: bool = False


class BackQuery(msgspec.Struct, frozen=True):
    """What the other server sends along; `error` where it signed nobody in."""

    code: Short = ""
    state: Short = ""
    error: Short = ""


@get(
    PATH,
    operation_id="begin_oidc",
    tags=TAGS,
    summary="Go and sign in elsewhere",
    status_code=302,
    opt={"query": BeginQuery},
)
async def begin_oidc(request: AdminRequest) -> Response[None]:
    """Send a browser to the server that is set up; 404 where none is."""
    query = request.read_query(BeginQuery)
    try:
        url, ticket = await _desk(request).begin(is_fresh=query.fresh)
    except NotFound:
        raise
    except WunderError as error:
        return _back_with(error)
    answer = Response(None, status_code=302, headers={"Location": url})
    # Lax: the browser comes back from another site.
    answer.set_cookie(
        _TICKET,
        ticket,
        max_age=TICKET_S,
        path=PATH,
        httponly=True,
        samesite="lax",
        secure=is_secure(request),
    )
    return answer


@get(
    f"{PATH}/callback",
    operation_id="finish_oidc",
    tags=TAGS,
    summary="Come back from signing in elsewhere",
    status_code=302,
    opt={"query": BackQuery},
)
async def finish_oidc(request: AdminRequest) -> Response[None]:
    """Check what the other server says, sign in, go to the console.

    `#signed_in` tells the page to ask for its session; `#oidc_error=` says why there is none.
    """
    query, people = request.read_query(BackQuery), request.parts.people
    kept = cookie_of(request.scope["headers"], _TICKET, 4_096)
    try:
        outside = await _desk(request).finish(kept, "" if query.error else query.code, query.state)
        user = await people.users.from_outside(
            outside.subject, outside.name, outside.display_name, outside.role
        )
        opened = await people.sign_in.open_outside(user, request.whence, outside.confirmed_at)
    except NotFound:
        raise
    except WunderError as error:
        request.note("nobody", "sign_in_failed", "", oidc=True)
        return _back_with(error)
    request.note(f"user:{user.name}", "signed_in", user.name, oidc=True)
    answer = Response(None, status_code=302, headers={"Location": f"{_CONSOLE}#signed_in"})
    put_session(answer, opened, request)
    answer.set_cookie(_TICKET, "", max_age=0, path=PATH, httponly=True, samesite="lax")
    return answer


def _desk(request: AdminRequest) -> OidcDesk:
    desk = request.parts.people.oidc
    if desk is None:
        raise NotFound("No outside sign-in is set up.")
    return desk


def _back_with(error: WunderError) -> Response[None]:
    """Lead back to the page, which says it in the person's language."""
    code = getattr(error, "reason", "") or error.code
    return Response(None, status_code=302, headers={"Location": f"{_CONSOLE}#oidc_error={code}"})


HANDLERS = (begin_oidc, finish_oidc)
