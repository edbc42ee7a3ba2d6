"""OptionalCalls: the small platform, a built-in, and the refusals of one that cannot."""

import hashlib

import pytest

from tests.fakes.optional_calls import FakeOptionalCalls
from tests.fakes.plugin_blobs import FakePluginBlobs
from wunder.errors import ProviderFault
from wunder.model.account import Account, AccountConfig, AccountRow
from wunder.model.conversation import Conversation
from wunder.model.delivery import SHOWN_AS, ClaimedDelivery, ReleaseRef
from wunder.model.fault import FaultKind, fault_as_told
from wunder.model.message import Attachment, Content, InboundMessage, OutboundMessage, Sender
from wunder.model.provider import ProviderFacts
from wunder.providers.adapter import ProviderAdapter, Surroundings
from wunder_sdk import Channel, ProviderRejected
from wunder_sdk.dispatch import Dispatcher
from wunder_sdk.errors import ChannelError
from wunder_sdk.testing import FakeHost

CONTENT = b"z" * 600_000


def account() -> Account:
    row = AccountRow("u" * 32, "chat", "main", "", "enabled", AccountConfig(), b"", 1, 1, "k", 0, 0)
    return Account(row, {})


class Platform(Channel):
    """Has one medium, and says no to all others."""

    async def fetch_attachment(self, account, attachment, blob):
        if attachment.media_id != "m1":
            raise ProviderRejected("no such media")
        blob.mime, blob.name = "image/png", "a.png"
        await blob.write(CONTENT)

    async def edit_outbound(self, account, edit):
        if edit.provider_message_id != "p1":
            raise ProviderRejected("no such message")
        self.edits = [*getattr(self, "edits", []), (edit.message.text, edit.final, edit.seq)]

    async def send_activity(self, account, activity):
        where = (activity.peer.id, activity.thread.id if activity.thread else "")
        self.activities = [(activity.reply_to, activity.kind, *where)]


class Host(FakeHost):
    def __init__(self, blobs: FakePluginBlobs) -> None:
        super().__init__()
        self._door = blobs

    async def blob_write(self, transfer_id, offset, chunk, *, eof):
        await self._door.write("chat", transfer_id, offset, chunk, eof)


class Adapter(ProviderAdapter):
    """The adapter of built-ins and plugins alike; only who answers is another."""

    def __init__(self, blobs: FakePluginBlobs) -> None:
        facts = ProviderFacts("chat", "Chat", "builtin", ReleaseRef("chat", "1"), {}, None)
        super().__init__(facts, Surroundings(None, None, blobs))
        self._dispatcher = Dispatcher(Platform(), Host(blobs))

    async def _call(self, method, params, result, account_uid):
        try:
            return await self._dispatcher.call(method, params)
        except ChannelError as error:
            fault = fault_as_told(error.kind, error.message, error.outcome, False, None)
            raise ProviderFault(fault) from error


@pytest.fixture(params=["fake", "adapter"])
def channel(request):
    if request.param == "adapter":
        blobs = FakePluginBlobs()
        return Adapter(blobs), blobs
    fake = FakeOptionalCalls("chat")
    fake.media["m1"] = CONTENT
    fake.claims_mime = "image/png"
    return fake, fake.blobs


async def test_the_bytes_are_written_and_summed(channel) -> None:
    provider, blobs = channel
    source = Attachment("image", media_id="m1", name="a.png")
    fetched = await provider.fetch_attachment(account(), source, "t1")
    assert (fetched.size_bytes, fetched.mime, fetched.name) == (600_000, "image/png", "a.png")
    assert fetched.sha256 == hashlib.sha256(CONTENT).hexdigest()
    assert await blobs.read("chat", "t1", 0, 700_000) == (CONTENT, True)


async def test_what_the_platform_does_not_have_is_a_refusal(channel) -> None:
    provider, _ = channel
    with pytest.raises(ProviderFault) as failed:
        await provider.fetch_attachment(account(), Attachment("image", media_id="m2"), "t1")
    assert failed.value.fault.kind is FaultKind.PROVIDER_REJECTED


def delivery(shown_as: str, text: str) -> ClaimedDelivery:
    where = Conversation("u" * 32, "user", "ann")
    message = OutboundMessage("o" * 32, where, "chat", "main", text, reply_to="1")
    return ClaimedDelivery(
        "d" * 32, "d.1", 1, 1, message, "m" * 32, 1, 0, {SHOWN_AS: shown_as}, 0, 0, 1_000, 1_000,
        10**13, ReleaseRef("chat", "1"), None, False,
    )  # fmt: skip


def seen_of(provider) -> list[tuple[str, bool]]:
    if isinstance(provider, FakeOptionalCalls):
        return [(edit.text, edit.is_final) for edit in provider.edits]
    return [edit[:2] for edit in provider._dispatcher._channel.edits]


async def test_edits_replace_what_is_shown_until_the_final_one(channel) -> None:
    provider, _ = channel
    if isinstance(provider, FakeOptionalCalls):
        provider.screen["p1"] = "t"
    await provider.edit_outbound(account(), delivery("p1", "the"), 2_000, is_final=False)
    await provider.edit_outbound(account(), delivery("p1", "the whole"), 3_000, is_final=True)
    assert seen_of(provider) == [("the", False), ("the whole", True)]
    if not isinstance(provider, FakeOptionalCalls):
        assert [edit[2] for edit in provider._dispatcher._channel.edits] == [100, 200]


async def test_what_is_not_there_cannot_be_edited(channel) -> None:
    provider, _ = channel
    with pytest.raises(ProviderFault) as failed:
        await provider.edit_outbound(account(), delivery("p9", "x"), 2_000, is_final=True)
    assert failed.value.fault.kind is FaultKind.PROVIDER_REJECTED


async def test_who_wrote_is_shown_that_an_answer_is_being_written(channel) -> None:
    provider, _ = channel
    where = Conversation("u" * 32, "user", "ann", "t1")
    message = InboundMessage(
        "m" * 32, where, "chat", "main", "p7", Sender("ann"), Content(text="hi"), 0, 0
    )
    await provider.send_activity(account(), message, "typing")
    if isinstance(provider, FakeOptionalCalls):
        assert provider.activities == [("p7", "typing")]
    else:
        shown = provider._dispatcher._channel.activities
        assert shown == [("p7", "typing", "ann", "t1")]
