"""The listener: how it stops, and that an answer does not wait for the network's timers."""

import asyncio
import contextlib
import socket
from typing import Any

import pytest

from tests.unit.api.conftest import OpenDoor, World
from wunder.api.listener import listener
from wunder.api.parts import ApiPolicy

REQUEST = b"POST /wunder/channel/parrot/webhook HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n"


async def test_a_stop_lets_running_requests_end_and_refuses_new_ones(
    open_door: OpenDoor, world: World
) -> None:
    door = await open_door()
    world.room1.gate = asyncio.Event()
    running = asyncio.create_task(door.raw(REQUEST))
    await world.room1.entered.wait()
    door.stop.set()
    with pytest.raises(ConnectionError):
        while True:  # until the stop was seen
            _, writer = await asyncio.open_connection("127.0.0.1", door.port)
            writer.close()
            await asyncio.sleep(0.001)
    world.room1.gate.set()
    answer = await running
    assert answer.startswith(b"HTTP/1.1 200")
    assert b"connection: close" in answer


async def test_a_stop_waits_no_longer_than_it_may(world: World) -> None:
    hung = asyncio.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        hung.set()
        await asyncio.Event().wait()

    stop = asyncio.Event()
    bound = listener(app, "127.0.0.1", 0, ApiPolicy(stop_grace_s=0))
    serving = asyncio.create_task(bound.serve_until(stop))
    _, writer = await asyncio.open_connection("127.0.0.1", bound.port)
    writer.write(REQUEST)
    await hung.wait()
    stop.set()
    async with asyncio.timeout(5):
        await serving
    writer.close()


async def test_a_connection_too_many_is_closed_and_the_others_go_on(open_door: OpenDoor) -> None:
    door = await open_door(ApiPolicy(connections=1))
    async with asyncio.timeout(5):
        reader, writer = await asyncio.open_connection("127.0.0.1", door.port)
        writer.write(REQUEST)
        assert (await reader.readline()).startswith(b"HTTP/1.1 200")
        with contextlib.suppress(ConnectionError):
            assert await door.raw(REQUEST) == b""
        writer.write(REQUEST)
        while not (await reader.readline()).startswith(b"HTTP/1.1 200"):
            pass
        writer.close()


async def test_a_body_that_nobody_waits_for_keeps_no_connection_open(open_door: OpenDoor) -> None:
    door = await open_door(ApiPolicy(head_timeout_s=0.05))
    async with asyncio.timeout(5):
        reader, writer = await asyncio.open_connection("127.0.0.1", door.port)
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n")
        assert (await reader.readline()).startswith(b"HTTP/1.1 200")
        assert await reader.readuntil(b'"alive"}')
        writer.write(b"x")  # and no more of it, ever
        assert await reader.read() == b""
        writer.close()


async def test_who_takes_none_of_an_answer_is_left(world: World) -> None:
    done = asyncio.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        try:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            for _ in range(1_000):  # a hundred times what the buffers between the two hold
                await send({"type": "http.response.body", "body": b"x" * 65_536, "more_body": True})
        finally:
            done.set()

    stop = asyncio.Event()
    bound = listener(app, "127.0.0.1", 0, ApiPolicy(write_stall_s=0.05))
    serving = asyncio.create_task(bound.serve_until(stop))
    async with asyncio.timeout(10):
        _, writer = await asyncio.open_connection("127.0.0.1", bound.port)
        writer.write(REQUEST)
        await done.wait()
        stop.set()
        await serving
    writer.close()


async def test_who_takes_an_answer_slowly_is_not(world: World) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(200):
            await send({"type": "http.response.body", "body": b"x" * 65_536, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    stop = asyncio.Event()
    bound = listener(app, "127.0.0.1", 0, ApiPolicy(write_stall_s=1.0))
    serving = asyncio.create_task(bound.serve_until(stop))
    async with asyncio.timeout(30):
        reader, writer = await asyncio.open_connection("127.0.0.1", bound.port)
        writer.write(REQUEST)
        size = 0
        while size < 200 * 65_536:
            size += len(await reader.read(1_048_576))
        stop.set()
        await serving
    writer.close()


async def test_a_cancelled_listener_gives_its_port_back(world: World) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None: ...

    bound = listener(app, "127.0.0.1", 0, ApiPolicy())
    port = bound.port
    serving = asyncio.create_task(bound.serve_until(asyncio.Event()))
    await asyncio.sleep(0)
    serving.cancel()
    await asyncio.wait([serving])
    again = listener(app, "127.0.0.1", port, ApiPolicy())
    assert again.port == port
    again._bound.close()


def test_a_taken_port_is_said_when_binding_not_later() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None: ...

    first = listener(app, "127.0.0.1", 0, ApiPolicy())
    with pytest.raises(OSError, match="in use"):
        listener(app, "127.0.0.1", first.port, ApiPolicy())
    first._bound.close()


def test_answers_are_sent_at_once_by_asyncio_too() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None: ...

    bound = listener(app, "127.0.0.1", 0, ApiPolicy())
    assert bound._bound.proto == socket.IPPROTO_TCP  # what asyncio sets TCP_NODELAY by
    bound._bound.close()
