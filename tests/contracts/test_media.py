"""Media: what agents are shown of a message's attachments, and what an account may send."""

from dataclasses import dataclass
from typing import Any

import msgspec
import pytest

from tests.fakes.clock import FakeClock
from tests.fakes.media import FakeMedia
from wunder.attachments.desk import Uploading
from wunder.attachments.files import BlobFiles
from wunder.attachments.library import Library
from wunder.attachments.policy import AttachmentPolicy
from wunder.attachments.room import AttachmentRoom
from wunder.errors import Invalid, StoreUnavailable
from wunder.model.attachment import AttachmentState, StoredAttachment, blob_id_of
from wunder.model.conversation import Conversation
from wunder.model.ids import AccountUid
from wunder.model.message import Attachment, Content, InboundMessage, Sender
from wunder.model.turn import Reply
from wunder.store.policy import StorePolicy
from wunder.store.sqlite.store import open_store

UID, OTHER = AccountUid("u" * 32), AccountUid("v" * 32)
MESSAGE_ID = "a" * 32
IMAGE = Attachment("image", media_id="m1", name="a.png")


def message(*attachments: Attachment) -> InboundMessage:
    return InboundMessage(
        MESSAGE_ID,
        Conversation(UID, "user", "ann"),
        "chat",
        "main",
        "1",
        Sender("ann"),
        Content(text="look", attachments=attachments),
        0,
        0,
    )


@dataclass
class Case:
    door: Any
    keep: Any  # async (content, account_uid, ordinal of MESSAGE_ID or None) -> blob_id


def fake_case() -> Case:
    door = FakeMedia()

    async def keep(content, uid="", ordinal=None):
        blob_id = f"{len(door.stored):032x}"
        door.stored[blob_id] = (uid, content)
        if ordinal is not None:
            door.brought[MESSAGE_ID, ordinal] = blob_id
        return blob_id

    return Case(door, keep)


@pytest.fixture(params=["fake", "room"])
async def case(request, tmp_path):
    if request.param == "fake":
        yield fake_case()
        return
    clock = FakeClock()
    store = await open_store(tmp_path, clock, StorePolicy(ballast_bytes=0))
    policy = AttachmentPolicy(free_floor_bytes=0)
    library = Library(BlobFiles(tmp_path), None, 0)
    room = AttachmentRoom(store.attachments, library, b"k", lambda: "http://g", clock, policy)

    async def keep(content, uid="", ordinal=None):
        path = tmp_path / "file"
        path.write_bytes(content)
        row = await room.desk.upload(Uploading(path, "x", account_uid=uid))
        if ordinal is None:
            return row.blob_id
        blob_id = blob_id_of(MESSAGE_ID, ordinal)
        place = room.desk._files.path(blob_id)
        place.parent.mkdir(exist_ok=True)
        room.desk._files.path(row.blob_id).rename(place)
        known = {"blob_id": blob_id, "message_id": MESSAGE_ID, "ordinal": ordinal}
        await store.attachments.put(msgspec.structs.replace(row, **known))
        return blob_id

    yield Case(room.media, keep)
    await store.close()


async def shown_of(case, *attachments):
    return (await case.door.gathered(message(*attachments), 0)).content.attachments


async def test_a_message_without_attachments_is_not_held_up(case) -> None:
    assert await case.door.gathered(message(), 60) == message()


async def test_what_is_stored_is_shown_with_a_link_and_its_id(case) -> None:
    blob_id = await case.keep(b"hello", UID, 0)
    (shown,) = await shown_of(case, IMAGE)
    assert (shown.kind, shown.blob_id, shown.size, shown.media_id) == ("image", blob_id, 5, None)
    assert blob_id in shown.url
    assert shown.missing is None


async def test_what_is_not_stored_never_has_an_id(case) -> None:
    (shown,) = await shown_of(case, Attachment("image", blob_id="f" * 32))
    assert shown.blob_id is None


async def test_an_account_sends_its_own_and_what_is_everybodys(case) -> None:
    for uid in (UID, ""):
        blob_id = await case.keep(b"12345", uid)
        given = Attachment("image", blob_id=blob_id, url="http://g/x", missing="late")
        (cleared,) = await case.door.cleared(UID, (given,))
        assert (cleared.blob_id, cleared.size, cleared.url) == (blob_id, 5, None)
        assert cleared.missing is None


async def test_anothers_or_an_unknown_one_is_refused_by_its_place(case) -> None:
    theirs = await case.keep(b"x", OTHER)
    for blob_id in (theirs, "f" * 32, "../../x"):
        with pytest.raises(Invalid) as refused:
            await case.door.cleared(UID, (IMAGE, Attachment("file", blob_id=blob_id)))
        assert [fault.pointer for fault in refused.value.faults] == ["/attachments/1/blob_id"]


async def test_references_to_the_platforms_own_media_pass(case) -> None:
    assert await case.door.cleared(UID, (IMAGE,)) == (IMAGE,)


async def test_content_is_whole_or_not_there(case) -> None:
    blob_id = await case.keep(b"hello")
    assert await case.door.content(blob_id, 5) == b"hello"
    assert await case.door.content(blob_id, 4) is None
    assert await case.door.content("f" * 32, 5) is None


async def test_what_is_being_uploaded_is_not_sent(case, tmp_path) -> None:
    row = StoredAttachment("e" * 32, UID, "file", 0, 0, state=AttachmentState.WAITING)
    if not isinstance(case.door, FakeMedia):
        await case.door._table.put(row)
    with pytest.raises(Invalid):
        await case.door.cleared(UID, (Attachment("file", blob_id=row.blob_id),))


async def test_a_reply_loses_what_its_account_may_not_send(case) -> None:
    theirs, own = await case.keep(b"x", OTHER), await case.keep(b"y", UID)
    mixed = Reply("a", attachments=(Attachment("file", blob_id=theirs), IMAGE))
    good = Reply("b", attachments=(Attachment("file", blob_id=own),))
    bare = Reply("c")
    kept = await case.door.sendable(UID, (mixed, good, bare))
    assert [reply.text for reply in kept] == ["a", "b", "c"]
    assert kept[0].attachments == (IMAGE,)
    assert kept[1].attachments[0].blob_id == own
    assert kept[2] == bare


class AwayTable:
    """A table that is away for as many looks as the test says."""

    def __init__(self, table: Any) -> None:
        self.looks_away = 0
        self._table = table

    async def find(self, blob_ids: Any) -> list[StoredAttachment]:
        if self.looks_away:
            self.looks_away -= 1
            raise StoreUnavailable
        return await self._table.find(blob_ids)


async def test_what_cannot_be_read_is_waited_for_and_said_once(
    case, capsys: pytest.CaptureFixture[str]
) -> None:
    if isinstance(case.door, FakeMedia):
        return
    blob_id = await case.keep(b"hello", UID, 0)
    table = case.door._table = AwayTable(case.door._table)
    table.looks_away = 3
    (shown,) = await shown_of(case, IMAGE)
    assert (shown.blob_id, table.looks_away) == (None, 2), "there was no time to wait"
    (shown,) = (await case.door.gathered(message(IMAGE), 30)).content.attachments
    assert shown.blob_id == blob_id
    said = capsys.readouterr().err
    assert said.count("attachments_of_messages_not_readable") == 1
    assert said.count("attachments_of_messages_readable_again") == 1
