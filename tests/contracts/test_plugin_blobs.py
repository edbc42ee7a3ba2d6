"""PluginBlobs: a transfer grows in order only, and what nobody was given cannot be read."""

import asyncio

import msgspec
import pytest

from tests.fakes.clock import FakeClock
from tests.fakes.plugin_blobs import FakePluginBlobs
from wunder.attachments.desk import Uploading
from wunder.attachments.files import BlobFiles
from wunder.attachments.library import Library
from wunder.attachments.policy import AttachmentPolicy
from wunder.attachments.room import AttachmentRoom
from wunder.errors import Invalid, NotAllowed
from wunder.model.ids import AccountUid, ChannelId
from wunder.model.message import Attachment
from wunder.store.policy import StorePolicy
from wunder.store.sqlite.store import open_store
from wunder_wire.blob import MAX_CHUNK_BYTES

CHANNEL = ChannelId("demo")
UID = AccountUid("u" * 32)


class MemoryWorld:
    """What is written as a transfer is at once readable under its name."""

    def __init__(self):
        self.door = FakePluginBlobs()

    async def begin(self):
        return "t1"

    async def stored(self, content):
        await self.door.write(CHANNEL, "kept", 0, content, True)
        return "kept"


class RoomWorld:
    """The attachment store of a data directory."""

    def __init__(self, room, tmp_path):
        self.room = room
        self.door = room.blobs
        self.path = tmp_path / "upload"

    async def begin(self):
        return (await self.room._transfers.begin(CHANNEL)).transfer_id

    async def stored(self, content):
        self.path.write_bytes(content)
        return (await self.room.desk.upload(Uploading(self.path, "x"))).blob_id


@pytest.fixture
async def room(tmp_path):
    """The real one, for what only it knows: whose a transfer is, and what was lent."""
    clock = FakeClock()
    store = await open_store(tmp_path, clock, StorePolicy(ballast_bytes=0))
    policy = AttachmentPolicy(free_floor_bytes=0, max_file_bytes=1_000_000)
    library = Library(BlobFiles(tmp_path), None, 0)
    kept = AttachmentRoom(store.attachments, library, b"k", lambda: "", clock, policy)
    here = RoomWorld(kept, tmp_path)
    here.clock = clock
    here.store = store
    yield here
    await store.close()


@pytest.fixture(params=["memory", "room"])
def world(request, room):
    return room if request.param == "room" else MemoryWorld()


def lent(world, blob, uid=UID):
    return world.door.lend(CHANNEL, uid, [Attachment("file", blob_id=blob)])


async def test_a_transfer_grows_in_order(world):
    transfer = await world.begin()

    await world.door.write(CHANNEL, transfer, 0, b"abc", False)
    await world.door.write(CHANNEL, transfer, 3, b"def", True)


async def test_a_gap_or_a_step_back_is_refused(world):
    transfer = await world.begin()
    await world.door.write(CHANNEL, transfer, 0, b"abc", False)

    for offset in (4, 2, -1):
        with pytest.raises(NotAllowed):
            await world.door.write(CHANNEL, transfer, offset, b"x", False)


async def test_a_piece_that_is_too_long_is_refused(world):
    transfer = await world.begin()

    with pytest.raises(NotAllowed):
        await world.door.write(CHANNEL, transfer, 0, b"x" * (MAX_CHUNK_BYTES + 1), False)


async def test_stored_bytes_are_read_in_pieces(world):
    blob = await world.stored(b"hello world")

    with lent(world, blob):
        assert await world.door.read(CHANNEL, blob, 0, 5) == (b"hello", False)
        assert await world.door.read(CHANNEL, blob, 5, 100) == (b" world", True)
        assert await world.door.read(CHANNEL, blob, 11, 5) == (b"", True)


async def test_what_nobody_was_given_is_not_read(world):
    for blob in ("nothing", "../../etc/passwd", ""):
        with pytest.raises(NotAllowed):
            await world.door.read(CHANNEL, blob, 0, 10)


async def test_another_channel_cannot_write_to_a_transfer(room):
    transfer = await room.begin()

    with pytest.raises(NotAllowed):
        await room.door.write(ChannelId("other"), transfer, 0, b"x", True)


async def test_rule_10_only_a_transfer_that_was_begun_takes_bytes(room):
    for name in ("t1", "", "../../x", "f" * 32):
        with pytest.raises(NotAllowed):
            await room.door.write(CHANNEL, name, 0, b"x", True)
    assert not list((room.path.parent / "attachments" / "incoming").iterdir())


async def test_nothing_comes_behind_the_last_piece(room):
    transfer = await room.begin()
    await room.door.write(CHANNEL, transfer, 0, b"abc", True)

    with pytest.raises(NotAllowed):
        await room.door.write(CHANNEL, transfer, 3, b"x", True)


async def test_a_transfer_expires(room):
    transfer = await room.begin()
    room.clock.advance(121)

    with pytest.raises(NotAllowed):
        await room.door.write(CHANNEL, transfer, 0, b"abc", True)


async def test_a_transfer_has_a_size_it_may_not_exceed(room):
    transfer = await room.begin()
    for offset in range(0, 750_000, 250_000):
        await room.door.write(CHANNEL, transfer, offset, b"x" * 250_000, False)
    await room.door.write(CHANNEL, transfer, 750_000, b"x" * 250_000, False)

    with pytest.raises(Invalid):
        await room.door.write(CHANNEL, transfer, 1_000_000, b"x", True)


async def test_one_piece_at_a_time(room):
    transfer = await room.begin()
    first = asyncio.ensure_future(room.door.write(CHANNEL, transfer, 0, b"x" * 200_000, False))
    await asyncio.sleep(0)

    with pytest.raises(NotAllowed):
        await room.door.write(CHANNEL, transfer, 0, b"y", False)
    await first


async def test_rule_10_what_is_not_lent_or_not_any_more_is_not_read(room):
    blob = await room.stored(b"secret")

    with pytest.raises(NotAllowed):
        await room.door.read(CHANNEL, blob, 0, 10)
    with lent(room, blob):
        with pytest.raises(NotAllowed):
            await room.door.read(ChannelId("other"), blob, 0, 10)
        with lent(room, blob):
            pass
        assert await room.door.read(CHANNEL, blob, 0, 10) == (b"secret", True)
    with pytest.raises(NotAllowed):
        await room.door.read(CHANNEL, blob, 0, 10)


async def test_rule_10_an_accounts_attachment_is_not_read_for_another(room):
    blob = await room.stored(b"secret")
    row = (await room.store.attachments.find([blob]))[0]
    await room.store.attachments.put(msgspec.structs.replace(row, account_uid=UID))

    with lent(room, blob, AccountUid("v" * 32)), pytest.raises(NotAllowed):
        await room.door.read(CHANNEL, blob, 0, 10)
    with lent(room, blob):
        assert await room.door.read(CHANNEL, blob, 0, 10) == (b"secret", True)
