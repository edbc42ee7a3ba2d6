"""The cookie of a console session: given, read, taken back (issue 5: HttpOnly, SameSite=Strict)."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from wunder.api.asgi import Header

if TYPE_CHECKING:
    from litestar import Response

    from wunder.api.admin_request import AdminRequest
    from wunder.people.sign_in import Opened

COOKIE = "wunder_session"
#: Longer than ours are; nobody looks at more.
MAX_CHARS = 200


def session_cookie_of(headers: Iterable[Header]) -> str:
    """Return the session's cookie, "" where there is none."""
    return cookie_of(headers, COOKIE, MAX_CHARS)


def cookie_of(headers: Iterable[Header], wanted: str, max_chars: int) -> str:
    """Return one cookie, "" where there is none, or more than one: then none can be meant."""
    found = [
        value.strip()
        for name, line in headers
        if name == b"cookie"
        for key, _, value in (part.partition("=") for part in line.decode("latin-1").split(";"))
        if key.strip() == wanted
    ]
    return found[0] if len(found) == 1 and len(found[0]) <= max_chars else ""


def put_session(answer: "Response[Any]", opened: "Opened", request: "AdminRequest") -> None:
    """Give the browser the cookie of a new session."""
    answer.set_cookie(
        COOKIE,
        opened.cookie,
        max_age=request.parts.people.policy.session_s,
        path="/wunder",
        httponly=True,
        samesite="strict",
        secure=is_secure(request),
    )


def clear(answer: "Response[Any]", request: "AdminRequest") -> None:
    """Have the browser forget the cookie."""
    answer.set_cookie(
        COOKIE, "", max_age=0, path="/wunder", httponly=True, samesite="strict",
        secure=is_secure(request),
    )  # fmt: skip


def is_secure(request: "AdminRequest") -> bool:
    """True where the page came over TLS, here or at a proxy that is believed."""
    return request.is_over_tls or request.parts.people.policy.secure_cookie == "always"
