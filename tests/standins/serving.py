"""What every stand-in's server does alike: listen, call the webhook, hang, break off, be driven."""

import argparse
import asyncio
import contextlib
import signal
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any, ClassVar, Protocol, Self

import aiohttp
from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Posted(Protocol):
    """A request that a platform makes to the webhook."""

    @property
    def body(self) -> bytes: ...

    @property
    def headers(self) -> Any: ...


class StandinServer:
    """A platform's API over HTTP, and /standin to drive it; `async with` starts and stops it.

    A platform gives its `routes`, its middleware `_answer`, and what its faults are made of.
    """

    fault_kind: ClassVar[Callable[..., Any]]
    max_body_bytes: ClassVar[int] = 8 * 1024**2
    platform: Any

    def __init__(self, host: str = "127.0.0.1", port: int = 0) -> None:
        self.webhook_url = ""
        self.url = ""
        self._host, self._port = host, port
        #: Set as soon as a request hangs.
        self.is_hanging = asyncio.Event()
        self._stopping = asyncio.Event()

    def routes(self) -> list[web.RouteDef]:
        """Return the platform's own routes, and those of /standin that only it has."""
        raise NotImplementedError

    @web.middleware
    async def _answer(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Say what the platform says when it refuses."""
        raise NotImplementedError

    async def __aenter__(self) -> Self:
        app = web.Application(middlewares=[self._answer], client_max_size=self.max_body_bytes)
        app.add_routes(self.routes())
        app.add_routes(
            [
                web.get("/standin/sent", self._sent),
                web.post("/standin/webhook", self._set_webhook),
                web.post("/standin/fault", self._add_fault),
            ]
        )
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, self._host, self._port).start()
        self.url = f"http://{self._host}:{self._runner.addresses[0][1]}"
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30))
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stopping.set()
        await self._session.close()
        await self._runner.cleanup()

    def stop_hanging(self) -> None:
        """Let go of the requests that hang: their connections are reset."""
        self._stopping.set()

    async def _post_callback(self, callback: Posted) -> tuple[int, bytes]:
        """Post a callback to the webhook; status 0 if nobody answers."""
        try:
            async with self._session.post(
                self.webhook_url, data=callback.body, headers=callback.headers
            ) as answer:
                return answer.status, await answer.read()
        except (aiohttp.ClientError, TimeoutError) as error:
            return 0, type(error).__name__.encode()

    async def _hang(self, request: web.Request, most_s: float) -> web.StreamResponse:
        """Say nothing for a while, then break off."""
        self.is_hanging.set()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(most_s):
                await self._stopping.wait()
        return reset_connection(request)

    async def _sent(self, _request: web.Request) -> web.StreamResponse:
        return web.json_response(self.platform.report())

    async def _set_webhook(self, request: web.Request) -> web.StreamResponse:
        self.webhook_url = str((await request.json())["url"])
        return web.json_response({"url": self.webhook_url})

    async def _add_fault(self, request: web.Request) -> web.StreamResponse:
        self.platform.faults.append(type(self).fault_kind(**await request.json()))
        return web.json_response({"faults": len(self.platform.faults)})

    async def _reset(self, _request: web.Request) -> web.StreamResponse:
        self.platform.reset()
        return web.json_response({})


def reset_connection(request: web.Request) -> web.StreamResponse:
    """Break off without an answer."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)


def as_json(answer: tuple[int, bytes]) -> dict[str, Any]:
    """Return a webhook's answer as /standin tells it."""
    return {"status": answer[0], "body": answer[1].decode("utf-8", "replace")[:2000]}


def arguments(name: str) -> argparse.ArgumentParser:
    """Return a parser of what every stand-in's process takes; secrets come from files only."""
    parser = argparse.ArgumentParser(prog=f"python -m tests.standins.{name}")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--webhook-url", default="")
    return parser


async def serve_until_signal(
    standin: StandinServer, webhook_url: str, line: Callable[[], str]
) -> None:
    """Serve until SIGINT or SIGTERM; say first where, in one JSON line."""
    async with standin:
        standin.webhook_url = webhook_url
        print(line(), flush=True)  # noqa: T201 - whoever started it reads this line
        stopped = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stopped.set)
        await stopped.wait()
