"""A platform in the test's own process that takes messages at once and answers when it is told to."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any


class HeldPlatform:
    """Speaks what `rough_channel` speaks. `arrived` has each message as it came."""

    def __init__(self) -> None:
        self.port = 0
        self.arrived: list[dict[str, Any]] = []
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    def hold(self) -> None:
        """Answer nothing until `let_go`."""
        self.may_answer.clear()

    def let_go(self) -> None:
        """Answer everything that waits, and from now on at once."""
        self.may_answer.set()

    @property
    def texts(self) -> list[str]:
        """What arrived, in order."""
        return [one["text"] for one in self.arrived]

    async def speak(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        try:
            while line := await reader.readline():
                self.arrived.append(json.loads(line))
                await self.may_answer.wait()
                writer.write(json.dumps({"id": f"p-{len(self.arrived)}"}).encode() + b"\n")
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()


@asynccontextmanager
async def held_platform() -> AsyncIterator[HeldPlatform]:
    """Run one."""
    platform = HeldPlatform()
    server = await asyncio.start_server(platform.speak, "127.0.0.1", 0)
    platform.port = server.sockets[0].getsockname()[1]
    try:
        yield platform
    finally:
        platform.let_go()
        server.close()
