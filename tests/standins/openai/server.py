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
        self.breaks: deque[int] = deque()
        self.streams_plainly = False
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

    def break_off_after(self, deltas: int) -> None:
        """Close the next stream in its middle."""
        self.breaks.append(deltas)

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

    async def _complete(self, request: web.Request) -> web.StreamResponse:
        asked = await request.json()
        self.requests.append(asked)
        self.headers.append(request.headers)
        await self.go_on.wait()
        if self.answers:
            status, body = self.answers.popleft()
            text = body if isinstance(body, str) else json.dumps(body)
            return web.Response(status=status, text=text, content_type="application/json")
        content = self.says.popleft() if self.says else asked["messages"][-1]["content"].upper()
        if asked.get("stream") and not self.streams_plainly:
            return await self._stream(request, str(content))
        return web.json_response(_completion(asked["model"], content))

    async def _stream(self, request: web.Request, content: str) -> web.StreamResponse:
        answer = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await answer.prepare(request)
        ends_after = self.breaks.popleft() if self.breaks else None
        for count, start in enumerate(range(0, len(content), 4)):
            if count == ends_after:
                return answer
            await answer.write(_event({"content": content[start : start + 4]}))
        await answer.write(_event({}, "stop"))
        await answer.write(b"data: [DONE]\n\n")
        return answer


def _event(delta: dict, finish_reason: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
    chunk = {"id": "c", "object": "chat.completion.chunk", "created": 1, "choices": [choice]}
    return b"data: " + json.dumps(chunk, ensure_ascii=False).encode() + b"\n\n"


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
