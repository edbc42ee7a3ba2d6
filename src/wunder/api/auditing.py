"""Around every call of the API: a request id, and an entry in the audit before a change is answered."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from wunder.api.asgi import App, Message, Receive, Scope, Send
from wunder.errors import WunderError
from wunder.model.ids import At
from wunder.model.trail import Event
from wunder.observe.logs import get_logger
from wunder.people import noticed
from wunder.people.audit import AuditEntry
from wunder.people.tables import AuditLog
from wunder.ports import Clock

log = get_logger(__name__)

_NOTE = "wunder.note"
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
#: What a refusal is called where only its status is known.
_RESULTS = {401: "refused", 403: "not_allowed"}


@dataclass(slots=True)
class Note:
    """What is known of one request. `said` is filled by handlers whose desks tell no events."""

    request_id: str
    remote_addr: str
    is_over_tls: bool
    told: list[Event] = field(default_factory=list)
    said: list[tuple[str, str, str, dict[str, Any]]] = field(default_factory=list)

    def say(self, actor: str, action: str, subject: str, detail: dict[str, Any]) -> None:
        """Note what was done, by whom, on what."""
        self.said.append((actor, action, subject, detail))


def note_of(scope: Any) -> Note:
    """Return the note of a request."""
    return cast("Note", scope[_NOTE])


def request_id_of(scope: Any) -> str:
    """Return the id of a request, also of one that came another way."""
    note = scope.get(_NOTE)
    return note.request_id if note is not None else uuid.uuid4().hex


class Audited:
    """An app whose changes are written down; reading is not."""

    def __init__(self, app: App, audit: AuditLog, clock: Clock) -> None:
        self._app = app
        self._audit = audit
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; where it changed something, the entry is stored before the answer."""
        note = note_of(scope)

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                if scope["method"] not in _SAFE or note.said:
                    await self._write(scope, note, message["status"])
                identity = (b"x-request-id", note.request_id.encode())
                message["headers"] = [*message.get("headers", ()), identity]
            await send(message)

        if scope["method"] not in _SAFE:
            note.told = noticed.begin()
        await self._app(scope, receive, sending)

    async def _write(self, scope: Scope, note: Note, status: int) -> None:
        entries = _entries(scope, note, status, self._clock.now())
        if not entries:
            return
        try:
            await self._audit.add(entries)
        except WunderError as error:
            # The change is made: saying it is not would have it made twice.
            log.exception("audit_not_written", code=error.code, request_id=note.request_id)


def _entries(scope: Scope, note: Note, status: int, at: At) -> list[AuditEntry]:
    """Return what a request did, in the words of the desks; else that it was made, or refused."""
    caller = scope.get("auth")
    actor = caller.name if caller is not None else ""
    result = "ok" if status < 400 else _RESULTS.get(status, "")
    if not result:
        return []  # nothing was changed: a wrong field, a conflict
    found = [(actor, *line[1:]) if actor else line for line in note.said]
    if result == "ok":
        found += [
            (actor or str(event.fields["by"]), event.name, _subject(event), _detail(event))
            for event in note.told
        ]
    if not found and actor:
        handler = scope.get("route_handler")
        action = getattr(handler, "operation_id", None) or scope["path"]
        found = [(actor, str(action), _subject_of(scope.get("path_params", {})), {})]
    return [
        AuditEntry(
            at=at,
            actor=who,
            action=action,
            subject=subject,
            result=result,
            detail=detail,
            remote_addr=note.remote_addr,
            request_id=note.request_id,
        )
        for who, action, subject, detail in found
    ]


def _subject(event: Event) -> str:
    if event.account_id:
        return f"{event.plugin_id}/{event.account_id}"
    if event.plugin_id:
        return f"{event.plugin_id}@{event.version}" if event.version else event.plugin_id
    names = ("name", "agent_id", "binding_id", "token_id", "channel")
    return next((str(event.fields[name]) for name in names if name in event.fields), "")


def _detail(event: Event) -> dict[str, Any]:
    return {name: value for name, value in event.fields.items() if name != "by"}


def _subject_of(params: Mapping[str, Any]) -> str:
    return "/".join(str(value) for value in params.values())


def make_note(scope: Scope, remote_addr: str, *, is_over_tls: bool) -> None:
    """Begin the note of a request."""
    scope[_NOTE] = Note(uuid.uuid4().hex, remote_addr, is_over_tls)
