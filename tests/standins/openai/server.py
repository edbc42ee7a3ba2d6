"""A small endpoint that speaks OpenAI's chat completions, in the mood a test wants."""

import asyncio
import json
from collections import deque
from typing import TYPE_CHECKING

from aiohttp import web

if TYPE_CHECKING:
    from multidict import CIMultiDictProxy


class OpenAiServer:
    """Answers with the last user message in capitals unless told otherwise."""

    def __init__(self) -> None:
        self.requests: list[dict] = []
        self.headers: list[CIMultiDictProxy[str]] = []
        self.says: deque[object] = deque()
        self.answers: deque[tuple[int, object]] = deque()
        self.go_on = asyncio.Event()
        self.go_on.set()
        self.url = ""
        self._runner: web.AppRunner | None = None

    # --- how a test changes the world --------------------------------------------------------

    def say(self, content: object) -> None:
        """Put `content` into the next answer's message."""
        self.says.append(content)

    def fail(self, status: int, code: str = "") -> None:
        """Answer the next request with an error in OpenAI's form."""
        self.answers.append((status, {"error": {"message": "no", "code": code or None}}))

    def answer_raw(self, body: object, status: int = 200) -> None:
        """Answer the next request with something that is no completion."""
        self.answers.append((status, body))

    def hang(self) -> None:
        self.go_on.clear()

    # --- the server ----------------------------------------------------------------------------

    async def start(self) -> None:
        app = web.Application()
        app.router.add_post("/v1/chat/completions", self._complete)
        self._runner = web.AppRunner(app, shutdown_timeout=1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/v1"

    async def stop(self) -> None:
        self.go_on.set()
        if self._runner is not None:
            await self._runner.cleanup()

    async def _complete(self, request: web.Request) -> web.Response:
        asked = await request.json()
        self.requests.append(asked)
        self.headers.append(request.headers)
        await self.go_on.wait()
        if self.answers:
            status, body = self.answers.popleft()
            text = body if isinstance(body, str) else json.dumps(body)
            return web.Response(status=status, text=text, content_type="application/json")
        content = self.says.popleft() if self.says else asked["messages"][-1]["content"].upper()
        return web.json_response(_completion(asked["model"], content))


def _completion(model: str, content: object) -> dict:
    choice = {
        "index": 0,
        "finish_reason": "stop",
        "message": {"role": "assistant", "content": content},
    }
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": model,
        "choices": [choice],
    }
