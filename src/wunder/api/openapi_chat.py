"""The chat page's routes, as the OpenAPI document describes them: Litestar does not serve them."""

from typing import Any

from wunder.chat.desk import Coming, Entered, Said
from wunder.chat.shown import ShownFile, ShownLine
from wunder.chat.stream import Told

#: Structs that only these routes carry.
KINDS = (Coming, Entered, Said, Told, ShownLine, ShownFile)

_TAG = "Chat page"
_KEY = {
    "name": "key",
    "in": "path",
    "required": True,
    "description": "The account's `webhook_key`; `chat_url` of the account is the page's address.",
    "schema": {"type": "string", "pattern": "^[0-9a-f]{32}$"},
}
_VISIT = {
    "name": "Authorization",
    "in": "header",
    "required": True,
    "description": "`Bearer` and the visit's token.",
    "schema": {"type": "string"},
}
_LAST = {
    "name": "Last-Event-ID",
    "in": "header",
    "required": False,
    "description": "Of the last event that the page has: it is spared what it knows.",
    "schema": {"type": "string"},
}
_REFUSED = {
    403: "The visit has ended, or the site is not on the account's list, or its claim does not hold.",
    404: "There is no chat at this address, or it was switched off.",
    413: "The request is too large.",
    422: "The request holds wrong fields, nothing said, or too much.",
    429: "Too often; come again after `Retry-After`.",
    503: "Nothing can be taken in now; come again after `Retry-After`.",
}


def _refusals(*statuses: int) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Problem"}
    content = {"application/problem+json": {"schema": schema}}
    return {
        str(status): {"description": _REFUSED[status], "content": content} for status in statuses
    }


def _operation(operation_id: str, summary: str, said: str, **more: Any) -> dict[str, Any]:
    return {
        "operationId": operation_id,
        "summary": summary,
        "tags": [_TAG],
        "description": said,
        "security": [],
        **more,
    }


def _body(name: str) -> dict[str, Any]:
    schema = {"$ref": f"#/components/schemas/{name}"}
    return {"required": True, "content": {"application/json": {"schema": schema}}}


def _answered(description: str, kind: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": description, "content": {kind: {"schema": schema}}}


PATHS: dict[str, Any] = {
    "/wunder/chat/{key}": {
        "get": _operation(
            "get_chat_page",
            "The page on which people talk to an agent",
            "Of an account whose channel has the capability `chat_page`. Only sites on the account's "
            "list may show it in a frame; `/wunder/chat/embed.js` does that with one script tag.",
            parameters=[_KEY],
            responses={"200": _answered("The page.", "text/html", {}), **_refusals(404)},
        )
    },
    "/wunder/chat/{key}/visits": {
        "post": _operation(
            "enter_chat",
            "Come in",
            "As the guest of an earlier token, as whom a site signs for, or as a new guest. The token "
            "fixes account, visitor, site and end.",
            parameters=[_KEY],
            requestBody=_body("Coming"),
            responses={
                "200": _answered(
                    "Who one is now.", "application/json", {"$ref": "#/components/schemas/Entered"}
                ),
                **_refusals(403, 404, 422, 429),
            },
        )
    },
    "/wunder/chat/{key}/messages": {
        "post": _operation(
            "say_in_chat",
            "Say something",
            "Committed before the answer, as every message of a platform. The id is the page's own: "
            "sent again under the same one, a message is taken in once.",
            parameters=[_KEY, _VISIT],
            requestBody=_body("Said"),
            responses={
                "202": _answered("It is taken in.", "application/json", {"type": "object"}),
                **_refusals(403, 404, 413, 422, 429, 503),
            },
        )
    },
    "/wunder/chat/{key}/events": {
        "get": _operation(
            "stream_chat",
            "Be told what was said",
            "Server-sent events: `lines` with the conversation, then with each line whose mark "
            "changed, whichever node changed it; `ended` when the visit may not go on.",
            parameters=[_KEY, _VISIT, _LAST],
            responses={
                "200": _answered(
                    "The stream.", "text/event-stream", {"$ref": "#/components/schemas/Told"}
                ),
                **_refusals(403, 404, 429, 503),
            },
        )
    },
}
