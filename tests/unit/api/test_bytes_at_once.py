"""Bodies in memory are bounded together, and shared fairly between the addresses they come to."""

import asyncio

from tests.unit.api.conftest import OpenDoor, World
from wunder.api.parts import ApiPolicy

URL = "/wunder/channel/parrot/{}/webhook"
BODY = b"x" * 500


async def test_bodies_beyond_the_room_are_sent_away_before_they_are_read(
    open_door: OpenDoor, world: World
) -> None:
    door = await open_door(ApiPolicy(webhook_bytes_at_once=1_000))
    world.room1.gate = asyncio.Event()
    first = asyncio.create_task(door.post(URL.format("a"), data=BODY))
    await world.room1.entered.wait()
    async with door.http.post(URL.format("a"), data=BODY) as answer:
        assert answer.status == 503
        assert int(answer.headers["Retry-After"]) >= 1
        assert (await answer.json(content_type=None))["code"] == "too_much_at_once"
    world.room1.entered.clear()
    other = asyncio.create_task(door.post(URL.format("b"), data=b"x" * 200))
    await world.room1.entered.wait()
    world.room1.gate.set()
    assert await first == await other == 200
    assert await door.post(URL.format("a"), data=BODY) == 200, "room is given back"
    assert len(world.room1.seen) == 3


async def test_what_is_refused_or_breaks_gives_its_room_back(
    open_door: OpenDoor, world: World
) -> None:
    door = await open_door(ApiPolicy(webhook_bytes_at_once=1_000))
    world.room1.error = RuntimeError("a bug")
    for _ in range(5):
        assert await door.post(URL.format("a"), data=BODY) >= 500
    world.room1.error = None
    assert await door.post(URL.format("a"), data=BODY) == 200


async def test_a_get_with_a_body_of_unknown_length_is_counted_like_any_other(
    open_door: OpenDoor, world: World
) -> None:
    door = await open_door(ApiPolicy(webhook_bytes_at_once=1_000))
    world.room1.gate = asyncio.Event()
    first = asyncio.create_task(door.post(URL.format("a"), data=BODY))
    await world.room1.entered.wait()
    head = f"GET {URL.format('b')} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n"
    chunked = b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
    assert (await door.raw(head.encode() + chunked)).startswith(b"HTTP/1.1 503")
    world.room1.gate.set()
    assert (await door.raw(head.encode() + b"\r\n")).startswith(b"HTTP/1.1 200"), "no body, no room"
    assert await first == 200
