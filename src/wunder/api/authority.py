"""Who calls: the token or the session of a request, and whether it holds the scope that is asked for."""

import hmac

from wunder.api.asgi import Scope
from wunder.api.caller import Caller, csrf_of
from wunder.api.cookies import session_cookie_of
from wunder.api.credentials import CSRF_HEADER, bearer_of
from wunder.api.parts import ApiParts
from wunder.api.scopes import PERSON
from wunder.errors import NotAllowed, RequestRefused

_SAFE = frozenset({"GET", "HEAD"})
#: Rule 16; secrets are asked for where a body holds any.
_ASKED_AGAIN = frozenset({"approve", "trust"})


def token_needed() -> RequestRefused:
    """Make the refusal of a request that carries no valid token."""
    return RequestRefused(401, "token_needed")


async def authorised(asgi: Scope, scope: str, parts: ApiParts) -> Caller:
    """Return who makes a request that asks for `scope`.

    Raises: RequestRefused 401 where nobody is known, 403 `csrf`, 403 `password_needed` for a person whose
        password was given too long ago; NotAllowed.
    """
    caller = await _caller(asgi, parts)
    if caller is None:
        raise token_needed()
    asgi["auth"] = caller  # a refusal is written down with who was refused
    if scope == PERSON:
        if caller.person is None:
            raise NotAllowed("This is for people: a token has no session.")
    elif not caller.holds(scope):
        who = "token" if caller.person is None else "role"
        raise NotAllowed(f"This {who} lacks the scope `{scope}`.")
    if scope in _ASKED_AGAIN and not caller.is_fresh(
        parts.clock.now(), parts.people.policy.confirmed_s
    ):
        raise RequestRefused(403, "password_needed")
    return caller


def refuse_other_sites(asgi: Scope) -> None:
    """Refuse what a page of another site has a browser ask for; other programs say nothing of it."""
    site = _header(asgi, b"sec-fetch-site")
    if asgi["method"] not in _SAFE and site not in {"", "same-origin", "none"}:
        raise RequestRefused(403, "cross_site")


async def _caller(asgi: Scope, parts: ApiParts) -> Caller | None:
    """Find who calls. A token stands before a cookie: it was put there on purpose."""
    if any(name == b"authorization" for name, _ in asgi["headers"]):
        token = parts.tokens.check(bearer_of(asgi["headers"]))
        return None if token is None else Caller(token=token)
    cookie = session_cookie_of(asgi["headers"])
    if not cookie:
        return None
    opened = await parts.people.sign_in.recognise(cookie)
    if opened is None:
        return None
    if asgi["method"] not in _SAFE:
        refuse_other_sites(asgi)
        given = _header(asgi, CSRF_HEADER.encode())
        if not hmac.compare_digest(given.encode(), csrf_of(cookie).encode()):
            raise RequestRefused(403, "csrf")
    return Caller(person=opened)


def _header(asgi: Scope, wanted: bytes) -> str:
    values = [value for name, value in asgi["headers"] if name == wanted]
    return values[0].decode("latin-1").strip() if len(values) == 1 else ""
