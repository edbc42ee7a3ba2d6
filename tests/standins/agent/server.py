"""A small agent over HTTP, in the mood a test wants; it checks every signature."""

import asyncio
import hashlib
import hmac
import json
from collections import deque
from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


class AgentServer:
    """Echoes as JSON unless told otherwise. A wrong signature gets 401."""

    def __init__(self, secret: str) -> None:
        self.secret = secret
        self.turns: list[dict] = []
        self.was_asked = asyncio.Event()
        self.headers: list[Mapping[str, str]] = []
        self.answers: deque[Answer] = deque()
        self.go_on = asyncio.Event()
        self.go_on.set()
        self.url = ""
        self._runner: web.AppRunner | None = None

    # --- how a test changes the world --------------------------------------------------------

    def answer(self, body: object = "", status: int = 200, **headers: str) -> None:
        """Answer the next request with this status and body."""
        text = body if isinstance(body, str) else json.dumps(body)
        kind = headers.pop("content_type", "application/json")

        async def reply(request: web.Request) -> web.StreamResponse:
            return web.Response(status=status, text=text, content_type=kind, headers=headers)

        self.answers.append(reply)

    def stream(
        self, *chunks: bytes, then_wait: bool = False, wait_before_last: bool = False
    ) -> None:
        """Answer the next request with an event stream, in these pieces."""

        async def reply(request: web.Request) -> web.StreamResponse:
            answer = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
            await answer.prepare(request)
            for number, chunk in enumerate(chunks, 1):
                if wait_before_last and number == len(chunks):
                    await self.go_on.wait()
                await answer.write(chunk)
            if then_wait:
                await self.go_on.wait()
            return answer

        self.answers.append(reply)

    def hang(self) -> None:
        """Take requests and answer none until the server stops."""
        self.go_on.clear()

    # --- the server ----------------------------------------------------------------------------

    async def start(self) -> None:
        app = web.Application()
        app.router.add_post("/turns", self._turn)
        self._runner = web.AppRunner(app, shutdown_timeout=1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/turns"

    async def stop(self) -> None:
        self.go_on.set()
        if self._runner is not None:
            await self._runner.cleanup()

    async def _turn(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        if not self._is_signed(request.headers.get("X-Wunder-Signature", ""), body):
            return web.Response(status=401)
        self.turns.append(json.loads(body))
        self.headers.append(request.headers)
        self.was_asked.set()
        if self.answers:
            return await self.answers.popleft()(request)
        await self.go_on.wait()
        return web.json_response({"replies": [{"text": self.turns[-1]["message"]["text"]}]})

    def _is_signed(self, header: str, body: bytes) -> bool:
        parts = dict(part.split("=", 1) for part in header.split(",") if "=" in part)
        signed = parts.get("t", "").encode() + b"." + body
        digest = hmac.new(self.secret.encode(), signed, hashlib.sha256).hexdigest()
        return hmac.compare_digest(digest, parts.get("v1", ""))
