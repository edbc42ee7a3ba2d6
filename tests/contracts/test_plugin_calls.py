"""The door PluginCalls: what a plugin can be asked, by the fake host and by the one that runs processes."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.contracts.test_plugin_host import ME, PARSE, a_real_one, ready
from tests.fakes.plugin_calls import FakePluginCalls
from tests.fakes.plugin_host import little_plugin
from wunder.errors import ProviderFault
from wunder.model.fault import FaultKind
from wunder.ports import PluginCalls
from wunder_wire.methods import ParseResult

pytestmark = pytest.mark.process


@pytest.fixture(params=["fake", "processes"])
async def calls(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[PluginCalls]:
    """A host whose one plugin is ready."""
    if request.param == "fake":
        fake = FakePluginCalls()
        fake.answers["channel.parse_inbound"] = lambda params, account: ParseResult(
            ignored="nothing"
        )
        await ready(fake, little_plugin(tmp_path))
        yield fake
        return
    async with a_real_one() as host:
        await ready(host, little_plugin(tmp_path))
        yield host


async def test_a_call_is_answered_by_its_type(calls: PluginCalls) -> None:
    found = await calls.call(ME, "channel.parse_inbound", PARSE, ParseResult, "uid")
    assert found == ParseResult(ignored="nothing")


async def test_a_call_to_a_method_that_nobody_has_is_a_fault(calls: PluginCalls) -> None:
    with pytest.raises(ProviderFault) as failed:
        await calls.call(ME, "channel.nonsense", PARSE, ParseResult, "uid")
    assert failed.value.fault.kind is FaultKind.METHOD_NOT_FOUND


async def test_an_account_at_rest_has_room(calls: PluginCalls) -> None:
    assert calls.send_room(ME, "uid") > 0
