"""Which node hands out send slots: where the plugin takes calls, once others share the work."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from wunder.app.senders import SendersHere
from wunder.model.ids import ChannelId

CHANNEL = ChannelId("demo")


def senders(source: str, *, is_ready: bool, has_peers: bool) -> tuple[SendersHere, Any]:
    facts = SimpleNamespace(source=source, release=SimpleNamespace(plugin_id="demo"))
    provider = SimpleNamespace(facts=facts)
    around = SimpleNamespace(
        serving=lambda channel: provider if channel == CHANNEL else None,
        known=lambda: [facts],
        facts=lambda channel: facts,
        is_known=lambda channel: channel == CHANNEL,
    )
    made = SendersHere(cast("Any", around), lambda plugin_id: is_ready, lambda: has_peers)
    return made, provider


@pytest.mark.parametrize(
    ("source", "is_ready", "has_peers", "sends"),
    [
        ("plugin", True, True, True),
        ("plugin", False, True, False),
        ("plugin", False, False, True),  # alone it tries, and says why it cannot
        ("builtin", False, True, True),
    ],
)
def test_a_plugin_that_takes_no_calls_here_is_left_to_the_others(
    source: str, is_ready: bool, has_peers: bool, sends: bool
) -> None:
    made, provider = senders(source, is_ready=is_ready, has_peers=has_peers)
    assert made.serving(CHANNEL) is (provider if sends else None)
    assert made.serving(ChannelId("unknown")) is None
    assert made.known() == [provider.facts]
    assert made.is_known(CHANNEL)
    assert made.facts(CHANNEL) is provider.facts
