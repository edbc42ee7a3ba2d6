"""The chat page's routes: the page itself, coming in, saying something, and being told (ADR 0087)."""

import asyncio
import re
import uuid
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TYPE_CHECKING

import msgspec

from wunder.api.asgi import Header, Receive, Scope, Send, answer, refuse
from wunder.api.chat_files import ChatFiles
from wunder.api.credentials import bearer_of
from wunder.api.json_body import decode_body
from wunder.api.parts import ApiParts
from wunder.api.problems import outage, problem_of
from wunder.api.sources import Proxies, source_key
from wunder.chat.desk import Coming, Said
from wunder.chat.origins import frame_ancestors
from wunder.chat.stream import RETRY_MS, Frame
from wunder.errors import RequestRefused, StoreUnavailable, WunderError
from wunder.observe.logs import get_logger

if TYPE_CHECKING:
    from wunder.model.provider import WebhookAnswer

log = get_logger(__name__)

PREFIX = "/wunder/chat/"
_PLACE = re.compile(r"/wunder/chat/(?P<key>[0-9a-f]{32})(?P<what>|/visits|/messages|/events)\Z")
_METHODS = {"": "GET", "/visits": "POST", "/messages": "POST", "/events": "GET"}
_BODY_BYTES = 131_072
_PLAIN: tuple[Header, ...] = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
)
_STREAM: tuple[Header, ...] = (
    *_PLAIN,
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"x-accel-buffering", b"no"),
)


class ChatRoute:
    """`/wunder/chat/..`; bare, so that a visitor never waits for a framework to load."""

    def __init__(self, parts: ApiParts, proxies: Proxies) -> None:
        self._parts = parts
        self._desk = parts.chat.desk
        self._proxies = proxies
        self._files = ChatFiles()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if await self._files.serve(scope, send):
            return
        trace_id = uuid.uuid4().hex
        try:
            match = _PLACE.match(scope["path"])
            if match is None:
                raise RequestRefused(404, "not_found")
            wanted = _METHODS[match["what"]]
            if scope["method"] != wanted and (scope["method"], wanted) != ("HEAD", "GET"):
                raise RequestRefused(405, "method_not_allowed")
            _refuse_foreign(scope)
            await self._at(match["key"], match["what"], scope, receive, send)
        except StoreUnavailable as error:
            await refuse(send, outage(error, trace_id), unread=receive)
        except WunderError as error:
            await refuse(send, problem_of(error, trace_id), unread=receive)

    async def _at(self, key: str, what: str, scope: Scope, receive: Receive, send: Send) -> None:
        if what == "":
            await self._page(key, scope, send)
        elif what == "/visits":
            await self._enter(key, scope, receive, send)
        elif what == "/messages":
            await self._say(key, scope, receive, send)
        else:
            await self._tell(key, scope, receive, send)

    async def _page(self, key: str, scope: Scope, send: Send) -> None:
        place = self._desk.place(key)
        policy = (
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
            "connect-src 'self'; base-uri 'none'; form-action 'none'; "
            f"frame-ancestors {frame_ancestors(place.settings.allowed_origins)}"
        )
        headers = [
            (b"content-type", b"text/html; charset=utf-8"),
            (b"content-security-policy", policy.encode()),
            *_PLAIN[:3],
        ]
        body = await self._files.page()
        await answer(send, 200, headers, b"" if scope["method"] == "HEAD" else body)

    async def _enter(self, key: str, scope: Scope, receive: Receive, send: Send) -> None:
        coming = decode_body(await self._body(receive), Coming)
        source = source_key(self._proxies.remote_address(scope))
        entered = self._desk.enter(key, coming, source)
        await _json(send, 200, msgspec.json.encode(entered))

    async def _say(self, key: str, scope: Scope, receive: Receive, send: Send) -> None:
        visitor = self._desk.visitor(key, bearer_of(scope["headers"]))
        said = decode_body(await self._body(receive), Said)
        place, request = self._desk.say(key, visitor, said)
        channel = place.account.row.channel
        given: WebhookAnswer = await self._parts.webhooks.receive(channel, key, request)
        if not 200 <= given.status < 300:
            raise RequestRefused(503, "not_taken", retry_after_s=given.retry_after_s)
        self._parts.chat.feed.poke(self._desk.conversation(visitor))
        await _json(send, 202, b'{"accepted":true}')

    async def _tell(self, key: str, scope: Scope, receive: Receive, send: Send) -> None:
        visitor = self._desk.visitor(key, bearer_of(scope["headers"]))
        source = source_key(self._proxies.remote_address(scope))
        frames = self._parts.chat.streams.frames(key, visitor, _last_id(scope), source)
        async with aclosing(frames):
            first = await anext(frames)  # what is refused is refused before anything is written
            await send({"type": "http.response.start", "status": 200, "headers": list(_STREAM)})
            await send(_piece(f"retry: {RETRY_MS}\n\n".encode()))
            try:
                async with asyncio.TaskGroup() as tasks:
                    watching = tasks.create_task(_watch(receive), name="chat page watch")
                    await self._pass_on(first, frames, send)
                    watching.cancel()
            except* _PageGone:
                log.debug("chat_page_left")
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _pass_on(
        self,
        first: Frame | None,
        frames: AsyncGenerator[Frame | None, None],
        send: Send,
    ) -> None:
        if first is not None:
            await send(_piece(first.encode()))
        async for frame in frames:
            if self._parts.is_draining():
                return
            if frame is not None:
                await send(_piece(frame.encode()))

    async def _body(self, receive: Receive) -> bytes:
        chunks, size = [], 0
        try:
            async with asyncio.timeout(self._parts.policy.body_timeout_s):
                while True:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise RequestRefused(400, "body_cut_off")
                    chunks.append(message.get("body", b""))
                    size += len(chunks[-1])
                    if size > _BODY_BYTES:
                        raise RequestRefused(413, "body_too_large")
                    if not message.get("more_body", False):
                        return b"".join(chunks)
        except TimeoutError:
            raise RequestRefused(408, "body_too_slow") from None


def _refuse_foreign(scope: Scope) -> None:
    """Pages of other sites do not post here: the page in their frame does, from our own origin.

    Raises:
        RequestRefused: 403.
    """
    if scope["method"] != "POST":
        return
    headers = dict(scope["headers"])
    origin = headers.get(b"origin")
    if origin is not None and origin.partition(b"://")[2] != headers.get(b"host", b""):
        raise RequestRefused(403, "foreign_origin")


def _last_id(scope: Scope) -> str:
    found = [value for name, value in scope["headers"] if name == b"last-event-id"]
    return found[0].decode("latin-1")[:64] if found else ""


class _PageGone(Exception):
    """The browser closed the stream."""


async def _watch(receive: Receive) -> None:
    """End the stream as soon as nobody reads it. Raises: _PageGone."""
    while (await receive())["type"] != "http.disconnect":
        pass
    raise _PageGone


def _piece(body: bytes) -> dict[str, object]:
    return {"type": "http.response.body", "body": body, "more_body": True}


async def _json(send: Send, status: int, body: bytes) -> None:
    await answer(send, status, [(b"content-type", b"application/json"), *_PLAIN], body)
