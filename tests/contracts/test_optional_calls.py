"""OptionalCalls: the small platform, a built-in, and the refusals of one that cannot."""

import hashlib

import pytest

from tests.fakes.optional_calls import FakeOptionalCalls
from tests.fakes.plugin_blobs import FakePluginBlobs
from wunder.errors import ProviderFault
from wunder.model.account import Account, AccountConfig, AccountRow
from wunder.model.delivery import ReleaseRef
from wunder.model.fault import FaultKind, fault_as_told
from wunder.model.message import Attachment
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
