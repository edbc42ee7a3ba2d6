"""What a built-in channel may ask of the gateway, and in which words it is refused."""

import pytest

from tests.fakes.clock import FakeClock
from tests.fakes.plugin_blobs import FakePluginBlobs
from wunder.errors import Conflict, Invalid, NotAllowed
from wunder.providers.adapter import Surroundings
from wunder.providers.builtin import BuiltinHost
from wunder_sdk.errors import Forbidden, Quota, StateConflict, TooLarge


class Refusing:
    """History and blobs that refuse in one way."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    async def state_put(self, *given):
        raise self.error

    async def write(self, *given):
        raise self.error

    async def read(self, *given):
        raise self.error


def host_of(history, blobs) -> BuiltinHost:
    return BuiltinHost("demo", Surroundings(FakeClock(), None, blobs), history, None)


async def test_bytes_go_to_the_channels_own_transfers_and_come_back():
    blobs = FakePluginBlobs()
    host = host_of(None, blobs)
    await host.blob_write("t1", 0, b"abc", eof=True)
    assert await host.blob_read("t1", 0, 10) == (b"abc", True)


@pytest.mark.parametrize(
    ("error", "of_state", "of_blobs"),
    [
        (Conflict("rev"), StateConflict, StateConflict),
        (Invalid("full"), Quota, TooLarge),
        (NotAllowed("no"), Forbidden, Forbidden),
    ],
)
async def test_refusals_are_the_sdks_own(error, of_state, of_blobs):
    host = host_of(Refusing(error), Refusing(error))
    with pytest.raises(of_state):
        await host.state_put("k", 1, None, None)
    with pytest.raises(of_blobs):
        await host.blob_write("t", 0, b"", eof=True)
    with pytest.raises(of_blobs):
        await host.blob_read("b", 0, 1)
