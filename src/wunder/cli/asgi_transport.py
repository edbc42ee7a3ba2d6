"""The way to a gateway that is not running: its app, opened in this process."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import AbstractAsyncContextManager
from typing import Any
from urllib.parse import unquote

from wunder.cli.client import Answer, Exchange
from wunder.cli.failure import CommandFailed

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
App = Callable[
    [Scope, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]], Awaitable[None]
]
#: An opened gateway: its app, and a token for it.
Opened = tuple[App, str]

ANSWER_S = 120.0
CLOSE_S = 30.0


class AsgiTransport:
    """Runs the app's event loop on a thread of its own, for as long as the command takes."""

    def __init__(self, opening: AbstractAsyncContextManager[Opened], place: str) -> None:
        self.place = place
        self._opening = opening
        self._opened: Future[Opened] = Future()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._end = asyncio.Event()
        threads = ThreadPoolExecutor(1, thread_name_prefix="offline-gateway")
        self._life = threads.submit(asyncio.run, self._live())
        threads.shutdown(wait=False)
        both: tuple[Future[Any], ...] = (self._opened, self._life)
        wait(both, ANSWER_S, FIRST_COMPLETED)
        if self._life.done():
            self._life.result()
        self._app, self.token = self._opened.result(0)

    def exchange(self, request: Exchange) -> Answer:
        """Call the app and return the whole answer. Raises: CommandFailed."""
        loop = self._loop
        if loop is None or self._life.done():
            raise self._broken("it has ended")
        calling = asyncio.run_coroutine_threadsafe(_called(self._app, request), loop)
        try:
            return calling.result(ANSWER_S)
        except TimeoutError as error:
            calling.cancel()
            raise self._broken("it took too long to answer") from error

    def close(self) -> None:
        """Close what was opened; returns when the data directory is free again."""
        if self._loop is not None and not self._life.done():
            self._loop.call_soon_threadsafe(self._end.set)
            self._life.result(CLOSE_S)

    async def _live(self) -> None:
        self._loop = asyncio.get_running_loop()
        async with self._opening as opened:
            self._opened.set_result(opened)
            await self._end.wait()

    def _broken(self, words: str) -> CommandFailed:
        return CommandFailed(
            f"the store was opened without a gateway, but {words}", where=self.place
        )


async def _called(app: App, request: Exchange) -> Answer:
    path, _, query = request.target.partition("?")
    chunks = iter(request.body)
    status, headers, body = 500, {}, bytearray()
    is_sent = False

    async def receive() -> Message:
        nonlocal is_sent
        if is_sent:
            # An app that listens for the end of the connection waits for it: there is none here.
            await asyncio.Event().wait()
        chunk = next(chunks, None)
        is_sent = chunk is None
        return {"type": "http.request", "body": chunk or b"", "more_body": chunk is not None}

    async def send(message: Message) -> None:
        nonlocal status, headers
        if message["type"] == "http.response.start":
            status = message["status"]
            headers = {
                bytes(name).decode("latin-1").lower(): bytes(value).decode("latin-1")
                for name, value in message.get("headers", ())
            }
        elif message["type"] == "http.response.body":
            body.extend(message.get("body", b""))

    await app(_scope(request, path, query), receive, send)
    return Answer(status, headers, bytes(body))


def _scope(request: Exchange, path: str, query: str) -> Scope:
    given = {"host": "localhost", "content-length": str(request.size_bytes), **request.headers}
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": "http",
        "path": unquote(path),
        "raw_path": path.encode("latin-1"),
        "root_path": "",
        "query_string": query.encode("latin-1"),
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in given.items()],
        "client": ("127.0.0.1", 0),
        "server": ("localhost", 80),
        "state": {},
    }
