"""Who calls: the bearer token of a request, and whether it holds the scope of the endpoint."""

from typing import Any, cast

from litestar.connection import ASGIConnection
from litestar.handlers.base import BaseRouteHandler

from wunder.api.credentials import bearer_of
from wunder.api.parts import ApiParts
from wunder.api.scopes import PUBLIC, SCOPES, SETUP, TURN, holds
from wunder.errors import NotAllowed, RequestRefused

Connection = ASGIConnection[Any, Any, Any, Any]


def token_needed() -> RequestRefused:
    """Make the refusal of a request that carries no valid token."""
    return RequestRefused(401, "token_needed")


async def require_scope(connection: Connection, handler: BaseRouteHandler) -> None:
    """Let a request through when its token holds what the table asks for.

    Raises: RequestRefused 401 without a valid token; NotAllowed (403) without the scope;
        KeyError for a route that is not in the table.
    """
    asgi = cast("dict[str, Any]", connection.scope)
    if asgi["method"] == "OPTIONS":  # the framework's own answer: which methods there are
        return
    scope = SCOPES[f"{asgi['method']} {asgi['path_template']}"]
    if scope in {PUBLIC, SETUP, TURN}:
        return
    parts: ApiParts = connection.app.state.parts
    token = parts.tokens.check(bearer_of(asgi["headers"]))
    if token is None:
        raise token_needed()
    if not holds(token, scope):
        raise NotAllowed(f"This token lacks the scope `{scope}`.")
    asgi["auth"] = token
