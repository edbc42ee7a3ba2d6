"""The listener: uvicorn on httptools and uvloop, with limits on what comes before a request's body."""

import asyncio
import socket
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any
from urllib.parse import unquote

import httptools
import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from wunder.api.asgi import App
from wunder.api.exchange import PREFIX, Exchange, TakesWebhook
from wunder.api.parts import ApiPolicy
from wunder.errors import RequestRefused


class BoundedProtocol(HttpToolsProtocol):
    """HTTP/1.1 that waits for a request's head for so long, and keeps so much of it (rule 4).

    It waits as long for a body that was answered before its end, and leaves whoever takes nothing of an
    answer: such connections cost their other end nothing, and would take the place of all others.
    uvicorn's own limits of this kind exist for h11 only, which costs four times as much a request
    (research of 2025-11: 18.7k against 4.9k requests a second, bare ASGI).
    """

    policy: ApiPolicy = ApiPolicy()
    webhooks: TakesWebhook | None = None  # None: all goes to the application

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._head_timer: asyncio.TimerHandle | None = None
        self._head_bytes = 0
        self._is_in_head = True
        self._is_too_large = False
        self._write_timer: asyncio.TimerHandle | None = None
        self._unsent_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Begin to wait for the first head; one connection too many is closed."""
        super().connection_made(transport)
        if len(self.connections) > self.policy.connections:
            transport.abort()  # descriptors are for those who are here already, and for plugins
        else:
            self._wait_for_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the timers."""
        self._stop_waiting()
        self._stop_watching()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """Begin to watch whether anything of what was written is taken."""
        super().pause_writing()
        self._watch_writing()

    def resume_writing(self) -> None:
        """Watch no more."""
        self._stop_watching()
        super().resume_writing()

    def data_received(self, data: bytes) -> None:
        """Feed the parser; where a head stays unfinished, count it and watch the time."""
        if self._is_in_head:
            self._head_bytes += len(data)
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self._is_in_head and self._head_bytes > self.policy.head_bytes:
            self._refuse_head()
        elif self._head_timer is None and not self._is_serving():
            self._wait_for_head()

    def on_message_begin(self) -> None:
        """Start counting."""
        self._is_in_head = True
        self.url = b""
        self.headers = []
        self.expect_100_continue = False

    def on_headers_complete(self) -> None:
        """Stop counting, refuse what arrived in one piece but is too large, and send it its way."""
        size = len(self.url) + sum([len(name) + len(value) + 4 for name, value in self.headers])
        if size > self.policy.head_bytes:
            self._is_too_large = True
            raise RequestRefused(431, "head_too_large")  # the parser turns it into its own error
        self._is_in_head = False
        self._head_bytes = 0
        self._stop_waiting()
        target = httptools.parse_url(self.url)
        path = unquote(target.path.decode("ascii"))
        if self.webhooks is not None and path.startswith(PREFIX):
            self._begin_exchange(self.webhooks, path, target.query or b"")
        else:
            self._begin_asgi()

    def _begin_asgi(self) -> None:
        url, headers, expects_100 = self.url, self.headers, self.expect_100_continue
        super().on_message_begin()  # makes what ASGI asks for, and forgets what has come
        self.url, self.expect_100_continue = url, expects_100
        self.headers.extend(headers)
        super().on_headers_complete()

    def _begin_exchange(self, webhooks: TakesWebhook, path: str, query_string: bytes) -> None:
        """Begin a webhook's short way; behind an unanswered request it waits, as uvicorn's do."""
        is_next = not self._is_serving()
        answers: Any = webhooks  # called by the exchange, with itself
        self.cycle = Exchange(
            scope={
                "method": self.parser.get_method().decode("ascii"),
                "path": path,
                "query_string": query_string,
                "headers": self.headers,
                "client": self.client,
            },
            transport=self.transport,
            flow=self.flow,
            logger=self.logger,
            access_logger=self.access_logger,
            access_log=False,
            default_headers=self.server_state.default_headers,
            message_event=asyncio.Event(),
            expect_100_continue=self.expect_100_continue,
            keep_alive=self.parser.get_http_version() != "1.0" and self.parser.should_keep_alive(),
            on_response=self.on_response_complete,
        )
        if is_next:
            self._start_asgi_task(self.cycle, answers)
        else:
            self.flow.pause_reading()
            self.pipeline.appendleft((self.cycle, answers))

    def on_response_complete(self) -> None:
        """Give the next head its time where it has begun; else uvicorn waits for one."""
        super().on_response_complete()
        if self._is_in_head and self._head_timer is None and not self.transport.is_closing():
            self._unset_keepalive_if_required()
            self._wait_for_head()

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP with 400, and a head that was refused with 431."""
        if self._is_too_large:
            self._refuse_head()
        else:
            super().send_400_response(msg)

    def _is_serving(self) -> bool:
        cycle: object = self.cycle  # None before the first request, whatever uvicorn's types say
        return cycle is not None and not self.cycle.response_complete

    def _wait_for_head(self) -> None:
        self._head_timer = self.loop.call_later(self.policy.head_timeout_s, self._head_too_slow)

    def _stop_waiting(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _head_too_slow(self) -> None:
        self._head_timer = None
        if self._is_in_head:
            self._hang_up(b"408 Request Timeout")
        else:  # the request was answered, and its body never ended
            self.transport.close()

    def _watch_writing(self) -> None:
        self._unsent_bytes = self.transport.get_write_buffer_size()
        self._write_timer = self.loop.call_later(self.policy.write_stall_s, self._look_at_writing)

    def _look_at_writing(self) -> None:
        if self.transport.get_write_buffer_size() >= self._unsent_bytes:
            self.transport.abort()
        else:
            self._watch_writing()

    def _stop_watching(self) -> None:
        if self._write_timer is not None:
            self._write_timer.cancel()
            self._write_timer = None

    def _refuse_head(self) -> None:
        self._hang_up(b"431 Request Header Fields Too Large")

    def _hang_up(self, status: bytes) -> None:
        if not self.transport.is_closing():
            self.transport.write(
                b"HTTP/1.1 " + status + b"\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
            )
            self.transport.close()


class Listener(uvicorn.Server):
    """One listening socket; lives in the root TaskGroup and leaves signals to app.py."""

    def __init__(self, config: uvicorn.Config, bound: socket.socket) -> None:
        super().__init__(config)
        self._bound = bound
        self._stop = asyncio.Event()

    @property
    def port(self) -> int:
        """The port that was bound, also where 0 was asked for."""
        port: int = self._bound.getsockname()[1]
        return port

    async def serve_until(self, stop: asyncio.Event) -> None:
        """Serve until `stop` is set, then finish what is under way, within `stop_grace_s`.

        When cancelled, it closes socket and connections at once.
        """
        self._stop = stop
        try:
            await self.serve([self._bound])
        finally:
            self._close()

    async def main_loop(self) -> None:
        """Wait for the stop; without date header and request limit there is nothing to poll for."""
        await self._stop.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take no new connections, let running requests end; uvicorn would poll for this."""
        self._close_listening()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        running = list(self.server_state.tasks)
        if running:
            _, late = await asyncio.wait(running, timeout=self.config.timeout_graceful_shutdown)
            for task in late:
                task.cancel()

    def _close(self) -> None:
        self._close_listening()
        for connection in list(self.server_state.connections):
            connection.transport.close()

    def _close_listening(self) -> None:
        for one in getattr(self, "servers", ()):
            one.close()
        self._bound.close()

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Leave signals alone: app.py has them."""
        yield


def listener(
    app: App, host: str, port: int, policy: ApiPolicy, webhooks: TakesWebhook | None = None
) -> Listener:
    """Bind `host` and `port` (0: a free one) and prepare to serve there.

    Args:
        app: answers all requests, but for those to channels where `webhooks` is given.
        host: address to listen at.
        port: 0: a free one.
        policy: limits.
        webhooks: answers requests to channels, without ASGI.

    Raises:
        OSError: the port is taken, or not ours to take.
    """
    protocol = type(
        "Protocol",
        (BoundedProtocol,),
        {"policy": policy, "webhooks": webhooks and staticmethod(webhooks)},
    )
    config = uvicorn.Config(
        app,
        loop="none",  # app.py runs the loop
        http=protocol,
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        access_log=False,
        proxy_headers=False,  # trusted proxies are ours to judge: sources.py
        server_header=False,
        date_header=False,
        backlog=policy.backlog,
        timeout_keep_alive=policy.keep_alive_s,
        timeout_graceful_shutdown=policy.stop_grace_s,
    )
    return Listener(config, _bound(host, port, policy.backlog))


def _bound(host: str, port: int, backlog: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio sets TCP_NODELAY only where the protocol is said: 40 ms an answer, measured.
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host, port))
        bound.listen(backlog)
    except OSError:
        bound.close()
        raise
    bound.setblocking(False)
    return bound
