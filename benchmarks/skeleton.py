"""The least that the journey costs: the same wires, the same plugin, three group commits, and no gateway.

    python -m benchmarks.skeleton PLATFORM_URL DATABASE

Webhook, plugin, commit, answer, commit, plugin, platform, commit: one row each, in batches, fsync FULL.
There is one account, and nothing is decided: no lanes, fences, retries, limits, sessions, trail or
breakers, no errors and no restart. What the gateway takes beyond this is the price of its promises.
"""

import asyncio
import base64
import contextlib
import gc
import itertools
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httptools
import msgspec
import uvloop

from benchmarks.ferry import SDK_FERRY
from wunder_sdk.plugin_process import BOOT
from wunder_wire import codec

Json = dict[str, Any]
SCHEMA = """
CREATE TABLE inbound (id TEXT PRIMARY KEY, peer TEXT, text TEXT) WITHOUT ROWID;
CREATE TABLE outbox (id TEXT PRIMARY KEY, peer TEXT, text TEXT, state TEXT) WITHOUT ROWID;
"""
TAKE_IN = "INSERT INTO inbound VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
QUEUE = "INSERT INTO outbox VALUES (?, ?, ?, 'sending')"
SETTLE = "UPDATE outbox SET state = 'sent' WHERE id = ?"
ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
#: A plugin of the SDK takes 64.
CALLS_AT_ONCE = 60
CHECKPOINT_PAGES = 4_096
_decode = msgspec.json.Decoder().decode


class Store:
    """One writer thread; what a tick of the loop wrote shares a commit."""

    def __init__(self, path: str, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = FULL")
        self._db.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
        self._db.executescript(SCHEMA)
        self._tick: list[tuple[str, tuple[Any, ...], Callable[[], None]]] = []
        self._queue: list[tuple[str, tuple[Any, ...], Callable[[], None]]] = []
        self._turnstile = threading.Condition()
        threading.Thread(target=self._write, daemon=True).start()

    def write(self, sql: str, row: tuple[Any, ...], then: Callable[[], None]) -> None:
        """Commit a row; `then` is called on the loop when it is on the disk."""
        if not self._tick:
            self._loop.call_soon(self._hand_over)
        self._tick.append((sql, row, then))

    def _hand_over(self) -> None:
        with self._turnstile:
            self._queue += self._tick
            self._tick = []
            self._turnstile.notify()

    def _write(self) -> None:
        while True:
            with self._turnstile:
                while not self._queue:
                    self._turnstile.wait()
                jobs, self._queue = self._queue, []
            self._db.execute("BEGIN IMMEDIATE")
            for sql, row, _ in jobs:
                self._db.execute(sql, row)
            self._db.execute("COMMIT")
            self._loop.call_soon_threadsafe(_tell, [then for _, _, then in jobs])


class Plugin:
    """The ferry in a process of its own, called by frames of protocol 1."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._app = tempfile.TemporaryDirectory()
        Path(self._app.name, "plugin.py").write_text(SDK_FERRY, "utf-8")
        self.process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-B", str(BOOT), self._app.name, "plugin"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={"PATH": os.environ["PATH"], "WUNDER_COOKIE": "bench"},
            bufsize=0,
        )
        assert self.process.stdin
        assert self.process.stdout
        self._in, self._out = self.process.stdin.fileno(), self.process.stdout.fileno()
        self._ids = itertools.count(1)
        self._waiting: dict[int, Callable[[Json], None]] = {}
        self._later: deque[tuple[str, Json, Callable[[Json], None]]] = deque()
        self._unsent = self._unread = b""
        os.set_blocking(self._in, False)
        os.set_blocking(self._out, False)
        loop.add_reader(self._out, self._read)

    def call(self, method: str, params: Json, then: Callable[[Json], None]) -> None:
        """Call a method; `then` takes its result."""
        if len(self._waiting) >= CALLS_AT_ONCE:
            self._later.append((method, params, then))
            return
        number = next(self._ids)
        self._waiting[number] = then
        if not self._unsent:
            self._loop.call_soon(self._flush)
        self._unsent += codec.request_line(number, method, params)

    def _flush(self) -> None:
        with contextlib.suppress(BlockingIOError):
            self._unsent = self._unsent[os.write(self._in, self._unsent) :]
        if self._unsent:
            self._loop.call_later(0.001, self._flush)

    def _read(self) -> None:
        *lines, self._unread = (self._unread + os.read(self._out, 1 << 20)).split(b"\n")
        for line in lines:
            frame = _decode(line)
            if "result" in frame:
                self._waiting.pop(frame["id"])(frame["result"])
            elif "error" in frame:
                raise SystemExit(f"the plugin refused a call of the skeleton: {frame['error']}")
            if self._later:
                self.call(*self._later.popleft())


class Skeleton:
    """Takes messages and echoes them."""

    def __init__(self, platform: str, store: Store, plugin: Plugin) -> None:
        self.store, self.plugin = store, plugin
        config = {"platform": platform}
        self._account = {"account_id": "a", "rev": 1, "config": config, "channel": "ferry"}

    def parse(
        self, headers: list[tuple[str, str]], body: bytes, then: Callable[[Json], None]
    ) -> None:
        """Ask the plugin what a webhook holds."""
        http = {
            "method": "POST",
            "path": "/",
            "query": [],
            "headers": headers,
            "body_b64": base64.b64encode(body).decode(),
            "remote_addr": "127.0.0.1",
            "received_ms": int(time.time() * 1000),
        }
        params = {"account": self._account, "http": http}
        self.plugin.call("channel.parse_inbound", params, lambda said: then(said["messages"][0]))

    def echo(self, said: Json) -> None:
        """Queue the reply, send it, and note that it was sent."""
        key, peer, text = said["message_id"], said["peer"], said["text"]
        message = {
            "channel": "ferry",
            "account_id": "a",
            "peer": peer,
            "text": text,
            "reply_to": key,
        }
        send = {"account": self._account, "message": message, "idempotency_key": key}

        def queued() -> None:
            self.plugin.call("channel.send_outbound", send, sent)

        def sent(_result: Json) -> None:
            self.store.write(SETTLE, (key,), _nothing)

        self.store.write(QUEUE, (key, peer["id"], text), queued)


class Front(asyncio.Protocol):
    """One connection of the platform: a request at a time."""

    def __init__(self, skeleton: Skeleton) -> None:
        self._skeleton = skeleton
        self._parser = httptools.HttpRequestParser(self)
        self._headers: list[tuple[str, str]] = []
        self._body: list[bytes] = []
        self._transport: Any = None

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers.append((name.decode("latin-1"), value.decode("latin-1")))

    def on_body(self, body: bytes) -> None:
        self._body.append(body)

    def on_message_complete(self) -> None:
        headers, body = self._headers, b"".join(self._body)
        self._headers, self._body = [], []
        self._skeleton.parse(headers, body, self._parsed)

    def _parsed(self, said: Json) -> None:
        row = (said["message_id"], said["peer"]["id"], said["text"])
        self._skeleton.store.write(TAKE_IN, row, lambda: self._taken(said))

    def _taken(self, said: Json) -> None:
        self._transport.write(ANSWER)
        self._skeleton.echo(said)


def _tell(waiting: list[Callable[[], None]]) -> None:
    for then in waiting:
        then()


def _nothing() -> None:
    return


async def _serve(platform: str, database: str) -> None:
    loop = asyncio.get_running_loop()
    plugin = Plugin(loop)
    shaken: asyncio.Future[Json] = loop.create_future()
    hello = {
        "protocols": [1],
        "cookie": "bench",
        "host": {"name": "skeleton", "version": "0", "instance_id": "0"},
        "plugin": {"plugin_id": "ferry", "version": "1.0.0"},
        "limits": {"max_frame_bytes": 1_048_576, "max_message_bytes": 524_288},
        "timeouts_ms": {},
    }
    plugin.call("plugin.handshake", hello, shaken.set_result)
    await shaken
    skeleton = Skeleton(platform, Store(database, loop), plugin)
    server = await loop.create_server(lambda: Front(skeleton), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    sys.stdout.write(json.dumps({"port": port, "plugin": plugin.process.pid}) + "\n")
    sys.stdout.flush()
    gc.freeze()
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(_serve(sys.argv[1], sys.argv[2]))
