"""Load generator and platform in one process of its own: raw protocols, so that they cost little.

Reads one JSON order a line on stdin, writes one JSON line of figures for each:
`{"port", "paths", "in_flight", "seconds", "lanes"?, "per_s"?, "untimed_s"?, "is_acked_only"?, "is_each"?}`.
Messages go round over `lanes` conversations, at least one for each in flight. With `per_s` the loop is
open: messages come due at that rate whether or not anybody answers, and are timed from when they were
due; those of the first `untimed_s` are not. `is_each` asks for every time as well.
"""

import asyncio
import itertools
import json
import sys
import time
from collections import deque
from collections.abc import Callable
from typing import Any

import httptools
import uvloop

from benchmarks import onebot
from benchmarks.machine import percentile
from benchmarks.onebot import ReverseSocket

Json = dict[str, Any]
#: Bytes of text in each message: with its JSON a body of about 1 KB, as platforms send.
TEXT_BYTES = 900
LATE_S = 10.0
#: What the platform answers: ours reads `id`, a OneBot adapter the rest.
_TAKEN_BODY = b'{"id":"1","status":"ok","retcode":0,"data":{"message_id":1}}'
TAKEN = (
    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
    % len(_TAKEN_BODY)
) + _TAKEN_BODY


class PlatformSide(asyncio.Protocol):
    """Takes messages over HTTP and answers at once."""

    def __init__(self, arrive: Any) -> None:
        self._arrive = arrive
        self._parser = httptools.HttpRequestParser(self)
        self._body: list[bytes] = []
        self._transport: Any = None

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_body(self, body: bytes) -> None:
        self._body.append(body)

    def on_message_complete(self) -> None:
        said = json.loads(b"".join(self._body))
        self._body.clear()
        text = said["text"] if "text" in said else said["message"][0]["data"]["text"]
        self._arrive(text)
        self._transport.write(TAKEN)


class Poster(asyncio.Protocol):
    """One keep-alive connection to the gateway: one request at a time."""

    def __init__(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._answered: asyncio.Future[int] | None = None
        self._transport: Any = None

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        assert self._answered is not None
        self._answered.set_result(self._parser.get_status_code())
        self._parser = httptools.HttpResponseParser(self)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._answered is not None and not self._answered.done():
            self._answered.set_exception(ConnectionError())

    def hang_up(self) -> None:
        """Close the connection."""
        self._transport.close()

    async def post(self, path: str, body: bytes) -> int:
        """Send one request; its status."""
        self._answered = asyncio.get_running_loop().create_future()
        self._transport.write(
            b"POST %b HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
            b"X-Self-ID: 1\r\nContent-Length: %d\r\n\r\n" % (path.encode(), len(body)) + body
        )
        return await self._answered


def event(message_id: str, number: int, style: str) -> Json:
    """Write a webhook's body as a ferry reads it, or as OneBot v11 has it."""
    text = message_id.ljust(TEXT_BYTES, ".")
    if style:
        return onebot.event(text, number)
    return {"id": message_id, "from": f"p{number}", "text": text}


class World:
    """Runs orders."""

    def __init__(self) -> None:
        self._waiting: dict[str, asyncio.Future[float]] = {}
        self._runs = itertools.count()

    def arrive(self, message_id: str) -> None:
        """A reply reached the platform."""
        waiting = self._waiting.pop(message_id.rstrip("."), None)
        if waiting is not None and not waiting.done():
            waiting.set_result(time.perf_counter())

    async def run(self, order: Json) -> Json:
        """Carry out one order; its figures."""
        run = Run(self._waiting, order, next(self._runs), self.arrive)
        await run.open()
        began = time.perf_counter()
        if order.get("per_s"):
            await run.open_loop()
        else:
            await run.closed_loop()
        took = time.perf_counter() - began
        await run.close()
        return run.figures(took)


class Run:
    """One order: closed or open loop."""

    def __init__(
        self,
        waiting: dict[str, asyncio.Future[float]],
        order: Json,
        number: int,
        arrive: Callable[[str], None],
    ) -> None:
        self._waiting = waiting
        self._arrive = arrive
        self._socket: ReverseSocket | None = None
        self._order = order
        self._number = number
        self._free: deque[tuple[int, Poster | ReverseSocket]] = deque()
        self._freed = asyncio.Event()
        self._posters: list[Poster] = []
        self._acked: list[float] = []
        self._done: list[float] = []
        self._failed = 0
        self._timed_from = 0.0
        in_flight = order["in_flight"]
        self._rounds = max(1, order.get("lanes", in_flight) // in_flight)

    async def open(self) -> None:
        """Connect."""
        loop = asyncio.get_running_loop()
        if self._order.get("style") == "onebot_socket":
            self._socket = ReverseSocket(self._arrive)
            await self._socket.open(self._order["port"], self._order["paths"][0])
            self._free.extend((number, self._socket) for number in range(self._order["in_flight"]))
            return
        for number in range(self._order["in_flight"]):
            _, poster = await loop.create_connection(Poster, "127.0.0.1", self._order["port"])
            self._posters.append(poster)
            self._free.append((number, poster))

    async def close(self) -> None:
        """Hang up."""
        if self._socket is not None:
            await self._socket.close()
        for poster in self._posters:
            poster.hang_up()

    async def closed_loop(self) -> None:
        """Each connection sends its next message when the reply to the last one has arrived."""
        ends_at = time.perf_counter() + self._order["seconds"]

        async def worker(number: int, poster: Poster | ReverseSocket) -> None:
            for count in itertools.count():
                due = time.perf_counter()
                if due >= ends_at:
                    return
                lane = number + count % self._rounds * self._order["in_flight"]
                await self._one(lane, poster, f"{self._number}-{number}-{count}", due)

        await asyncio.gather(*(worker(number, poster) for number, poster in self._free))

    async def open_loop(self) -> None:
        """Messages come due at a steady rate; a message without a free connection waits."""
        began = time.perf_counter()
        self._timed_from = began + self._order.get("untimed_s", 0.0)
        total = int(self._order["per_s"] * self._order["seconds"])
        async with asyncio.TaskGroup() as tasks:
            for count in range(total):
                due = began + count / self._order["per_s"]
                await asyncio.sleep(max(0.0, due - time.perf_counter()))
                while not self._free:
                    self._freed.clear()
                    await self._freed.wait()
                number, poster = self._free.popleft()
                tasks.create_task(self._borrowed(number, poster, f"{self._number}-o-{count}", due))

    async def _borrowed(
        self, number: int, poster: Poster | ReverseSocket, message_id: str, due: float
    ) -> None:
        await self._one(number, poster, message_id, due)
        self._free.append((number, poster))
        self._freed.set()

    async def _one(
        self, lane: int, poster: Poster | ReverseSocket, message_id: str, due: float
    ) -> None:
        paths = self._order["paths"]
        body = json.dumps(event(message_id, lane, self._order.get("style", ""))).encode()
        arrived = self._waiting[message_id] = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(LATE_S):
                status = await poster.post(paths[lane % len(paths)], body)
                acked_at = time.perf_counter()
                if not 200 <= status < 300:
                    self._failed += 1
                    return
                arrived_at = 0.0 if self._order.get("is_acked_only") else await arrived
                if due >= self._timed_from:
                    self._acked.append(acked_at - due)
                    self._done.append(arrived_at - due)
        except (TimeoutError, ConnectionError):
            self._failed += 1
        finally:
            self._waiting.pop(message_id, None)

    def figures(self, took: float) -> Json:
        """What was measured."""
        done = self._acked if self._order.get("is_acked_only") else self._done
        return {
            "messages": len(done),
            "failed": self._failed,
            "seconds": round(took, 3),
            "per_s": round(len(done) / took, 1),
            "p50_ms": round(percentile(done, 0.50) * 1e3, 3),
            "p99_ms": round(percentile(done, 0.99) * 1e3, 3),
            "ack_p50_ms": round(percentile(self._acked, 0.50) * 1e3, 3),
            "ack_p99_ms": round(percentile(self._acked, 0.99) * 1e3, 3),
            **({"each_ms": [one * 1e3 for one in done]} if self._order.get("is_each") else {}),
        }


async def main() -> None:
    """Serve orders until stdin closes."""
    world = World()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: PlatformSide(world.arrive), "127.0.0.1", 0)
    _say({"port": server.sockets[0].getsockname()[1]})
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        _say(await world.run(json.loads(line)))


def _say(document: Json) -> None:
    sys.stdout.write(json.dumps(document) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    uvloop.run(main())
