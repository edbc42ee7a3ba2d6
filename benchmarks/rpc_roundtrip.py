"""The plugin wire against its floor and against the naive way, interleaved in one run.

    python -m benchmarks.rpc_roundtrip [--rounds 30] [--core 0] [--save]

Reads, per contender: sequential p50 through the real host and its multiple of the floor (a raw os.pipe
ping-pong of two processes that carries the same bytes), calls a second at 64 in flight and their multiple
of asyncio streams with stdlib json on both sides, and CPU microseconds a call of host and child (at 64).

All processes live at once, pinned to one core: an unpinned pipe measures the scheduler. A round is a slice of
each, a few milliseconds long, and ratios are taken within the round: this machine's cores change their
speed by half when the neighbour works. Figures are medians over rounds.

Contenders: `naive`; children without our SDK, `line` (15 lines with msgspec) and `plain` (the same with
stdlib json); `sdk`, a Channel served by wunder_sdk; `body`, the same and it reads the request's body.
All but naive go through Peer (deadline, typed result); `slots` is `sdk` through pools, turnstile and all.
"""

import argparse
import asyncio
import base64
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import uvloop

from benchmarks.rpc_children import NAIVE, PING_PONG, SDK_WORK, write_packages
from wunder.model.ids import PluginId
from wunder.model.runtime import PluginSpec
from wunder.observe.clock import SystemClock
from wunder.runtime.generation import Generation, Surroundings
from wunder.runtime.peer import request_line
from wunder.runtime.policy import PoolSizes, RuntimePolicy
from wunder.runtime.rules import MethodRule
from wunder.runtime.sandbox.guard import Warden
from wunder.runtime.stderr import StderrRing
from wunder.runtime.unasked import Unasked
from wunder_wire.methods import Account, HostIdentity, HttpRequest, ParseParams, ParseResult

ROOT = Path(__file__).resolve().parents[1]
BODY_BYTES = 1_034
IN_FLIGHT = 64
WARM_UP, SEQUENTIAL, CROWDED = 600, 200, 640
METHOD = "channel.parse_inbound"
ANSWER = b'{"jsonrpc":"2.0","id":100000,"result":{"ignored":"nothing"}}\n'
RATIOS = {
    "x_floor": "p50_x_floor", "x_naive": "calls_x_naive", "cpu_x_naive": "cpu_x_naive",
}  # fmt: skip

Call = Callable[[], Coroutine[Any, Any, object]]


def params() -> ParseParams:
    http = HttpRequest(
        "POST", "/wunder/channel/x/webhook", (), tuple((f"X-H{n}", "v" * 12) for n in range(6)),
        base64.b64encode(os.urandom(BODY_BYTES)).decode(), "192.0.2.1", 1_700_000_000_000,
    )  # fmt: skip
    return ParseParams(Account("main", 1, {"app_id": "cli_1"}, {"app_secret": "s" * 32}), http)


def cpu_ns(pid: int) -> int:
    """Return what a process has used of its core, all threads."""
    threads = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((thread / "schedstat").read_text().split()[0]) for thread in threads)


class Floor:
    """The raw ping-pong. Each round has a new one: where its memory lies is worth a third."""

    def __init__(self) -> None:
        self._there = request_line(100_000, METHOD, params())
        self._child = subprocess.Popen(
            [sys.executable, "-c", PING_PONG, str(len(ANSWER))],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0,
        )  # fmt: skip

    def p50_us(self) -> float:
        """Return the median of a slice."""
        assert self._child.stdin and self._child.stdout
        out, back = self._child.stdin.fileno(), self._child.stdout.fileno()
        took = []
        for _ in range(SEQUENTIAL):
            began = time.perf_counter_ns()
            os.write(out, self._there)
            os.read(back, 65536)
            took.append(time.perf_counter_ns() - began)
        return statistics.median(took) / 1e3

    def close(self) -> None:
        self._child.communicate()


class Naive:
    """asyncio streams and stdlib json, with a deadline as ours has one."""

    async def open(self) -> tuple[Call, int]:
        self._child = child = await asyncio.create_subprocess_exec(
            sys.executable, "-c", NAIVE, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            limit=1 << 20,
        )  # fmt: skip
        waiting: dict[int, asyncio.Future] = {}
        frame = msgspec.to_builtins(params())
        ids = iter(range(1, 1 << 30))

        async def read() -> None:
            while line := await child.stdout.readline():
                answer = json.loads(line)
                waiting.pop(answer["id"]).set_result(answer["result"])

        async def call() -> None:
            number = next(ids)
            waiting[number] = answer = asyncio.get_running_loop().create_future()
            asked = {"jsonrpc": "2.0", "id": number, "method": METHOD, "params": frame}
            child.stdin.write(json.dumps(asked).encode() + b"\n")
            await child.stdin.drain()
            async with asyncio.timeout(2.0):
                await answer

        self._reading = asyncio.create_task(read())
        return call, child.pid

    async def close(self) -> None:
        self._child.stdin.close()
        await self._child.wait()
        await self._reading


async def admitted(_spec: PluginSpec) -> None:
    """Let every release start."""


async def unanswered(_method: str, _params: bytes) -> object:
    """Nothing of the benchmark asks the host."""
    raise NotImplementedError


class Ours:
    """A plugin behind the real host; `with_slots`: through the whole Generation, not its Peer alone."""

    def __init__(self, root: Path, child: str, with_slots: bool = False) -> None:
        self._root = root
        self._child = child
        self._with_slots = with_slots

    async def open(self) -> tuple[Call, int]:
        # One account, so that half a pool is 64.
        policy = RuntimePolicy(pools=PoolSizes(intake=2 * IN_FLIGHT))
        clock = SystemClock()
        boot = str(ROOT / "src/wunder_sdk/boot.py")
        self._around = around = Surroundings(
            policy, clock, Warden(), boot, HostIdentity("bench", "0", "0"), admitted
        )
        ring = StderrRing(policy.wire)
        unasked = Unasked(ring, unanswered, clock, policy.wire, lambda errand: False)
        spec = PluginSpec(
            plugin_id=PluginId("bench"), version="1.0.0", package_sha256="",
            root_dir=str(self._root / self._child), work_dir=str(self._root / self._child), data_dir="",
            entry="app", is_python=self._child in SDK_WORK, capabilities={"webhook": True},
            frame_bytes=1 << 20, message_bytes=1 << 19, parse_inflight=2 * IN_FLIGHT, send_inflight=64,
        )  # fmt: skip
        self._generation = generation = Generation(spec, 1, around, unasked, ring, lambda: None)
        await generation.open(10.0)
        rule, wanted = MethodRule("intake", 2.0), params()

        async def call() -> ParseResult:
            return await generation.peer.call(METHOD, wanted, ParseResult, clock.monotonic() + 2.0)

        async def call_with_slots() -> ParseResult:
            return await generation.call(METHOD, rule, wanted, ParseResult, "uid")

        assert generation.pid
        return (call_with_slots if self._with_slots else call), generation.pid

    async def close(self) -> None:
        await self._generation.stop("done")
        await self._around.warden.close(5.0)


class Contender:
    """One way to call, on an event loop of its own that runs only during its slices."""

    def __init__(self, way: Naive | Ours, loop_factory: Callable[[], Any]) -> None:
        self._way = way
        self._runner = asyncio.Runner(loop_factory=loop_factory)
        self._call, self._pid = self._runner.run(way.open())
        self._runner.run(self._sequence(WARM_UP))

    def slices(self) -> dict[str, float]:
        """Return p50 one by one, calls a second at 64 in flight, and CPU a call of both sides then."""
        took = self._runner.run(self._sequence(SEQUENTIAL))
        host, child, began = time.process_time_ns(), cpu_ns(self._pid), time.perf_counter()
        self._runner.run(self._crowd())
        seconds = time.perf_counter() - began
        host, child = time.process_time_ns() - host, cpu_ns(self._pid) - child
        return {
            "p50_us": statistics.median(took) / 1e3, "calls_s": CROWDED / seconds,
            "host_us": host / 1e3 / CROWDED, "child_us": child / 1e3 / CROWDED,
        }  # fmt: skip

    def close(self) -> None:
        self._runner.run(self._way.close())
        self._runner.close()

    async def _sequence(self, calls: int) -> list[int]:
        took = []
        for _ in range(calls):
            began = time.perf_counter_ns()
            await self._call()
            took.append(time.perf_counter_ns() - began)
        return took

    async def _crowd(self) -> None:
        async def worker() -> None:
            for _ in range(CROWDED // IN_FLIGHT):
                await self._call()

        async with asyncio.TaskGroup() as group:
            for _ in range(IN_FLIGHT):
                group.create_task(worker())


def contenders(root: Path, wanted: set[str]) -> Iterator[tuple[str, Contender]]:
    ways = {
        "naive": (Naive(), asyncio.new_event_loop),
        "line": (Ours(root, "line"), uvloop.new_event_loop),
        "plain": (Ours(root, "plain"), uvloop.new_event_loop),
        "sdk": (Ours(root, "sdk"), uvloop.new_event_loop),
        "body": (Ours(root, "body"), uvloop.new_event_loop),
        "slots": (Ours(root, "sdk", with_slots=True), uvloop.new_event_loop),
    }
    for name, (way, loop_factory) in ways.items():
        if name == "naive" or not wanted or name in wanted:
            yield name, Contender(way, loop_factory)


def one_round(ways: dict[str, Contender]) -> dict[str, float]:
    """Play a slice of each, the floor before and after each."""
    found: dict[str, float] = {}
    floor = Floor()
    floor.p50_us()  # warm
    floors = [floor.p50_us()]
    for name, contender in ways.items():
        found |= {f"{name}.{what}": figure for what, figure in contender.slices().items()}
        floors.append(floor.p50_us())
        found[f"{name}.x_floor"] = found[f"{name}.p50_us"] / statistics.mean(floors[-2:])
        found[f"{name}.x_naive"] = found[f"{name}.calls_s"] / found["naive.calls_s"]
        found[f"{name}.cpu_x_naive"] = _cpu_us(found, "naive") / _cpu_us(found, name)
    floor.close()
    return found | {"floor.p50_us": statistics.median(floors)}


def _cpu_us(found: dict[str, float], name: str) -> float:
    return found[f"{name}.host_us"] + found[f"{name}.child_us"]


def report(rounds: list[dict[str, float]]) -> dict[str, Any]:
    middle = {name: statistics.median(one[name] for one in rounds) for name in rounds[0]}
    table: dict[str, dict[str, float]] = {}
    for name, figure in middle.items():
        who, _, what = name.partition(".")
        table.setdefault(who, {})[what] = round(figure, 0 if what == "calls_s" else 2)
    ratios = {
        f"{who}_{name}": row[what]
        for who, row in table.items()
        for what, name in RATIOS.items()
        if what in row and who != "naive"
    }
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"), "python": platform.python_version(),
        "rounds": len(rounds), "in_flight": IN_FLIGHT, "ratios": ratios, "medians": table,
    }  # fmt: skip


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--rounds", type=int, default=30)
    options.add_argument("--core", type=int, default=min(os.sched_getaffinity(0)))
    options.add_argument("--only", default="", help="contenders, with commas")
    options.add_argument("--save", action="store_true")
    chosen = options.parse_args()
    os.sched_setaffinity(0, {chosen.core})
    with tempfile.TemporaryDirectory() as folder:
        write_packages(Path(folder))
        ways = dict(contenders(Path(folder), set(filter(None, chosen.only.split(",")))))
        rounds = [one_round(ways) for _ in range(chosen.rounds)]
        for contender in ways.values():
            contender.close()
    found = report(rounds)
    print(json.dumps(found, indent=1))
    if chosen.save:
        path = ROOT / "benchmarks" / "results" / "rpc_roundtrip.json"
        path.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
