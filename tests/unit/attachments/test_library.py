"""Attachments on several nodes: accepted by one, read by any, fetched once, gone everywhere."""

import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from tests.contracts.store_world import UID, World, database_of, open_postgres
from tests.fakes.clock import FakeClock
from wunder.attachments.desk import Uploading
from wunder.attachments.files import BlobFiles
from wunder.attachments.library import Library
from wunder.attachments.policy import AttachmentPolicy
from wunder.attachments.room import AttachmentRoom
from wunder.errors import NotFound, StoreFull
from wunder.model.attachment import AttachmentState, StoredAttachment
from wunder.model.ids import At, BlobId

POLICY = AttachmentPolicy(free_floor_bytes=0)


class Node:
    """A node's room over a database that others share."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.table = world.store.attachments
        self.library = Library(BlobFiles(world.dir), world.store.shelf, 0)
        self.room = AttachmentRoom(
            self.table, self.library, b"k", lambda: "http://g", world.clock, POLICY
        )

    async def upload(self, content: bytes) -> StoredAttachment:
        path = self.world.dir / "upload"
        path.write_bytes(content)
        return await self.room.desk.upload(Uploading(path, "x.bin", account_uid=UID))

    def files(self) -> list[BlobId]:
        return self.library.files.ids()


@pytest.fixture
async def nodes(tmp_path: Path) -> AsyncIterator[tuple[Node, Node]]:
    clock = FakeClock()
    first = await World(open_postgres, tmp_path / "one", clock).open()
    database_of(tmp_path / "two", of=first.dir)
    second = await World(open_postgres, tmp_path / "two", clock).open()
    yield Node(first), Node(second)
    for world in (first, second):
        await world.store.close()


async def test_any_node_reads_what_another_one_accepted(nodes: tuple[Node, Node]) -> None:
    first, second = nodes
    content = hashlib.shake_256(b"seed").digest(700_000)
    row = await first.upload(content)
    assert second.files() == []
    assert await second.room.media.content(row.blob_id, 1_000_000) == content
    assert await second.library.read(row, 699_990, 100) == content[-10:]
    assert second.files() == [row.blob_id], "it is kept here for the next time"


async def test_a_node_that_is_gone_takes_no_attachment_with_it(nodes: tuple[Node, Node]) -> None:
    first, second = nodes
    row = await first.upload(b"x" * 10)
    first.library.files.remove(row.blob_id)
    assert await second.room.media.content(row.blob_id, 100) == b"x" * 10


async def test_bytes_that_are_not_those_of_the_row_are_not_handed_out(
    nodes: tuple[Node, Node],
) -> None:
    first, second = nodes
    row = await first.upload(b"what was accepted")
    await first.world.store.shelf.put("attachment", row.blob_id, lambda at, _n: b"evil"[at:])
    with pytest.raises(NotFound):
        await second.library.read(row, 0, 100)
    assert await second.room.media.content(row.blob_id, 100) is None
    assert second.files() == []
    assert list((second.world.dir / "attachments/incoming").iterdir()) == []


async def test_a_node_without_room_says_so_and_fetches_nothing(nodes: tuple[Node, Node]) -> None:
    first, second = nodes
    row = await first.upload(b"x")
    full = Library(second.library.files, second.world.store.shelf, 2**62)
    with pytest.raises(StoreFull):
        await full.read(row, 0, 100)


async def test_what_is_forgotten_leaves_the_shelf_and_later_the_other_nodes(
    nodes: tuple[Node, Node],
) -> None:
    first, second = nodes
    row = await first.upload(b"x")
    kept = await first.upload(b"y")
    for one in (row, kept):
        await second.library.read(one, 0, 1)
    await first.table.put(msgspec.structs.replace(row, used_at=At(1)))
    assert await first.room.space.sweep() == 1
    with pytest.raises(NotFound):
        await Library(BlobFiles(second.world.dir / "elsewhere"), None, 0).read(row, 0, 1)
    assert await second.room.space.tidy() == 1
    assert second.files() == [kept.blob_id]
    assert await second.world.store.shelf.names("attachment", At(2**53)) == [kept.blob_id]


async def test_bytes_that_a_crash_left_on_the_shelf_go_after_an_hour(
    nodes: tuple[Node, Node],
) -> None:
    first, _ = nodes
    await first.world.store.shelf.put("attachment", "ab" * 16, lambda at, _n: b"x"[at:])
    assert await first.room.space.tidy() == 0
    first.world.clock.advance(3_601)
    assert await first.room.space.tidy() == 1


async def test_of_several_nodes_one_fetches_and_a_dead_one_leaves_it_to_the_others(
    nodes: tuple[Node, Node],
) -> None:
    first, second = nodes
    waiting = StoredAttachment(
        blob_id=BlobId("cd" * 16),
        account_uid=UID,
        kind="image",
        created_at=first.world.now,
        used_at=first.world.now,
        state=AttachmentState.WAITING,
        retry_at=first.world.now,
    )
    await first.table.put(waiting)
    (seen,) = await second.table.due(second.world.now, 10)
    until = At(first.world.now + 1_000)
    assert await first.table.claim(seen, until)
    assert not await second.table.claim(seen, until)
    assert await second.table.due(second.world.now, 10) == []
    second.world.clock.advance(1.1)
    (again,) = await second.table.due(second.world.now, 10)
    assert await second.table.claim(again, At(second.world.now + 1_000))
