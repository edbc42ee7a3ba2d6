"""The OpenAPI document: what Litestar derives from the handlers, completed with what it cannot see."""

import re
from collections.abc import Iterator
from typing import Any, get_args

import msgspec
from litestar import Litestar
from litestar.handlers import HTTPRouteHandler

from wunder import __version__
from wunder.api import openapi_chat, openapi_streams
from wunder.api.problems import Problem
from wunder.api.scopes import NEEDS_NOBODY, PUBLIC, SCOPES

INFO = {
    "title": "Wunder Channels",
    "version": __version__,
    "description": (
        "The HTTP API of the gateway. Times are Unix milliseconds, UTC. Lists are paged: send "
        "`next_cursor` back as `cursor` until it is empty. Errors are problem documents (RFC 9457); "
        "`code` is stable, values of the request are never echoed."
    ),
}
#: Status -> what it means here. Which of them an operation has follows from its shape.
FAILURES = {
    400: "The body is no strict JSON.",
    401: "Nobody is known by this request: no valid token, no valid session.",
    403: (
        "The token or the role lacks the scope; `csrf`: the header X-Wunder-CSRF is missing or wrong; "
        "`password_needed`: give the password again at /wunder/session/confirm."
    ),
    404: "There is nothing with this id.",
    408: "The request came too slowly.",
    409: "The current state does not allow this; `state` says what it is.",
    413: "The request is too large.",
    415: "The content type is another than the one described.",
    422: "The request holds wrong fields; each is named by its place.",
    429: "Too often; come again after `Retry-After`.",
    503: "The store cannot take writes now; come again after `Retry-After`.",
}
_LONG_NAME = re.compile(r"^(?P<outer>\w+)_(?:[\w]+\.)*(?P<inner>\w+)_$")
_JSON = "application/json"
_PROBLEM_JSON = "application/problem+json"


def document_of(app: Litestar) -> dict[str, Any]:
    """Return the complete document of `app` and of the routes beside it."""
    document: dict[str, Any] = app.openapi_schema.to_schema()
    document["info"] = INFO
    document["servers"] = [{"url": "/"}]
    document = _renamed(document)
    schemas = document["components"]["schemas"]
    schemas |= _described(app)
    for route, handler, method in _operations(app):
        if handler.operation_id is None or not handler.include_in_schema:
            continue
        operation = document["paths"][route][method.lower()]
        _complete(operation, handler, f"{method} {route}", schemas)
    document["components"]["securitySchemes"] = _SECURITY
    document["components"]["responses"] = {
        str(status): _refused(words) for status, words in FAILURES.items()
    }
    document["paths"] |= _BARE | openapi_streams.PATHS | openapi_chat.PATHS
    document["paths"] = dict(sorted(document["paths"].items()))
    document["components"]["schemas"] = dict(sorted(schemas.items()))
    return document


def _operations(app: Litestar) -> Iterator[tuple[str, HTTPRouteHandler, str]]:
    for route in app.routes:
        for handler in getattr(route, "route_handlers", ()):
            for method in sorted(handler.http_methods):
                if method != "OPTIONS":
                    yield route.path_format, handler, str(method)


def _complete(
    operation: dict[str, Any], handler: HTTPRouteHandler, key: str, schemas: dict[str, Any]
) -> None:
    scope = SCOPES[key]
    operation["security"] = _security(scope)
    operation["x-scope"] = scope
    operation.pop("deprecated", None)
    if query := handler.opt.get("query"):
        operation["parameters"] = [*operation.get("parameters", ()), *_parameters(query, schemas)]
    if headers := handler.opt.get("headers"):
        operation["parameters"] = [*operation.get("parameters", ()), *headers]
    if form := handler.opt.get("form"):
        operation["requestBody"] = {"required": True, "content": {"multipart/form-data": form}}
    body = operation.get("requestBody")
    if body and _JSON in body["content"]:
        content = body["content"][_JSON]
        body["required"] = "oneOf" not in content["schema"]
        if example := handler.opt.get("example"):
            content["example"] = example
    responses = operation["responses"]
    responses.pop("400", None)
    for described in responses.values():
        described.pop("headers", None)
    for status in sorted(_failures(operation, key, scope)):
        responses[str(status)] = {"$ref": f"#/components/responses/{status}"}


def _failures(operation: dict[str, Any], key: str, scope: str) -> Iterator[int]:
    method, _, path = key.partition(" ")
    if "requestBody" in operation:
        yield from (400, 408, 413, 415)
    if scope != PUBLIC:
        yield 401
    if scope not in NEEDS_NOBODY or method != "GET":
        yield 403
    if "{" in path:
        yield 404
    if method != "GET":
        yield 409
    if method != "GET" or operation.get("parameters"):
        yield 422
    yield 503


def _security(scope: str) -> list[dict[str, list[str]]]:
    match scope:
        case "public":
            return []
        case "setup":
            return []
        case "turn":
            return [{"turn_token": []}]
        case "person" | "own":
            return [{"console_session": []}]
        case _:
            return [{"api_token": [scope]}, {"console_session": []}]


def _parameters(query: type[msgspec.Struct], schemas: dict[str, Any]) -> Iterator[dict[str, Any]]:
    own = _schemas_of(query)
    shape = own.pop(query.__name__)
    schemas |= own
    for name, schema in shape["properties"].items():
        yield {
            "name": name,
            "in": "query",
            "required": name in shape.get("required", ()),
            "schema": schema,
        }


def _described(app: Litestar) -> dict[str, Any]:
    """Return the schemas of every body, with what Litestar leaves out: docstrings and bounds."""
    kinds: list[Any] = [Problem, *openapi_streams.KINDS, *openapi_chat.KINDS]
    for _, handler, _ in _operations(app):
        for field in (handler.parsed_data_field, handler.parsed_return_field):
            if field is not None and handler.include_in_schema:
                kinds += [one for one in _inside(field.annotation) if one not in kinds]
    return _schemas_of(*kinds)


def _inside(annotation: Any) -> Iterator[Any]:
    """Yield the structs that an annotation such as `Page[X]` or `Response[X | Y]` is made of."""
    if isinstance(annotation, type) and issubclass(annotation, msgspec.Struct):
        yield annotation
    for part in get_args(annotation):
        yield from _inside(part)


def _schemas_of(*kinds: Any) -> dict[str, Any]:
    _, components = msgspec.json.schema_components(
        kinds, ref_template="#/components/schemas/{name}"
    )
    return dict(components)


def _renamed(document: dict[str, Any]) -> dict[str, Any]:
    """Give generic pages a name that a client's code can carry: PageOfStoredMessage."""
    names = document["components"]["schemas"]
    short = {
        name: f"{match['outer']}Of{match['inner']}"
        for name in names
        if (match := _LONG_NAME.match(name))
    }
    text = msgspec.json.encode(document).decode()
    for name, better in short.items():
        text = text.replace(f'"{name}"', f'"{better}"').replace(f'/{name}"', f'/{better}"')
    renamed: dict[str, Any] = msgspec.json.decode(text)
    return renamed


_SECURITY = {
    "api_token": {
        "type": "http",
        "scheme": "bearer",
        "description": (
            "An API token. `admin` covers `read`, `operate` and `send`; `approve`, `secrets` and "
            "`trust` are asked for by name. Writing secrets needs `secrets` beside the scope of the "
            "endpoint."
        ),
    },
    "console_session": {
        "type": "apiKey",
        "in": "cookie",
        "name": "wunder_session",
        "description": (
            "The cookie that signing in gives. Requests other than GET also carry the session's CSRF "
            "token in the header X-Wunder-CSRF. What the person may do follows from their role; "
            "approvals, trust and secrets need a password that was given within 5 minutes."
        ),
    },
    "turn_token": {
        "type": "http",
        "scheme": "bearer",
        "description": "The token that the request of one turn carried; good for that turn only.",
    },
}


def _plain(description: str, kind: str = _JSON) -> dict[str, Any]:
    return {"description": description, "content": {kind: {"schema": {}}}}


def _refused(description: str) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Problem"}
    return {"description": description, "content": {_PROBLEM_JSON: {"schema": schema}}}


def _webhook(operation_id: str, summary: str, *names: str) -> dict[str, Any]:
    return {
        "operationId": operation_id,
        "summary": summary,
        "tags": ["Platforms"],
        "security": [],
        "description": (
            "Raw bytes of the platform; verified and parsed by the channel. Messages are committed "
            "before the answer, which is the channel's own where it gives one."
        ),
        "parameters": [
            {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
            for name in names
        ],
        "responses": {
            "200": {"description": "Taken in, or what the platform expects to read."},
            "204": {"description": "Taken in."},
            "400": _refused("Malformed, or two accounts named (`account_conflict`)."),
            "401": _refused("The signature is wrong."),
            "403": _refused("The channel refuses it."),
            "404": _refused("No such channel or account."),
            "405": _refused("Neither GET nor POST."),
            "408": _refused("The body took longer than 10 s."),
            "413": _refused("The body is larger than the channel allows."),
            "415": _refused("A Content-Encoding other than identity."),
            "429": _refused("Too often; come again after `Retry-After`."),
            "503": _refused("Cannot be taken now; come again after `Retry-After`."),
        },
    }


def _probe(operation_id: str, summary: str, kind: str, *, may_fail: bool = False) -> dict[str, Any]:
    responses = {"200": _plain(summary, kind)}
    if may_fail:
        responses["503"] = _plain("Not ready; `checks` says why.", kind)
    return {
        "get": {
            "operationId": operation_id,
            "summary": summary,
            "tags": ["Operators"],
            "security": [],
            "responses": responses,
        }
    }


_WEBHOOK = "/wunder/channel/{provider}/webhook"
_ACCOUNT_WEBHOOK = "/wunder/channel/{provider}/{account}/webhook"
_BARE: dict[str, Any] = {
    _WEBHOOK: {
        "get": _webhook("verify_webhook", "A platform checks the address", "provider"),
        "post": _webhook("receive_webhook", "A platform delivers", "provider"),
    },
    _ACCOUNT_WEBHOOK: {
        "get": _webhook(
            "verify_account_webhook",
            "A platform checks an account's address",
            "provider",
            "account",
        ),
        "post": _webhook(
            "receive_account_webhook", "A platform delivers to an account", "provider", "account"
        ),
    },
    "/wunder/untrusted/attachments/{blob_id}": {
        "get": {
            "operationId": "download_attachment",
            "summary": "Follow a signed link to an attachment",
            "tags": ["Agents over HTTP"],
            "security": [],
            "description": (
                "The bytes of a stored attachment, as a stranger sent them: never shown inside a "
                "page unless they are a PNG, JPEG, GIF or WebP image. Links expire."
            ),
            "parameters": [
                {"name": "blob_id", "in": "path", "required": True, "schema": {"type": "string"}},
                {"name": "t", "in": "query", "required": True, "schema": {"type": "string"}},
            ],
            "responses": {
                "200": _plain("The bytes.", "application/octet-stream"),
                "404": _refused("No such attachment, or the link is wrong or has expired."),
                "503": _refused("Cannot be read now; come again later."),
            },
        }
    },
    "/healthz": _probe("get_health", "The process answers", _JSON),
    "/readyz": _probe("get_readiness", "Traffic may come", _JSON, may_fail=True),
    "/metrics": _probe("get_metrics", "Figures for Prometheus", "text/plain"),
}
