"""A chat page's stream, read event by event."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp


class Page:
    """An open stream: what it was told so far."""

    def __init__(self, answer: aiohttp.ClientResponse) -> None:
        self.answer = answer
        self.last_id = ""
        self.marks: list[tuple[str, str]] = []
        self.frames: list[dict[str, Any]] = []
        self.ended = False

    async def until(self, text: str, mark: str) -> None:
        """Read until a line with this text has this mark."""
        async with asyncio.timeout(5):
            while (text, mark) not in self.marks:
                await self.read()

    async def read(self) -> None:
        """Read one event."""
        event, fields = "", {}
        while not event.endswith("\n\n"):
            piece = await self.answer.content.readline()
            assert piece, "the stream ended"
            event += piece.decode()
        for one in event.strip().splitlines():
            name, _, value = one.partition(": ")
            fields[name] = value
        self.last_id = fields.get("id", self.last_id)
        if fields.get("event") == "lines":
            told = json.loads(fields["data"])
            self.frames.append(told)
            self.marks += [(one["text"], one["mark"]) for one in told["lines"]]
        self.ended = self.ended or fields.get("event") == "ended"


@asynccontextmanager
async def opened_page(
    http: aiohttp.ClientSession, key: str, token: str, last_id: str = ""
) -> AsyncIterator[Page]:
    """The stream of one visit."""
    headers = {"Authorization": f"Bearer {token}"}
    headers |= {"Last-Event-ID": last_id} if last_id else {}
    async with http.get(f"/wunder/chat/{key}/events", headers=headers) as answer:
        assert answer.status == 200
        assert answer.headers["Content-Type"].startswith("text/event-stream")
        yield Page(answer)
