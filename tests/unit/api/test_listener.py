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
