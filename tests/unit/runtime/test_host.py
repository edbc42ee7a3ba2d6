"""The host's life with good plugins: switching releases, broken successors, the end."""

import asyncio
import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import uvloop

from tests.fakes.plugin_host import little_plugin
from tests.fakes.runtime_world import BOOT, World, policy, running, until
from wunder.errors import ProviderFault
from wunder.model.fault import FaultKind
from wunder.model.ids import PluginId
from wunder.model.runtime import RuntimeState
from wunder.runtime.policy import ProcessLimits
from wunder.runtime.sandbox.spawn import environment, spawn
from wunder_wire.message import Peer
from wunder_wire.methods import (
    Account,
    ActivityParams,
    Empty,
    HttpRequest,
    ParseParams,
    ParseResult,
)

ROOT = Path(__file__).resolve().parents[3]
ME = PluginId("good")
PARSE = ParseParams(Account("main", 1, {}), HttpRequest("POST", "/", (), (), "", "192.0.2.1", 1))


async def parse(world: World, plugin_id: str = "good") -> ParseResult:
    async with asyncio.timeout(20):
        return await world.host.call(
            PluginId(plugin_id), "channel.parse_inbound", PARSE, ParseResult, "uid"
        )


@pytest.mark.process
async def test_the_old_release_serves_until_the_new_one_is_ready(tmp_path):
    async with running() as world:
        await world.ready(little_plugin(tmp_path))
        await world.ready(little_plugin(tmp_path, version="1.1.0"))
        stopped = await world.events.until("plugin_stopped")
        assert (stopped.version, stopped.fields["reason"]) == ("1.0.0", "replaced")
        assert world.report("good").version == "1.1.0"


@pytest.mark.process
async def test_a_successor_that_cannot_start_leaves_the_old_release_serving(tmp_path):
    async with running() as world:
        await world.ready(little_plugin(tmp_path))
        bad = little_plugin(tmp_path, "WrongId", plugin_id="good", version="2.0.0")
        await world.host.start(bad)
        await world.events.until("plugin_broken")
        report = world.report("good")
        assert (report.version, report.state) == ("1.0.0", RuntimeState.READY)
        assert "wrong_id" in report.last_error
        assert (await parse(world)).ignored == "nothing"


@pytest.mark.process
async def test_a_stop_while_it_starts_does_not_wait_for_the_handshake(tmp_path):
    async with running(policy(life={"handshake_s": 3600.0})) as world:
        await world.host.start(little_plugin(tmp_path, "NeverShakesHands"))
        await world.events.until("plugin_started")
        async with asyncio.timeout(10):
            await world.host.stop(PluginId("nevershakeshands"))
        assert world.report("nevershakeshands").state is RuntimeState.STOPPED


@pytest.mark.process
async def test_start_and_stop_in_quick_succession_end_as_the_last_one_said(tmp_path):
    spec = little_plugin(tmp_path)
    async with running() as world:
        for _ in range(3):
            await world.host.start(spec)
            stopping = asyncio.create_task(world.host.stop(ME))
            await asyncio.sleep(0)
            await world.host.start(spec)
            stopping.cancel()
        await world.events.until("plugin_ready")
        await until(lambda: world.report("good").state is RuntimeState.READY)
        assert (await parse(world)).ignored == "nothing"


@pytest.mark.process
async def test_the_end_of_the_host_stops_every_plugin_by_its_ladder(tmp_path):
    async with running() as world:
        await world.ready(little_plugin(tmp_path, plugin_id="one"))
        await world.ready(little_plugin(tmp_path, plugin_id="two"))
    ends = [e.fields for e in world.events.events if e.name == "plugin_stopped"]
    assert [(end["reason"], end["exit"]) for end in ends] == [("host_exit", "exit 0")] * 2


@pytest.mark.process
async def test_a_broken_plugin_gets_one_late_start(tmp_path):
    quick = policy(life={"half_open_after_s": 0.01})
    async with running(quick) as world:
        await world.host.start(little_plugin(tmp_path, "ExitsAtStart"))
        await world.events.until("plugin_broken", 2)
        assert world.events.names.count("plugin_started") == 4
        assert world.report("exitsatstart").retry_at is None


@pytest.mark.process
def test_the_host_works_on_uvloop_alike(tmp_path):
    async def main():
        async with running() as world:
            await world.ready(little_plugin(tmp_path, "LeavesGrandchild"))
            assert (await parse(world, "leavesgrandchild")).ignored == "nothing"
            os.kill(world.report("leavesgrandchild").pid or 0, signal.SIGKILL)
            crashed = await world.events.until("plugin_crashed")
            await world.events.until("plugin_ready", 2)
            return crashed.fields["exit"]

    assert uvloop.run(main()) == "signal 9"


@pytest.mark.process
async def test_a_warden_that_dies_is_replaced_and_still_guards(tmp_path):
    async with running() as world:
        await world.ready(little_plugin(tmp_path))
        warden = world.host._warden
        assert warden._watched is not None
        first = warden._watched.pid
        os.kill(first, signal.SIGKILL)
        await until(lambda: warden._watched is not None and warden._watched.pid != first)
        assert (await parse(world)).ignored == "nothing"


@pytest.mark.process
async def test_a_python_plugin_of_the_sdk_runs_in_the_launchers_interpreter(tmp_path):
    app = tmp_path / "root" / "app"
    app.mkdir(parents=True)
    (tmp_path / "root" / "plugin.json").write_text('{"plugin_id": "good", "version": "1.0.0"}')
    (app / "plugin.py").write_text(
        "from wunder_sdk import Channel, ParseResult\n"
        "class Small(Channel):\n"
        "    async def parse_inbound(self, account, http):\n"
        "        return ParseResult(ignored='by the sdk')\n"
    )
    spec = little_plugin(tmp_path, root_dir=str(tmp_path / "root"), entry="app", is_python=True)
    assert BOOT.exists()
    async with running() as world:
        await world.ready(spec)
        assert (await parse(world)).ignored == "by the sdk"
        command = Path(f"/proc/{world.report('good').pid}/cmdline").read_bytes().split(b"\0")
        assert command[4].endswith(b"launch.py")


@pytest.mark.process
def test_an_executable_does_not_inherit_what_the_launcher_ignores(tmp_path):
    launch = ROOT / "src/wunder/runtime/sandbox/launch.py"
    orders = ["umask=63", "core=0", "nofile=64", "fsize=1000", "oom=500", "parent=0", "--"]
    seen = subprocess.run(
        [sys.executable, "-I", "-S", "-B", launch, *orders, "/bin/cat", "/proc/self/status"],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    status = dict(line.split(":\t", 1) for line in seen.splitlines() if ":\t" in line)
    assert not int(status["SigIgn"], 16) & 1 << (signal.SIGPIPE - 1)
    assert status["NoNewPrivs"] == "1"


def test_the_environment_is_made_from_a_whitelist():
    spec = little_plugin(Path("/nonexistent"), write=False, data_dir="/data")
    inherited = {"PATH": "/bin", "AWS_SECRET": "x", "LD_PRELOAD": "y", "TZ": "UTC"}
    assert environment(spec, "c00k1e", inherited) == {
        "PATH": "/bin", "TZ": "UTC", "HOME": "/data", "TMPDIR": "/data",
        "WUNDER_PLUGIN": "1", "WUNDER_COOKIE": "c00k1e", "WUNDER_PROTOCOLS": "1",
    }  # fmt: skip
    assert ProcessLimits().open_files == 256


@pytest.mark.process
async def test_courtesies_that_fail_keep_no_message_waiting(tmp_path):
    """Twenty failures of send_activity, and the account's breaker is as closed as before."""
    asked = ActivityParams(Account("main", 1, {}), Peer("user", "ann"), "typing", None, "p1")
    async with running() as world:
        capabilities = {"webhook": True, "outbound": True, "activity": True}
        spec = little_plugin(tmp_path, "Rude", plugin_id="good", capabilities=capabilities)
        await world.ready(spec)
        for _ in range(20):
            with pytest.raises(ProviderFault) as failed:
                await world.host.call(ME, "channel.send_activity", asked, Empty, "uid")
            assert failed.value.fault.kind is FaultKind.PROVIDER_UNAVAILABLE
        assert set(world.report("good").breakers.values()) <= {"closed"}
        assert world.host.send_room(ME, "uid") > 0


@pytest.mark.process
@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="Linux")
@pytest.mark.parametrize("nth", [1, 2])
async def test_a_moment_without_descriptors_costs_a_restart_not_the_plugin(
    tmp_path, monkeypatch, nth
):
    """The first is the warden's, the second the plugin's; whom we cannot watch does not live on."""
    real, watched = os.pidfd_open, []

    def scarce(pid):
        watched.append(pid)
        if len(watched) == nth:
            raise OSError(errno.EMFILE, "too many open files")
        return real(pid)

    monkeypatch.setattr(os, "pidfd_open", scarce)
    async with running() as world:
        await world.ready(little_plugin(tmp_path))
        assert world.report("good").restarts == 1
        with pytest.raises(ProcessLookupError):
            os.kill(watched[nth - 1], 0)


@pytest.mark.process
@pytest.mark.parametrize("nth", [1, 2, 3])
def test_pipes_that_cannot_all_be_made_are_closed(tmp_path, monkeypatch, nth):
    real, made = os.pipe, []

    def scarce():
        if len(made) == nth - 1:
            raise OSError(errno.EMFILE, "too many open files")
        made.append(real())
        return made[-1]

    monkeypatch.setattr(os, "pipe", scarce)
    with pytest.raises(OSError, match="too many"):
        spawn(little_plugin(tmp_path), str(BOOT), ProcessLimits(), 65_536)
    for fd in sum(made, ()):
        with pytest.raises(OSError, match="Bad file"):
            os.fstat(fd)
