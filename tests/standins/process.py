"""A stand-in, or a channel, as a process of its own, in the two ways that tests drive one."""

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Self
from urllib.request import Request, urlopen

ROOT = Path(__file__).resolve().parents[2]


class StandinProcess:
    """Start it, tell it where the webhook is, have it send, see what arrived: over its HTTP."""

    def __init__(self, module: str, *options: str) -> None:
        command = [sys.executable, "-m", module, *options]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT)
        assert self._process.stdout is not None
        self.url = json.loads(self._process.stdout.readline())["url"]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(10)
        assert self._process.stdout is not None
        self._process.stdout.close()

    def tell(self, what: str, **body: Any) -> Any:
        """POST /standin/<what>."""
        headers = {"Content-Type": "application/json"}
        request = Request(f"{self.url}/standin/{what}", json.dumps(body).encode(), headers)
        with urlopen(request, timeout=30) as answer:
            return json.loads(answer.read() or b"null")

    def sent(self) -> list[dict[str, Any]]:
        """What has arrived, oldest first."""
        with urlopen(f"{self.url}/standin/sent", timeout=30) as answer:
            messages: list[dict[str, Any]] = json.loads(answer.read())["messages"]
        return messages

    def texts(self, peer: str | None = None) -> list[str]:
        """The texts that have arrived, of all or of one peer."""
        return [one["text"] for one in self.sent() if peer in (None, one.get("peer"))]


@asynccontextmanager
async def running(*command: str, **options: Any) -> AsyncIterator[asyncio.subprocess.Process]:
    """A process that is gone when the block ends."""
    process = await asyncio.create_subprocess_exec(*command, **options)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        async with asyncio.timeout(5):
            await process.wait()


async def line_of(process: asyncio.subprocess.Process) -> dict[str, Any]:
    """The next JSON line it writes."""
    assert process.stdout is not None
    async with asyncio.timeout(20):
        said = json.loads(await process.stdout.readline())
    assert isinstance(said, dict)
    return said
