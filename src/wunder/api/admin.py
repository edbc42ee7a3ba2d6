"""The administrators' API: every route, guarded by the table of scopes, described by OpenAPI."""

import asyncio
from collections.abc import Sequence
from typing import Any

import msgspec
from litestar import Litestar, MediaType, Response, get
from litestar.config.app import AppConfig
from litestar.exceptions import HTTPException
from litestar.handlers import HTTPRouteHandler
from litestar.openapi import OpenAPIConfig
from litestar.plugins import PluginProtocol
from litestar.plugins.core import MsgspecDIPlugin

from wunder.api import (
    admin_accounts,
    admin_agents,
    admin_attachments,
    admin_audit,
    admin_bindings,
    admin_jobs,
    admin_messages,
    admin_monitor,
    admin_nodes,
    admin_outbox,
    admin_pairings,
    admin_plugins,
    admin_quarantine,
    admin_tallies,
    admin_tokens,
    admin_users,
    agent_replies,
    oidc,
    own,
    sign_in,
)
from wunder.api.admin_request import AdminRequest
from wunder.api.asgi import App
from wunder.api.auth import require_scope
from wunder.api.failures import on_bug, on_framework_error, on_wunder_error
from wunder.api.openapi import INFO, document_of
from wunder.api.parts import ApiParts
from wunder.api.upload import sweep
from wunder.errors import WunderError

HANDLERS: Sequence[HTTPRouteHandler] = (
    *admin_plugins.HANDLERS,
    *admin_monitor.HANDLERS,
    *admin_tallies.HANDLERS,
    *admin_nodes.HANDLERS,
    *admin_accounts.HANDLERS,
    *admin_bindings.HANDLERS,
    *admin_agents.HANDLERS,
    *admin_messages.HANDLERS,
    *admin_attachments.HANDLERS,
    *admin_outbox.HANDLERS,
    *admin_pairings.HANDLERS,
    *admin_jobs.HANDLERS,
    *admin_quarantine.HANDLERS,
    *admin_tokens.HANDLERS,
    *admin_users.HANDLERS,
    *admin_audit.HANDLERS,
    *sign_in.HANDLERS,
    *oidc.HANDLERS,
    *own.HANDLERS,
    *agent_replies.HANDLERS,
)


class AdminApp(Litestar):
    """Litestar with msgspec only: whatever else is installed would be imported for it."""

    @staticmethod
    def _get_default_plugins(plugins: list[PluginProtocol]) -> list[PluginProtocol]:
        # Measured: pydantic (here for the agents' sake) and attrs cost 8 MB and 100 ms more.
        return [*plugins, MsgspecDIPlugin()]


@get("/wunder/openapi.json", operation_id="get_openapi", include_in_schema=False)
async def get_openapi(request: AdminRequest) -> Response[bytes]:
    """Every endpoint of the gateway, as OpenAPI 3.1."""
    state = request.app.state
    if state.openapi is None:
        # Measured: 300 ms and 12 MB, which a gateway that nobody develops against need not pay.
        state.openapi = await asyncio.to_thread(_document, request.app)
    return Response(state.openapi, media_type=MediaType.JSON)


def build_admin(parts: ApiParts) -> App:
    """Build the app behind everything that is neither webhook nor probe."""
    sweep(parts.data_dir)
    return _app(parts, parts.policy.json_bytes)  # type: ignore[return-value]  # closed scope dicts


def openapi_document() -> dict[str, Any]:
    """Return the OpenAPI document; needs no running gateway."""
    return document_of(_app(None, 0))


def _app(parts: ApiParts | None, json_bytes: int) -> Litestar:
    def on_init(config: AppConfig) -> AppConfig:
        config.state.parts = parts
        config.state.openapi = None
        return config

    return AdminApp(
        [*HANDLERS, get_openapi],
        on_app_init=[on_init],
        guards=[require_scope],
        exception_handlers={
            WunderError: on_wunder_error,
            HTTPException: on_framework_error,
            Exception: on_bug,
        },
        request_class=AdminRequest,
        request_max_body_size=json_bytes,
        openapi_config=OpenAPIConfig(
            title=INFO["title"], version=INFO["version"], use_handler_docstrings=True, path=None
        ),
        logging_config=None,
        debug=False,
    )


def _document(app: Litestar) -> bytes:
    return msgspec.json.encode(document_of(app))
