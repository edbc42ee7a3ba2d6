"""A platform's request and its answer, on the connection they came by: webhooks go this short way.

ASGI between the connection and the webhook route cost 15 of the 53 us that a request took (ADR 0094).
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

from wunder.api.asgi import Header, Message, Send, refuse
from wunder.api.problems import Problem
from wunder.errors import RequestRefused
from wunder.observe.logs import get_logger

log = get_logger(__name__)

#: Paths below this one belong to channels.
PREFIX = "/wunder/channel/"


class Exchange(RequestResponseCycle):
    """One request to the webhook route.

    Whatever is rare (a body that comes in pieces, a refusal before its end) goes on by uvicorn's own
    means; a whole request and a whole answer need none of them.
    """

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self.status = 0  # stays 0 where the connection was closed unanswered
        self.method: str = self.scope["method"]
        self.path: str = self.scope["path"]
        self.query_string: bytes = self.scope["query_string"]
        self.headers: Iterable[Header] = self.scope["headers"]  # names in lower case
        client = self.scope["client"]
        self.client: str = client[0] if client else ""

    async def run_asgi(self, app: "TakesWebhook") -> None:  # type: ignore[override]  # no ASGI here
        """Have the request answered; what breaks on the way is a 500, or a closed connection."""
        try:
            await app(self)
        except Exception:
            log.exception("webhook_failed_inside")
            if not self.response_started:
                await self.send_500_response()
            elif not self.response_complete:
                self.transport.close()
        finally:
            self.on_response = _nothing

    async def whole_body(self, limit: int, timeout_s: float) -> bytes:
        """The body, as soon as it has come.

        Args:
            limit: bytes that it may have.
            timeout_s: how long its sender may take.

        Raises:
            RequestRefused: 400 cut off, 408 too slow, 413 too large.
        """
        if not self.more_body:
            return self._within(limit, bytes(self.body))
        chunks: list[bytes] = []
        size = 0
        try:
            async with asyncio.timeout(timeout_s):
                while True:
                    message: Message = await self._more()
                    if message["type"] == "http.disconnect":
                        raise RequestRefused(400, "body_cut_off")
                    chunks.append(self._within(limit - size, message["body"]))
                    size += len(chunks[-1])
                    if not message["more_body"]:
                        return b"".join(chunks)
        except TimeoutError:
            raise RequestRefused(408, "body_too_slow") from None

    async def answer(self, status: int, lines: bytes, body: bytes = b"") -> None:
        """Write a whole answer at once, and nothing where the sender has hung up.

        Args:
            status: HTTP status.
            lines: header lines, each with its end; the length and what ends the connection come here.
            body: bytes of the body, none with 204.
        """
        if self.flow.write_paused and not self.disconnected:
            await self.flow.drain()
        self.status = status
        if self.disconnected:
            return
        length = b"" if status == 204 else b"content-length: %d\r\n" % len(body)
        last = b"" if self.keep_alive else b"connection: close\r\n"
        self.transport.write(b"".join((STATUS_LINE[status], lines, length, last, b"\r\n", body)))
        self.response_started = self.response_complete = True
        self.message_event.set()
        if not self.keep_alive:
            self.transport.close()
        self.on_response()

    async def refuse(
        self, problem: Problem, headers: Iterable[Header] = (), *, is_read: bool = False
    ) -> None:
        """Answer with a problem document; before the body's end, close the connection politely."""
        self.status = problem.status
        send: Send = self.send  # type: ignore[assignment]  # of all that ASGI may say, what HTTP says
        await refuse(send, problem, headers, None if is_read else self._more)

    def hang_up(self) -> None:
        """Close the connection without an answer."""
        self.disconnected = True
        self.transport.abort()

    async def _more(self) -> Message:
        return dict(await self.receive())

    def _within(self, limit: int, body: bytes) -> bytes:
        if len(body) > limit:
            raise RequestRefused(413, "body_too_large")
        return body


#: Who answers an exchange.
TakesWebhook = Callable[[Exchange], Awaitable[None]]


def _nothing() -> None:
    return
