"""Live events (SSE): each one authorised, replayed ones too; resumed by Last-Event-ID (rule 17)."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from typing import Annotated
from urllib.parse import parse_qsl

import msgspec

from wunder.api.asgi import SECURITY_HEADERS, Receive, Scope, Send, refuse
from wunder.api.auditing import request_id_of
from wunder.api.authority import authorised
from wunder.api.caller import Caller
from wunder.api.parts import ApiParts
from wunder.api.problems import problem, problem_of
from wunder.api.scopes import SCOPES
from wunder.errors import RequestRefused, WunderError
from wunder.feed.frames import BYE, HEARTBEAT, RESET, TOPICS, Frame, frame_of, hello, topic_of
from wunder.feed.hub import Stream, View
from wunder.model.ids import AccountUid
from wunder.model.trail import Event

ADMIN_EVENTS = "/wunder/admin/events"
OWN_EVENTS = "/wunder/channels/events"
PATHS = frozenset({ADMIN_EVENTS, OWN_EVENTS})

HEARTBEAT_S = 15.0
#: Choices: a person's open tabs; all consoles of a gateway.
MAX_EACH = 16
MAX_ALL = 500
#: What a page that was away is told again; beyond it, its lists are read anew.
MAX_REPLAYED = 1_000
_PAGE = 200
_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"x-accel-buffering", b"no"),
    *SECURITY_HEADERS,
]
#: Which events of plugins tell a user that the channels open to them may have changed.
_OPENING = frozenset({"plugin", "provider"})


class StreamQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`types`: topics by comma, all where absent; `after`: as Last-Event-ID, which stands before it."""

    types: Annotated[str, msgspec.Meta(max_length=256)] = ""
    after: Annotated[int, msgspec.Meta(ge=0, le=2**53)] | None = None


class EventStreams:
    """Both routes; bare ASGI, so that an idle page costs a waiting coroutine and nothing else."""

    def __init__(self, parts: ApiParts) -> None:
        self._parts = parts
        self._open: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one page until it leaves, its session ends or the gateway stops."""
        try:
            if scope["method"] != "GET":
                raise RequestRefused(405, "method_not_allowed")
            caller = await authorised(scope, SCOPES[f"GET {scope['path']}"], self._parts)
            query = _query(scope)
            topics = _topics(query.types)
            resume_from = _last_event_id(scope, query.after)
            name = caller.name
            if self._open[name] >= MAX_EACH or self._open.total() >= MAX_ALL:
                raise RequestRefused(429, "too_many_streams", retry_after_s=30)
        except WunderError as error:
            await refuse(send, problem_of(error, request_id_of(scope)), unread=receive)
            return
        except msgspec.ValidationError:
            wrong = problem(422, "invalid", "types, after", trace_id=request_id_of(scope))
            await refuse(send, wrong, unread=receive)
            return
        self._open[name] += 1
        try:
            is_own = scope["path"] == OWN_EVENTS
            stream = self._stream(caller, topics, is_own=is_own)
            await self._serve(stream, resume_from, receive, send)
        finally:
            self._open[name] -= 1
            self._open += Counter()  # names of pages that left are forgotten

    async def _serve(
        self, stream: Stream, resume_from: int | None, receive: Receive, send: Send
    ) -> None:
        async def until_left() -> None:
            while (await receive())["type"] != "http.disconnect":
                pass
            stream.end()

        async with asyncio.TaskGroup() as group:
            leaving = group.create_task(until_left(), name="page leaves")
            await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
            with self._parts.hub.listen(stream):
                async for frames in self._frames(stream, resume_from):
                    body = b"".join(frame.content for frame in frames)
                    await send({"type": "http.response.body", "body": body, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
            leaving.cancel()

    async def _frames(self, stream: Stream, resume_from: int | None) -> AsyncIterator[list[Frame]]:
        """Yield what was missed, then what comes; nothing twice."""
        newest = await self._parts.feed.newest_id()
        yield [Frame(b"retry: 2000\n\n"), hello(newest if resume_from is None else resume_from)]
        told_to = newest
        if resume_from is not None:
            missed, told_to = await self._missed(stream, resume_from)
            if missed:
                yield missed
        while not stream.is_over:
            frames = await stream.take(HEARTBEAT_S)
            fresh = [one for one in frames if not 0 < one.event_id <= told_to]
            if fresh or not frames:
                yield fresh or [HEARTBEAT]
            if BYE in frames:
                return

    async def _missed(self, stream: Stream, resume_from: int) -> tuple[list[Frame], int]:
        """Return what a page missed, authorised like everything else, and up to where."""
        feed, at, frames = self._parts.feed, resume_from, list[Frame]()
        if resume_from + 1 < await feed.oldest_id() or resume_from > await feed.newest_id():
            return [RESET], await feed.newest_id()
        for _ in range(MAX_REPLAYED // _PAGE):
            events = await feed.after(at, _PAGE)
            for event in events:
                at = event.event_id
                shown = stream.view(event, frame_of(event, topic_of(event)))
                if shown is not None:
                    frames.append(shown)
            if len(events) < _PAGE:
                return frames, at
        return [RESET], await feed.newest_id()

    def _stream(self, caller: Caller, topics: frozenset[str], *, is_own: bool) -> Stream:
        view, token = self._view(caller, topics, is_own=is_own), caller.token
        session_hash = caller.person.session.session_hash if caller.person else None

        def is_allowed() -> bool:
            return token is None or self._parts.tokens.is_good(token)

        return Stream(view, session_hash, is_allowed, has_figures=not is_own)

    def _view(self, caller: Caller, topics: frozenset[str], *, is_own: bool) -> View:
        see = _own_view(caller.user_id, self._parts.owner_of) if is_own else _admin_view(caller)

        def view(event: Event, frame: Frame) -> Frame | None:
            return see(event, frame) if topic_of(event) in topics else None

        return view


def _admin_view(caller: Caller) -> View:
    """Everything for who may read; what concerns people, for administrators."""
    is_admin = caller.holds("admin")

    def see(event: Event, frame: Frame) -> Frame | None:
        return frame if is_admin or topic_of(event) != "people" else None

    return see


def _own_view(user_id: str, owner_of: Callable[[AccountUid], str]) -> View:
    """What happened to own accounts; and that channels may have opened or closed, without more."""
    mine: set[AccountUid] = set()

    def see(event: Event, frame: Frame) -> Frame | None:
        if event.account_uid:
            owner = owner_of(event.account_uid)
            if owner == user_id:
                mine.add(event.account_uid)
            elif owner:
                mine.discard(event.account_uid)
            # An account that was removed has no owner any more: whose it was is told.
            return frame if event.account_uid in mine else None
        if topic_of(event) in _OPENING:
            bare = Event("providers_changed", event.at, event_id=event.event_id)
            return frame_of(bare, "provider")
        return None

    return see


def _query(scope: Scope) -> StreamQuery:
    try:
        fields = dict(parse_qsl(scope["query_string"].decode("latin-1"), max_num_fields=8))
    except ValueError:
        raise msgspec.ValidationError("too many") from None
    return msgspec.convert(fields, StreamQuery, strict=False)


def _topics(text: str) -> frozenset[str]:
    wanted = frozenset(part for part in text.split(",") if part)
    if not wanted <= frozenset(TOPICS):
        raise msgspec.ValidationError("types")
    return wanted or frozenset(TOPICS)


def _last_event_id(scope: Scope, given: int | None) -> int | None:
    values = [value for name, value in scope["headers"] if name == b"last-event-id"]
    text = values[0].decode("latin-1").strip() if len(values) == 1 else ""
    if text.isascii() and text.isdigit() and len(text) <= 18:
        return int(text)
    return given
