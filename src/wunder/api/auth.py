"""The guard of every route of the framework: who calls, and whether they hold what the table asks for."""

from typing import Any, cast

from litestar.connection import ASGIConnection
from litestar.handlers.base import BaseRouteHandler

from wunder.api.authority import authorised, refuse_other_sites
from wunder.api.scopes import NEEDS_NOBODY, SCOPES

Connection = ASGIConnection[Any, Any, Any, Any]


async def require_scope(connection: Connection, handler: BaseRouteHandler) -> None:
    """Let a request through when its caller holds what the table asks for.

    Raises: RequestRefused 401 where nobody is known; NotAllowed (403) without the scope;
        KeyError for a route that is not in the table.
    """
    asgi = cast("dict[str, Any]", connection.scope)
    if asgi["method"] == "OPTIONS":  # the framework's own answer: which methods there are
        return
    scope = SCOPES[f"{asgi['method']} {asgi['path_template']}"]
    if scope in NEEDS_NOBODY:
        refuse_other_sites(asgi)
        return
    await authorised(asgi, scope, connection.app.state.parts)
