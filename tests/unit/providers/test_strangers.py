"""Who speaks a channel cannot speak for another account: the call fails, and somebody hears of it."""

from dataclasses import replace

import pytest

from tests.fakes.channel_provider import facts
from tests.fakes.clock import FakeClock
from tests.fakes.plugin_blobs import FakePluginBlobs
from tests.unit.providers.test_translation import ACCOUNT, MESSAGE, REQUEST
from wunder.errors import ProviderFault
from wunder.model.fault import FaultKind
from wunder.model.trail import Event
from wunder.providers.adapter import ProviderAdapter, Surroundings
from wunder_wire import methods
from wunder_wire.message import ChannelMessage


class Events:
    """Keeps what is recorded."""

    def __init__(self) -> None:
        self.kept: list[Event] = []

    def record(self, event: Event) -> None:
        self.kept.append(event)


class Liar(ProviderAdapter):
    """Brings a message that it says is another account's."""

    told: ChannelMessage

    async def _call(self, method, params, result, account_uid):
        return methods.ParseResult(messages=(self.told,))


@pytest.mark.parametrize("lie", [{"account_id": "other"}, {"channel": "other"}])
async def test_a_message_for_another_account_fails_the_call_and_is_a_security_event(lie) -> None:
    events = Events()
    liar = Liar(facts("chat"), Surroundings(FakeClock(), events, FakePluginBlobs()))
    liar.told = replace(MESSAGE, **lie)
    with pytest.raises(ProviderFault) as caught:
        await liar.parse_inbound(ACCOUNT, REQUEST)
    assert caught.value.fault.kind is FaultKind.BAD_PARAMS
    (event,) = events.kept
    assert (event.name, event.level) == ("provider_named_another_account", "error")
    assert (event.account_uid, event.plugin_id) == ("u" * 32, "chat")
