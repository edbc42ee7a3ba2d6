"""AttachmentTable: rows of T1, what is due, what nobody used, on every store."""

import msgspec

from tests.contracts.store_world import UID, World
from wunder.model.attachment import AttachmentState, StoredAttachment, blob_id_of
from wunder.model.ids import AccountUid, At, BlobId
from wunder.model.message import Attachment, Content

STORED, WAITING, FAILED = AttachmentState.STORED, AttachmentState.WAITING, AttachmentState.FAILED


def row(world: World, number: int, **given) -> StoredAttachment:
    usual = StoredAttachment(
        blob_id=BlobId(f"{number:032x}"),
        account_uid=UID,
        kind="image",
        created_at=world.now,
        used_at=At(world.now + number),
        state=STORED,
        source=Attachment("image", media_id="m\x00x", mime="image/png"),
        size_bytes=number,
    )
    return msgspec.structs.replace(usual, **given)


async def receive(world: World, brought, key: str = "") -> str:
    """Take a message in that brings attachments; its id."""
    new = world.new(content=Content(text="look", attachments=brought), platform_id=key)
    await world.take(new)
    return new.message.message_id


async def test_a_row_is_kept_whole_and_replaced_whole(world: World) -> None:
    table = world.store.attachments
    first = row(world, 1, source=None, name="a.png", mime="image/png", sha256="0" * 64, tries=2)
    await table.put(first)
    assert await table.find([first.blob_id]) == [first]
    second = msgspec.structs.replace(first, state=FAILED, error="too_large")
    await table.put(second)
    assert await table.find([first.blob_id]) == [second]


async def test_unknown_ids_are_left_out(world: World) -> None:
    await world.store.attachments.put(row(world, 1))
    wanted = [BlobId("x' OR 1=1"), BlobId(f"{1:032x}"), BlobId("")]
    assert [one.size_bytes for one in await world.store.attachments.find(wanted)] == [1]


async def test_a_message_that_is_taken_in_leaves_rows_to_fetch(world: World) -> None:
    brought = (
        Attachment("image", media_id="m1", name="a.png"),
        Attachment("file", blob_id="f" * 32),
        Attachment("video", url="https://example.org/v"),
    )
    message_id = await receive(world, brought)
    due = await world.store.attachments.due(world.now, 10)
    assert {one.blob_id: one.source for one in due} == {
        blob_id_of(message_id, n): brought[n] for n in (0, 2)
    }
    assert {one.account_uid for one in due} == {UID}


async def test_a_repeated_message_leaves_them_once(world: World) -> None:
    brought = (Attachment("image", media_id="m1"),)
    message_id = await receive(world, brought, key="same")
    stored = msgspec.structs.replace(
        (await world.store.attachments.due(world.now, 10))[0], state=STORED
    )
    await world.store.attachments.put(stored)
    await receive(world, brought, key="same")
    assert await world.store.attachments.find([blob_id_of(message_id, 0)]) == [stored]
    assert await world.store.attachments.due(world.now, 10) == []


async def test_only_what_waits_and_is_due_is_due_longest_first(world: World) -> None:
    table = world.store.attachments
    for number, (state, in_ms) in enumerate(
        ((WAITING, 0), (WAITING, -5), (WAITING, 1), (STORED, -9), (FAILED, -9))
    ):
        await table.put(row(world, number, state=state, retry_at=At(world.now + in_ms)))
    due = await table.due(world.now, 10)
    assert [one.size_bytes for one in due] == [1, 0]
    assert len(await table.due(world.now, 1)) == 1


async def test_what_nobody_used_is_found_longest_unused_first(world: World) -> None:
    table = world.store.attachments
    for number in (3, 1, 2):
        await table.put(row(world, number))
    await table.put(row(world, 4, account_uid=AccountUid("other"), used_at=At(world.now)))
    before = At(world.now + 3)
    assert [one.size_bytes for one in await table.unused_since(before, 10)] == [4, 1, 2]
    assert [one.size_bytes for one in await table.unused_since(before, 10, UID)] == [1, 2]
    assert [one.size_bytes for one in await table.unused_since(before, 1, UID)] == [1]


async def test_an_accounts_bytes_are_summed(world: World) -> None:
    table = world.store.attachments
    assert await table.used_bytes(UID) == 0
    for number in (10, 20):
        await table.put(row(world, number))
    await table.put(row(world, 5, account_uid=AccountUid("other")))
    assert await table.used_bytes(UID) == 30


async def test_removed_rows_are_gone_and_removing_again_is_fine(world: World) -> None:
    table = world.store.attachments
    await table.put(row(world, 1))
    for _ in range(2):
        await table.remove([BlobId(f"{1:032x}"), BlobId("nothing")])
    assert await table.find([BlobId(f"{1:032x}")]) == []
