"""Attachments in the SDK: pieces of a bounded size, in order, and an honest sum at the end."""

import hashlib

import pytest

from wunder_sdk import Attachment, BlobWriter, Channel, ProviderUnavailable, TooLarge
from wunder_sdk.account import Account
from wunder_sdk.errors import Busy, Forbidden, MethodNotFound
from wunder_sdk.testing import ChannelDriver, FakeHost
from wunder_wire.blob import MAX_CHUNK_BYTES

PICTURE = Attachment("image", media_id="m1")


class Media(Channel):
    chunks: tuple[bytes, ...] = ()

    async def fetch_attachment(self, account, attachment, blob):
        if attachment.media_id == "down":
            raise ProviderUnavailable("down")
        blob.mime, blob.name = "image/png", "a.png"
        for chunk in self.chunks:
            await blob.write(chunk)


class Mute(Channel):
    pass


class RecordingHost(FakeHost):
    def __init__(self):
        super().__init__()
        self.pieces = []
        self.busy_times = 0

    async def blob_write(self, transfer_id, offset, chunk, *, eof):
        if self.busy_times:
            self.busy_times -= 1
            raise Busy(retry_after=0.001)
        self.pieces.append((offset, len(chunk), eof))
        await super().blob_write(transfer_id, offset, chunk, eof=eof)


async def fetched(chunks, host=None):
    driver = ChannelDriver(Media, host=host or RecordingHost())
    driver.channel.chunks = chunks
    return driver, await driver.fetch_result(PICTURE)


async def test_what_is_written_arrives_with_its_sum():
    _, (result, found) = await fetched((b"one", b"two"))

    assert found == b"onetwo"
    assert (result.size, result.mime, result.name) == (6, "image/png", "a.png")
    assert result.sha256 == hashlib.sha256(b"onetwo").hexdigest()


async def test_small_chunks_are_joined_and_large_ones_are_cut():
    driver, (_, found) = await fetched((b"a" * 10, b"b" * (2 * MAX_CHUNK_BYTES), b"c"))

    assert driver.host.pieces == [
        (0, MAX_CHUNK_BYTES, False),
        (MAX_CHUNK_BYTES, MAX_CHUNK_BYTES, False),
        (2 * MAX_CHUNK_BYTES, 11, True),
    ]
    assert len(found) == 2 * MAX_CHUNK_BYTES + 11


async def test_an_empty_file_is_one_empty_piece():
    driver, (result, found) = await fetched(())

    assert driver.host.pieces == [(0, 0, True)]
    assert (result.size, found) == (0, b"")


async def test_a_busy_host_is_asked_again():
    host = RecordingHost()
    host.busy_times = 2

    _, (_, found) = await fetched((b"x",), host)

    assert found == b"x"


async def test_the_hosts_limit_passes_through_the_channel():
    host = FakeHost()
    host.blob_max_bytes = 3

    with pytest.raises(TooLarge):
        await fetched((b"four",), host)


async def test_a_channel_that_fetches_nothing_does_not_have_the_method():
    assert "fetch_attachment" not in Mute.capabilities()
    assert Media.capabilities()["fetch_attachment"]
    with pytest.raises(MethodNotFound):
        await ChannelDriver(Mute).fetch(PICTURE)


async def test_a_failure_is_the_channels_own():
    with pytest.raises(ProviderUnavailable):
        await ChannelDriver(Media).fetch(Attachment("file", media_id="down"))


async def test_blobs_are_read_in_pieces_or_whole():
    host = FakeHost()
    whole = b"z" * (MAX_CHUNK_BYTES + 5)
    host.blobs = {"b": whole, "empty": b""}
    account = Account("a", "demo", 1, {}, host)

    assert [len(piece) async for piece in account.blobs.read("b")] == [MAX_CHUNK_BYTES, 5]
    assert await account.blobs.read_all("b", limit_bytes=len(whole)) == whole
    assert await account.blobs.read_all("empty") == b""
    with pytest.raises(TooLarge):
        await account.blobs.read_all("b", limit_bytes=MAX_CHUNK_BYTES)
    with pytest.raises(Forbidden):
        await account.blobs.read_all("another")


async def test_a_writer_counts_as_it_goes():
    blob = BlobWriter(FakeHost(), "t")

    await blob.write(b"12345")

    assert blob.size == 5
