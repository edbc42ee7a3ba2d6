"""The streams of live events, as the OpenAPI document describes them: Litestar does not serve them."""

from typing import Any

from wunder.api.scopes import OWN
from wunder.feed.frames import TOPICS, Figures
from wunder.model.trail import Event

#: Structs that only streams carry.
KINDS = (Event, Figures)

_PARAMETERS = [
    {
        "name": "types",
        "in": "query",
        "required": False,
        "description": f"Topics by comma, all where absent: {', '.join(TOPICS)}.",
        "schema": {"type": "string", "maxLength": 256},
    },
    {
        "name": "after",
        "in": "query",
        "required": False,
        "description": "As `Last-Event-ID`, which stands before it.",
        "schema": {"type": "integer", "minimum": 0},
    },
    {
        "name": "Last-Event-ID",
        "in": "header",
        "required": False,
        "description": "Resume after this event; browsers send it by themselves.",
        "schema": {"type": "string"},
    },
]
_SAID = (
    "Server-sent events. `event:` is a topic, `data:` an `Event` whose `name` says what happened and "
    "whose `event_id` is the `id:`. Besides: `hello` once, with the id to resume from; `figures` with "
    "`Figures` when they changed; `reset` when something was missed, so that lists have to be read "
    "again; `bye` when the session or token behind the stream has ended. A comment each 15 s keeps the "
    "connection open. Each event is authorised, replayed ones too."
)


def stream(operation_id: str, summary: str, tag: str, scope: str, more: str) -> dict[str, Any]:
    """Describe one stream; its refusals are those of every guarded operation."""
    refusals = {status: {"$ref": f"#/components/responses/{status}"} for status in _REFUSALS}
    event = {"$ref": "#/components/schemas/Event"}
    figures = {"$ref": "#/components/schemas/Figures"}
    content = {"text/event-stream": {"schema": {"anyOf": [event, figures]}}}
    return {
        "get": {
            "operationId": operation_id,
            "summary": summary,
            "tags": [tag],
            "description": f"{_SAID} {more}",
            "parameters": _PARAMETERS,
            "security": [{"console_session": []}]
            if scope == OWN
            else [{"api_token": [scope]}, {"console_session": []}],
            "x-scope": scope,
            "responses": {"200": {"description": "The stream.", "content": content}, **refusals},
        }
    }


_REFUSALS = ("401", "403", "422", "429", "503")

PATHS: dict[str, Any] = {
    "/wunder/admin/events": stream(
        "stream_events",
        "Be told what happens",
        "Channels",
        "read",
        "Events about people need the scope `admin`.",
    ),
    "/wunder/channels/events": stream(
        "stream_own_events",
        "Be told what happens to what is one's own",
        "Users",
        OWN,
        "Of one's own accounts only; `provider` when channels open to users may have changed.",
    ),
}
