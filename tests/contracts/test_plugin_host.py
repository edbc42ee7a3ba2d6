"""What every PluginHost does: the fake and the one that runs processes."""

import asyncio
import contextlib

import pytest

from tests.fakes.plugin_host import FakePluginHost, little_plugin
from tests.fakes.runtime_world import running, until
from wunder.errors import Invalid, ProviderFault
from wunder.model.fault import FaultKind
from wunder.model.ids import PluginId
from wunder.model.runtime import RuntimeState
from wunder_wire.methods import (
    Account,
    Empty,
    HealthResult,
    HttpRequest,
    ParseParams,
    ParseResult,
)

pytestmark = pytest.mark.process
ME = PluginId("good")
PARSE = ParseParams(
    Account("main", 1, {}), HttpRequest("POST", "/", (), (), "", "192.0.2.1", 1_700_000_000_000)
)


@contextlib.asynccontextmanager
async def a_fake():
    host = FakePluginHost()
    host.answers["channel.parse_inbound"] = lambda params, account: ParseResult(ignored="nothing")
    yield host


@contextlib.asynccontextmanager
async def a_real_one():
    async with running() as world:
        yield world.host


@pytest.fixture(params=[a_fake, a_real_one], ids=["fake", "processes"])
async def host(request):
    async with request.param() as one:
        yield one


async def ready(host, spec):
    await host.start(spec)

    def serves():
        report = host.report(spec.plugin_id)
        return report and (report.state, report.version) == (RuntimeState.READY, spec.version)

    await until(serves)
    return host.report(spec.plugin_id)


async def parse(host):
    async with asyncio.timeout(20):
        return await host.call(ME, "channel.parse_inbound", PARSE, ParseResult, "uid")


async def kind_of(call):
    with pytest.raises(ProviderFault) as caught:
        await call
    return caught.value.fault.kind


async def test_a_plugin_that_was_never_started_is_not_ready_and_has_no_report(host):
    assert await kind_of(parse(host)) is FaultKind.NOT_READY
    assert host.report(ME) is None
    assert host.stderr(ME) == []
    await host.stop(ME)


async def test_a_started_plugin_answers_with_typed_results(host, tmp_path):
    report = await ready(host, little_plugin(tmp_path))
    assert (report.version, report.state) == ("1.0.0", RuntimeState.READY)
    assert await parse(host) == ParseResult(ignored="nothing")
    assert (await host.call(ME, "plugin.health", Empty(), HealthResult, "")).status == "ok"


async def test_a_method_that_nobody_has_is_said_to_be_missing(host, tmp_path):
    await ready(host, little_plugin(tmp_path))
    call = host.call(ME, "channel.nonsense", Empty(), Empty, "uid")
    assert await kind_of(call) is FaultKind.METHOD_NOT_FOUND


async def test_a_stopped_plugin_is_not_ready_until_it_is_started_again(host, tmp_path):
    spec = little_plugin(tmp_path)
    await ready(host, spec)
    await host.stop(ME)
    assert host.report(ME).state is RuntimeState.STOPPED
    assert await kind_of(parse(host)) is FaultKind.NOT_READY
    await ready(host, spec)
    assert (await parse(host)).ignored == "nothing"


async def test_another_release_takes_over_without_a_call_being_lost(host, tmp_path):
    await ready(host, little_plugin(tmp_path))
    stop = asyncio.Event()

    async def traffic():
        while not stop.is_set():
            await parse(host)
            await asyncio.sleep(0)

    calls = [asyncio.create_task(traffic()) for _ in range(4)]
    report = await ready(host, little_plugin(tmp_path, version="1.1.0"))
    stop.set()
    await asyncio.gather(*calls)
    assert report.version == "1.1.0"
    assert (await parse(host)).ignored == "nothing"


async def test_preflight_starts_nothing_that_takes_calls(host, tmp_path):
    await host.preflight(little_plugin(tmp_path))
    assert host.report(ME) is None
    assert await kind_of(parse(host)) is FaultKind.NOT_READY


async def test_preflight_of_a_plugin_that_cannot_start_is_invalid(host, tmp_path):
    if isinstance(host, FakePluginHost):
        host.refuse_to_start = "exited_at_start"
    with pytest.raises(Invalid, match="exited_at_start"):
        await host.preflight(little_plugin(tmp_path, "ExitsAtStart"))
