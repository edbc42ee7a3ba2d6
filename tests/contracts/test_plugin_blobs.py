"""PluginBlobs: a transfer grows in order only, and what nobody was given cannot be read."""

import pytest

from tests.fakes.plugin_blobs import FakePluginBlobs
from wunder.errors import NotAllowed
from wunder.model.ids import PluginId
from wunder_wire.blob import MAX_CHUNK_BYTES

PLUGIN = PluginId("demo")


class MemoryWorld:
    """What is written as a transfer is at once readable under its name."""

    def __init__(self):
        self.door = FakePluginBlobs()

    async def begin(self):
        return "t1"

    async def stored(self, content):
        await self.door.write(PLUGIN, "kept", 0, content, True)
        return "kept"


@pytest.fixture
async def world():
    return MemoryWorld()


async def test_a_transfer_grows_in_order(world):
    transfer = await world.begin()

    await world.door.write(PLUGIN, transfer, 0, b"abc", False)
    await world.door.write(PLUGIN, transfer, 3, b"def", True)


async def test_a_gap_or_a_step_back_is_refused(world):
    transfer = await world.begin()
    await world.door.write(PLUGIN, transfer, 0, b"abc", False)

    for offset in (4, 2, -1):
        with pytest.raises(NotAllowed):
            await world.door.write(PLUGIN, transfer, offset, b"x", False)


async def test_a_piece_that_is_too_long_is_refused(world):
    transfer = await world.begin()

    with pytest.raises(NotAllowed):
        await world.door.write(PLUGIN, transfer, 0, b"x" * (MAX_CHUNK_BYTES + 1), False)


async def test_stored_bytes_are_read_in_pieces(world):
    blob = await world.stored(b"hello world")

    assert await world.door.read(PLUGIN, blob, 0, 5) == (b"hello", False)
    assert await world.door.read(PLUGIN, blob, 5, 100) == (b" world", True)
    assert await world.door.read(PLUGIN, blob, 11, 5) == (b"", True)


async def test_what_nobody_was_given_is_not_read(world):
    for blob in ("nothing", "../../etc/passwd", ""):
        with pytest.raises(NotAllowed):
            await world.door.read(PLUGIN, blob, 0, 10)
