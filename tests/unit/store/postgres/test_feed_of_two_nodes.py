"""Live events where two nodes write: each is told once, in order, whichever node a page is open on."""

import asyncio
from collections.abc import Sequence
from contextlib import ExitStack

import msgspec

from tests.contracts.store_world import World
from tests.contracts.test_session_table import session
from tests.contracts.test_user_table import user
from wunder.feed.frames import Figures, Frame
from wunder.feed.hub import FeedHub, Stream
from wunder.feed.minutes import Minute
from wunder.feed.order import PATIENCE_S
from wunder.model.ids import At
from wunder.model.trail import Event
from wunder.people.person import SessionHash

#: Together fewer than may wait for a page.
EACH = 100


def hub_of(world: World) -> FeedHub:
    async def living(hashes: Sequence[SessionHash]) -> set[SessionHash]:
        return await world.store.sessions.living(hashes, world.now, 3_600_000)

    return FeedHub(
        world.store.events, living, lambda: Figures({}, Minute(at=world.now)), world.clock
    )


def page(session_hash: SessionHash | None = None) -> Stream:
    return Stream(lambda event, frame: frame, session_hash, lambda: True)


def numbers(frames: list[Frame]) -> list[int]:
    found = [msgspec.json.decode(one.content.split(b"data: ")[1]) for one in frames]
    return [one["fields"]["number"] for one in found]


async def test_what_both_nodes_write_at_once_is_told_once_in_the_order_of_ids(
    nodes: tuple[World, World],
) -> None:
    hub, open_page = hub_of(nodes[0]), page()

    async def write(world: World, parity: int) -> None:
        for number in range(parity, 2 * EACH, 2):
            world.store.events.record(Event("plugin_ready", At(1), fields={"number": number}))
            await world.store.events.flush()

    told: list[Frame] = []
    with ExitStack() as opened:
        opened.enter_context(hub.listen(open_page))
        await hub.read()
        writing = asyncio.gather(write(nodes[0], 0), write(nodes[1], 1))
        while not writing.done():
            await hub.read()
            told += await open_page.take(0.001)
        await writing
        for _ in range(3):  # numbers that nobody used are waited for
            nodes[0].clock.advance(PATIENCE_S)
            await hub.read()
            told += await open_page.take(0.001)
    ids = [frame.event_id for frame in told]
    assert ids == sorted(ids)
    assert sorted(numbers(told)) == list(range(2 * EACH))


async def test_a_session_that_ends_on_one_node_closes_its_page_on_the_other(
    nodes: tuple[World, World],
) -> None:
    one, two = nodes
    await one.store.users.add(user())
    await one.store.sessions.add(session(seen_at=one.now, expires_at=At(one.now + 3_600_000)))
    hub, open_page = hub_of(two), page(session().session_hash)
    with hub.listen(open_page):
        await hub.check()
        assert not open_page.is_over
        await one.store.sessions.end(user().user_id)
        await hub.check()
        assert open_page.is_over
