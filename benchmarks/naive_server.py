"""What the journey is compared with: an echo bot in one process, with and without a database.

    python -m benchmarks.naive_server PLATFORM_URL [DATABASE]

Without a database: take, answer 200, echo; a crash loses what is under way. With one: three commits
a message, one row each, as straightforward code does it. Neither has a plugin process, lanes,
retries or de-duplication. Same server (uvicorn, httptools, uvloop) and client (aiohttp) as ours.
"""

import asyncio
import json
import sqlite3
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import aiohttp
import uvicorn
import uvloop

SCHEMA = """
CREATE TABLE inbound (id TEXT PRIMARY KEY, sender TEXT, body TEXT);
CREATE TABLE outbox (id TEXT PRIMARY KEY, sender TEXT, body TEXT, state TEXT);
CREATE INDEX outbox_state ON outbox (state);
"""


class Rows:
    """One connection, one thread, one commit a row."""

    def __init__(self, path: str) -> None:
        self._thread = ThreadPoolExecutor(1)
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = FULL")
        self._db.executescript(SCHEMA)

    async def write(self, sql: str, *values: Any) -> None:
        """Commit one statement."""
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._thread, self._db.execute, sql, values)


class Bot:
    """The ASGI application."""

    def __init__(self, platform: str, rows: Rows | None) -> None:
        self._platform = platform
        self._rows = rows
        self._http: aiohttp.ClientSession | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Take one message and answer; the echo follows."""
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        event = json.loads(body)
        if self._rows:
            values = (event["id"], event["from"], event["text"])
            await self._rows.write("INSERT INTO inbound VALUES (?, ?, ?)", *values)
        if scope["path"] != "/ack":
            task = asyncio.get_running_loop().create_task(self._echo(event))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"ok"})

    async def _echo(self, event: dict[str, Any]) -> None:
        if self._http is None:
            self._http = aiohttp.ClientSession()
        if self._rows:
            values = (event["id"], event["from"], event["text"])
            await self._rows.write("INSERT INTO outbox VALUES (?, ?, ?, 'pending')", *values)
        reply = json.dumps({"to": event["from"], "text": event["text"], "key": event["id"]})
        async with self._http.post(self._platform, data=reply.encode()) as answer:
            await answer.read()
        if self._rows:
            await self._rows.write("UPDATE outbox SET state = 'sent' WHERE id = ?", event["id"])


def main() -> None:
    """Serve on a free port, printed as JSON."""
    rows = Rows(sys.argv[2]) if len(sys.argv) > 2 else None
    config = uvicorn.Config(
        Bot(sys.argv[1], rows), port=0, log_config=None, access_log=False, lifespan="off"
    )
    bound = config.bind_socket()
    sys.stdout.write(json.dumps({"port": bound.getsockname()[1]}) + "\n")
    sys.stdout.flush()
    uvloop.run(uvicorn.Server(config).serve([bound]))


if __name__ == "__main__":
    main()
