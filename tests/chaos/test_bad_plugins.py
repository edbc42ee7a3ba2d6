"""Bad neighbours: whatever a plugin does, its calls fail properly and nobody else notices."""

import asyncio
import base64
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fakes.plugin_host import little_plugin
from tests.fakes.runtime_world import KeptHistory, World, policy, running, until
from wunder.errors import Invalid, ProviderFault
from wunder.model.fault import FaultKind
from wunder.model.ids import AccountUid
from wunder.model.runtime import RuntimeState
from wunder_wire.message import OutboundMessage, Peer
from wunder_wire.methods import (
    Account,
    Empty,
    HealthResult,
    HttpRequest,
    ParseParams,
    ParseResult,
    SendParams,
    SendResult,
)

pytestmark = [pytest.mark.process, pytest.mark.chaos]
ROOT = Path(__file__).resolve().parents[2]


async def parse(
    world: World, plugin_id: str, body: bytes = b"", account: str = "uid-1"
) -> ParseResult:
    http = HttpRequest("POST", "/", (), (), base64.b64encode(body).decode(), "192.0.2.1", 1)
    params = ParseParams(Account("main", 1, {}), http)
    async with asyncio.timeout(20):
        return await world.host.call(
            plugin_id, "channel.parse_inbound", params, ParseResult, account
        )


async def send(
    world: World, plugin_id: str, text: str = "hello", key: str = "d1", account: str = "uid-1"
) -> SendResult:
    message = OutboundMessage(plugin_id, "main", Peer("user", "u1"), text=text)
    params = SendParams(Account("main", 1, {}), message, key)
    async with asyncio.timeout(20):
        return await world.host.call(
            plugin_id, "channel.send_outbound", params, SendResult, account
        )


async def fault_of(call) -> tuple[FaultKind, str]:
    with pytest.raises(ProviderFault) as caught:
        await call
    return caught.value.fault.kind, caught.value.fault.outcome


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


# --- at the start ----------------------------------------------------------------------------------


async def test_a_plugin_that_exits_at_start_is_broken_after_three_tries_and_says_why(tmp_path):
    async with running() as world:
        await world.host.start(little_plugin(tmp_path, "ExitsAtStart"))
        broken = await world.events.until("plugin_broken")
        failed = await world.events.until("plugin_start_failed", 3)
        assert broken.fields["cause"] == "exited_at_start"
        assert (failed.fields["exit"], failed.fields["stderr"][-1]) == ("exit 1", "no such library")
        report = world.report("exitsatstart")
        assert (report.state, report.restarts) == (RuntimeState.BROKEN, 2)
        assert report.retry_at is not None, "a crash cause gets one late start"
        assert await fault_of(parse(world, "exitsatstart")) == (FaultKind.NOT_READY, "not_sent")


async def test_a_plugin_that_exits_for_wrong_usage_is_not_started_again(tmp_path):
    async with running() as world:
        await world.host.start(little_plugin(tmp_path, "ExitsForUsage"))
        await world.events.until("plugin_broken")
        assert world.events.names.count("plugin_started") == 1
        assert world.report("exitsforusage").retry_at is None


async def test_an_entry_that_cannot_be_executed_is_not_started_again(tmp_path):
    spec = little_plugin(tmp_path, entry="missing")
    async with running() as world:
        await world.host.start(spec)
        broken = await world.events.until("plugin_broken")
        assert (broken.fields["detail"], world.report("good").retry_at) == ("exit 127", None)


async def test_a_plugin_that_never_shakes_hands_is_given_up_at_the_limit(tmp_path):
    quick = policy(life={"handshake_s": 0.5})
    async with running(quick) as world:
        await world.host.start(little_plugin(tmp_path, "NeverShakesHands"))
        failed = await world.events.until("plugin_start_failed")
        assert (failed.fields["cause"], failed.fields["exit"]) == ("no_handshake", "signal 9")


@pytest.mark.parametrize(
    ("kind", "cause"),
    [
        ("WrongVersion", "wrong_version"),
        ("WrongId", "wrong_id"),
        ("WrongCookie", "wrong_cookie"),
        ("OtherProtocol", "protocol_unsupported"),
        ("ClaimsMore", "capability_not_declared"),
    ],
)
async def test_a_handshake_that_does_not_match_breaks_the_plugin_at_once(tmp_path, kind, cause):
    async with running() as world:
        await world.host.start(little_plugin(tmp_path, kind))
        broken = await world.events.until("plugin_broken")
        assert broken.fields["cause"] == cause
        assert world.events.names.count("plugin_started") == 1
        assert world.report(kind.lower()).retry_at is None


@pytest.mark.parametrize("method", ["handshake", "health"])
async def test_a_crash_before_it_is_ready_is_a_failed_start(tmp_path, method):
    spec = little_plugin(tmp_path, "CrashesAt", version=f"1.0.0-{method}")
    async with running() as world:
        await world.host.start(spec)
        failed = await world.events.until("plugin_start_failed")
        assert failed.fields["exit"] == "exit 3"


async def test_preflight_names_the_cause_and_what_was_written(tmp_path):
    async with running() as world:
        with pytest.raises(Invalid, match=r"exited_at_start: exit 1\nno such library"):
            await world.host.preflight(little_plugin(tmp_path, "ExitsAtStart"))
        await world.host.preflight(little_plugin(tmp_path, "Good"))
        assert world.host.report("good") is None, "preflight gets no traffic and leaves no trace"


# --- on the wire -----------------------------------------------------------------------------------


async def test_prints_on_stdout_are_kept_in_the_log_and_the_call_succeeds(tmp_path):
    async with running() as world:
        await world.ready(little_plugin(tmp_path, "Prints"))
        assert (await parse(world, "prints")).ignored == "nothing"
        assert world.report("prints").stdout_noise == 2
        assert world.host.stderr("prints") == [
            "stdout_noise: debugging here",
            "stdout_noise: {not json",
        ]


async def test_a_flood_of_lines_that_are_no_frames_does_not_stop_a_neighbour(tmp_path):
    async with running(policy(calls={"parse_s": 60.0})) as world:
        await world.ready(little_plugin(tmp_path, "FloodsStdout"))
        await world.ready(little_plugin(tmp_path, "Good"))
        flood = asyncio.create_task(parse(world, "floodsstdout"))
        for _ in range(50):
            await parse(world, "good")
        flood.cancel()
        assert world.report("good").methods["channel.parse_inbound"].errors == {}


async def test_a_line_of_ten_megabytes_fails_its_call_as_too_large(tmp_path):
    async with running(policy(calls={"parse_s": 30.0})) as world:
        await world.ready(little_plugin(tmp_path, "WritesTenMegabytes"))
        assert (await fault_of(parse(world, "writestenmegabytes")))[0] is FaultKind.TOO_LARGE
        assert world.report("writestenmegabytes").state is RuntimeState.READY
        assert (await fault_of(parse(world, "writestenmegabytes")))[0] is FaultKind.TOO_LARGE


async def test_a_flood_of_stderr_neither_blocks_the_plugin_nor_fills_memory(tmp_path):
    async with running(policy(calls={"parse_s": 30.0})) as world:
        await world.ready(little_plugin(tmp_path, "FloodsStderr"))
        assert (await parse(world, "floodsstderr")).ignored == "nothing"
        lines = world.host.stderr("floodsstderr")
        assert sum(map(len, lines)) <= 256 * 1024
        assert max(map(len, lines)) <= 16 * 1024 + len(" [cut]")


async def test_a_plugin_that_stops_reading_is_killed_and_started_again(tmp_path):
    quick = policy(wire={"write_stall_s": 0.2, "pipe_bytes": 4096}, calls={"send_s": 30.0})
    async with running(quick) as world:
        await world.ready(little_plugin(tmp_path, "StopsReading"))
        stuck = asyncio.create_task(parse(world, "stopsreading"))
        await until(lambda: world.report("stopsreading").in_flight == 1)
        sends = [
            asyncio.create_task(send(world, "stopsreading", "x" * 200_000, f"d{number}"))
            for number in range(4)
        ]
        crashed = await world.events.until("plugin_crashed")
        assert crashed.fields["cause"] == "write_stalled"
        with pytest.raises(ProviderFault):
            await stuck
        outcomes = [await fault_of(one) for one in sends]
        assert outcomes == [(FaultKind.NOT_READY, "not_sent")] * 4, "no frame was whole"
        await world.events.until("plugin_ready", 2)


async def test_a_late_success_reaches_the_outbox_door(tmp_path):
    async with running(policy(calls={"send_s": 0.2})) as world:
        await world.ready(little_plugin(tmp_path, "AnswersLate"))
        assert await fault_of(send(world, "answerslate", "late", "d7")) == (
            FaultKind.TIMEOUT,
            "unknown",
        )
        async with asyncio.timeout(10):
            plugin_id, params, result = await world.late.get()
        assert (plugin_id, params.idempotency_key) == ("answerslate", "d7")
        assert result == SendResult("p-d7")
        assert world.report("answerslate").late_answers == 1


async def test_a_call_whose_caller_left_is_cancelled_and_its_success_still_counts(tmp_path):
    async with running(policy(calls={"send_s": 30.0})) as world:
        await world.ready(little_plugin(tmp_path, "AnswersLate"))
        call = asyncio.create_task(send(world, "answerslate", "late", "d8"))
        await until(lambda: world.report("answerslate").in_flight == 1)
        await asyncio.sleep(0)
        call.cancel()
        async with asyncio.timeout(10):
            _, params, _ = await world.late.get()
        assert params.idempotency_key == "d8"


async def test_answers_to_unknown_ids_are_counted_and_nothing_else(tmp_path):
    async with running() as world:
        await world.ready(little_plugin(tmp_path, "AnswersStrangers"))
        await parse(world, "answersstrangers")
        report = world.report("answersstrangers")
        assert (report.late_answers, report.state) == (2, RuntimeState.READY)


async def test_results_that_do_not_fit_fail_the_call_and_a_send_may_have_arrived(tmp_path):
    async with running() as world:
        await world.ready(little_plugin(tmp_path, "AnswersNonsense"))
        assert await fault_of(parse(world, "answersnonsense")) == (FaultKind.BAD_FRAME, "not_sent")
        assert await fault_of(send(world, "answersnonsense")) == (FaultKind.BAD_FRAME, "unknown")


# --- crashes ---------------------------------------------------------------------------------------


async def test_a_crash_in_a_send_leaves_its_outcome_unknown_and_the_plugin_comes_back(tmp_path):
    async with running() as world:
        spec = little_plugin(tmp_path, "CrashesAt", version="1.0.0-send-outbound")
        await world.ready(spec)
        assert await fault_of(send(world, "crashesat")) == (FaultKind.PLUGIN_CRASHED, "unknown")
        crashed = await world.events.until("plugin_crashed")
        assert crashed.fields["exit"] == "exit 3"
        assert crashed.fields["stderr"] == ["Traceback: as ordered"]
        await world.events.until("plugin_ready", 2)
        assert (await parse(world, "crashesat")).ignored == "nothing"
        report = world.report("crashesat")
        assert (report.crashes, report.restarts, report.last_exit) == (1, 1, "exit 3")


async def test_a_crash_in_a_parse_fails_that_call_as_not_sent(tmp_path):
    async with running() as world:
        spec = little_plugin(tmp_path, "CrashesAt", version="1.0.0-parse-inbound")
        await world.ready(spec)
        assert await fault_of(parse(world, "crashesat")) == (FaultKind.PLUGIN_CRASHED, "not_sent")


async def test_a_crash_while_stopping_is_told_and_the_stop_returns(tmp_path):
    async with running() as world:
        await world.ready(little_plugin(tmp_path, "CrashesAt", version="1.0.0-shutdown"))
        async with asyncio.timeout(10):
            await world.host.stop("crashesat")
        assert (await world.events.until("plugin_stopped")).fields["exit"] == "exit 3"
        assert "plugin_crashed" not in world.events.names


async def test_more_crashes_than_allowed_break_the_plugin_and_that_is_remembered(tmp_path):
    async with running() as world:
        spec = little_plugin(tmp_path, "CrashesAt", version="1.0.0-parse-inbound")
        await world.host.start(spec)
        for number in range(6):
            await world.events.until("plugin_ready", number + 1)
            with pytest.raises(ProviderFault):
                await parse(world, "crashesat", body=str(number).encode())
        await world.events.until("plugin_broken")
        assert world.report("crashesat").state is RuntimeState.BROKEN
        history = world.history
        await until(lambda: history.rows["crashesat"].state == "broken")
    async with running() as world:
        world.history.rows = history.rows
        await world.ready(spec)
        with pytest.raises(ProviderFault):
            await parse(world, "crashesat", body=b"once more")
        await world.events.until("plugin_broken")
        assert world.report("crashesat").retry_at is None, "the start was its one more chance"
        assert world.report("crashesat").crashes == 7


async def test_a_delivery_that_crashes_the_plugin_alone_is_quarantined(tmp_path):
    async with running() as world:
        await world.ready(little_plugin(tmp_path, "CrashesOnPoison"))
        for number in range(3):
            await world.events.until("plugin_ready", number + 1)
            kind, outcome = await fault_of(send(world, "crashesonpoison", "poison", "d13"))
            assert (kind, outcome) == (FaultKind.PLUGIN_CRASHED, "unknown")
        await world.events.until("plugin_call_quarantined")
        await world.events.until("plugin_ready", 4)
        with pytest.raises(ProviderFault) as caught:
            await send(world, "crashesonpoison", "poison", "d13")
        fault = caught.value.fault
        assert (fault.provider_code, fault.is_retryable) == ("quarantined", False)
        assert (await send(world, "crashesonpoison", "hello", "d14")).provider_message_id == "p-d14"
        message = OutboundMessage("crashesonpoison", "main", Peer("user", "u1"))
        params = SendParams(Account("main", 1, {}), message, "d13")
        assert world.host.is_quarantined("crashesonpoison", params)


# --- stopping --------------------------------------------------------------------------------------


async def test_a_good_plugin_leaves_with_zero_when_asked(tmp_path):
    async with running() as world:
        await world.ready(little_plugin(tmp_path))
        await world.host.stop("good")
        stopped = await world.events.until("plugin_stopped")
        assert (stopped.fields["step"], stopped.fields["exit"]) == ("shutdown", "exit 0")
        assert world.report("good").state is RuntimeState.STOPPED


async def test_a_plugin_that_ignores_everything_is_killed_in_the_end(tmp_path):
    quick = policy(life={"shutdown_s": 0.1, "stdin_closed_s": 0.1, "terminate_s": 0.1})
    async with running(quick) as world:
        await world.ready(little_plugin(tmp_path, "IgnoresEverything"))
        async with asyncio.timeout(10):
            await world.host.stop("ignoreseverything")
        stopped = await world.events.until("plugin_stopped")
        assert (stopped.fields["step"], stopped.fields["exit"]) == ("killed", "signal 9")


async def test_grandchildren_go_with_the_plugin_even_when_they_left_its_group(tmp_path):
    async with running() as world:
        spec = await world.ready(little_plugin(tmp_path, "LeavesGrandchild"))
        pids = [int(pid) for pid in Path(spec.work_dir, "pids").read_text().split()]
        assert all(map(is_alive, pids))
        await world.host.stop("leavesgrandchild")
        await until(lambda: not any(map(is_alive, pids)))


async def test_nothing_is_left_ten_seconds_after_the_gateway_was_killed(tmp_path):
    spec = little_plugin(tmp_path, "LeavesGrandchild")
    script = (
        "import asyncio, sys\n"
        "from pathlib import Path\n"
        "from tests.fakes.plugin_host import little_plugin\n"
        "from tests.fakes.runtime_world import running\n"
        "async def main():\n"
        "    async with running() as world:\n"
        "        await world.ready(little_plugin(Path(sys.argv[1]), 'LeavesGrandchild'))\n"
        "        print('ready', flush=True)\n"
        "        await asyncio.sleep(3600)\n"
        "asyncio.run(main())\n"
    )
    gateway = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": f"{ROOT}/src:{ROOT}"},
    )
    assert gateway.stdout is not None
    with gateway.stdout:
        assert await asyncio.to_thread(gateway.stdout.readline) == b"ready\n"
    pids = [int(pid) for pid in Path(spec.work_dir, "pids").read_text().split()]
    assert all(map(is_alive, pids))
    gateway.send_signal(signal.SIGKILL)
    gateway.wait()
    async with asyncio.timeout(10):
        await until(lambda: not any(map(is_alive, pids)))


# --- neighbours and limits -------------------------------------------------------------------------


async def test_a_hung_plugin_does_not_hold_up_another(tmp_path):
    quick = policy(calls={"parse_s": 20.0}, life={"shutdown_s": 0.1, "stdin_closed_s": 0.1})
    async with running(quick) as world:
        await world.ready(little_plugin(tmp_path, "Hangs"))
        await world.ready(little_plugin(tmp_path, "Good"))
        hung = [
            asyncio.create_task(parse(world, "hangs", account=f"uid-{number % 2}"))
            for number in range(40)
        ]
        await until(lambda: world.report("hangs").in_flight == 16)
        for _ in range(20):
            await parse(world, "good")
        assert not any(one.done() for one in hung)
        for one in hung:
            one.cancel()


async def test_a_hung_plugin_is_restarted_after_three_missed_probes(tmp_path):
    quick = policy(
        life={"probe_every_s": 0.05, "probe_not_needed_s": 0.0},
        calls={"health_s": 0.05, "send_s": 20.0},
    )
    async with running(quick) as world:
        await world.ready(little_plugin(tmp_path, "Hangs"))
        assert await fault_of(send(world, "hangs")) == (FaultKind.PLUGIN_CRASHED, "unknown")
        assert (await world.events.until("plugin_crashed")).fields["cause"] == "probes_missed"
        await world.events.until("plugin_ready", 2)


async def test_a_full_send_pool_does_not_look_like_death(tmp_path):
    async with running(policy(calls={"send_s": 20.0})) as world:
        await world.ready(little_plugin(tmp_path, "AnswersLate", send_inflight=2))
        sends = [
            asyncio.create_task(send(world, "answerslate", "late", f"d{n}", account=f"uid-{n}"))
            for n in range(4)
        ]
        await until(lambda: world.report("answerslate").in_flight == 2)
        health = await world.host.call("answerslate", "plugin.health", Empty(), HealthResult, "")
        assert health.status == "ok"
        for one in sends:
            one.cancel()


async def test_a_plugin_that_leaks_is_replaced_by_a_fresh_process_before_it_is_stopped(tmp_path):
    quick = policy(life={"memory_every_s": 0.02, "memory_hard_bytes": 70_000_000})
    async with running(quick) as world:
        await world.ready(little_plugin(tmp_path, "Leaks"))
        first = world.report("leaks").pid
        await parse(world, "leaks")
        await world.events.until("plugin_recycled")
        await world.events.until("plugin_stopped")
        names = world.events.names
        assert names.index("plugin_recycled") < names.index("plugin_stopped")
        assert names.count("plugin_ready") == 2
        assert names.index("plugin_stopped") > len(names) - 1 - names[::-1].index("plugin_ready")
        assert world.report("leaks").pid != first


async def test_five_failures_in_a_row_open_the_breaker_of_that_account_only(tmp_path):
    async with running(policy(calls={"send_s": 0.05})) as world:
        await world.ready(little_plugin(tmp_path, "AnswersLate"))
        for number in range(5):
            assert (await fault_of(send(world, "answerslate", "late", f"d{number}")))[
                0
            ] is FaultKind.TIMEOUT
        kind, outcome = await fault_of(send(world, "answerslate"))
        assert (kind, outcome) == (FaultKind.BREAKER_OPEN, "not_sent")
        opened = await world.events.until("breaker_open")
        assert opened.fields["account_uid"] == "uid-1"
        assert world.host.send_room("answerslate", "uid-1") == 0
        assert world.host.send_room("answerslate", "uid-2") == sys.maxsize
        assert world.report("answerslate").breakers == {"uid-1": "open"}


async def test_a_plugin_sees_only_what_is_on_the_whitelist(tmp_path, monkeypatch):
    monkeypatch.setenv("WUNDER_SECRET_KEY", "do not tell")
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    leaked = os.open(tmp_path, os.O_RDONLY)
    os.set_inheritable(leaked, True)
    try:
        async with running() as world:
            await world.ready(little_plugin(tmp_path, "Good"))
            spec = await world.ready(little_plugin(tmp_path, "TellsAll"))
            seen = json.loads((await parse(world, "tellsall")).ignored or "")
    finally:
        os.close(leaked)
    environment = seen["environment"]
    fixed = {"HOME", "TMPDIR", "WUNDER_PLUGIN", "WUNDER_COOKIE", "WUNDER_PROTOCOLS"}
    assert fixed <= set(environment) <= fixed | {"PATH", "LANG", "LC_ALL", "TZ"}
    assert environment["HOME"] == environment["TMPDIR"] == spec.work_dir == seen["cwd"]
    assert seen["no_new_privs"] == "1"
    pipes = {name: target for name, target in seen["fds"].items() if target.startswith("pipe:")}
    assert set(pipes) == {"0", "1", "2"}
    assert str(tmp_path) not in seen["fds"].values()
    assert seen["sid"] is True
    assert (seen["core"], seen["nofile"], seen["fsize"]) == (0, 256, 64 * 1024 * 1024)
    assert (seen["oom"], seen["umask"]) == ("500", "0077")


# --- what plugins ask of the host ------------------------------------------------------------------


def asking(method: str, times: int = 1, **params) -> bytes:
    return json.dumps({"method": method, "params": params, "times": times}).encode()


async def test_a_plugin_keeps_state_for_its_own_accounts_only(tmp_path):
    async with running() as world:
        world.accounts["asks", "main"] = AccountUid("uid-1")
        await world.ready(little_plugin(tmp_path, "Asks"))

        async def ask(method: str, **params):
            return json.loads((await parse(world, "asks", asking(method, **params))).ignored or "")

        put = await ask("host.state.put", account_id="main", key="k", value={"a": 1}, rev=0)
        assert put["result"] == {"rev": 1}
        assert ("asks", "uid-1", "k") in world.history.state
        got = await ask("host.state.get", account_id="main", key="k")
        assert got["result"] == {"value": {"a": 1}, "rev": 1}
        again = await ask("host.state.put", account_id="main", key="k", value=2, rev=0)
        assert again["error"]["code"] == -32021
        other = await ask("host.state.get", account_id="another", key="k")
        assert other["error"]["code"] == -32020
        assert (await ask("host.secret.read", key="k"))["error"]["code"] == -32601
        assert (await ask("host.state.get", key=""))["error"]["code"] == -32602


async def test_a_flood_of_requests_is_refused_as_busy_while_calls_go_on(tmp_path):
    gate = asyncio.Event()

    class SlowHistory(KeptHistory):
        async def state_get(self, plugin_id, account_uid, key):
            await gate.wait()
            return await super().state_get(plugin_id, account_uid, key)

    async with running(policy(wire={"host_requests": 8})) as world:
        world.answers._history = SlowHistory()
        await world.ready(little_plugin(tmp_path, "Asks"))
        body = asking("host.state.get", times=50, key="k")
        said = json.loads((await parse(world, "asks", body)).ignored or "")
        assert said["error"]["code"] == -32000
        assert (await world.host.call("asks", "plugin.health", Empty(), HealthResult, "")).status
        gate.set()
