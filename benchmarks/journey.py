"""The whole way: webhook, plugin, commit, echo, commit, plugin, platform; against two echo bots.

    python -m benchmarks.journey [--rounds 3] [--seconds 3] [--no-open] [--nonebot [PYTHON]] [--postgres]

Interleaved in one run, the same load generator and platform for all (world.py, a process of its own):
`gateway` with its plugin process, on SQLite; `postgres`, the same on a private server of this machine;
`undurable`, an echo bot of one process that stores nothing; `rows`, the same with one commit a row;
`skeleton`, the least that the gateway's wires and commits cost, with its plugin and without a gateway;
`nonebot_http` and `nonebot_socket`, NoneBot2's echo over HTTP and a reverse WebSocket, of which the
faster counts as `nonebot`. A closed loop with 1, 16 and 64 messages in flight over 16 accounts and 256
conversations; then an open loop at half and four fifths of what 64 in flight gave. CPU is of
/proc/<pid>/stat, rows and commits of the store's own figures.
"""

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.ferry import SDK_FERRY, package
from benchmarks.machine import cpu_s, fsync_p50_us, written_bytes
from benchmarks.nonebot_venv import nonebot_python
from benchmarks.serving import add_account, figures, install, plugin_pid, serving
from tests.journeys.gateway_process import GatewayProcess
from tests.postgres_server import postgres, stop_postgres

ROOT = Path(__file__).resolve().parents[1]
CHANNEL = "ferry"
ACCOUNTS, LANES = 16, 256
IN_FLIGHT = (1, 16, 64)
WARM_S = 1.0
#: How NoneBot2 is spoken to: the style of the load generator, and the path it serves.
NONEBOTS = {
    "nonebot_http": ("onebot", "/onebot/v11/http"),
    "nonebot_socket": ("onebot_socket", "/onebot/v11/ws"),
}
NONEBOT_START_S = 1.5

Figures = dict[str, Any]


class Child:
    """A process that is spoken to in lines of JSON."""

    def __init__(self, *arguments: str, python: str = sys.executable) -> None:
        command = [python, "-m", *arguments]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT
        )
        self.said = self.read()
        self.port = int(self.said["port"])

    def ask(self, **order: Any) -> Figures:
        """Give an order and wait for its figures."""
        self.tell(**order)
        return self.read()

    def tell(self, **order: Any) -> None:
        """Give an order; `read` waits for its figures."""
        assert self.process.stdin
        self.process.stdin.write(json.dumps(order).encode() + b"\n")
        self.process.stdin.flush()

    def read(self) -> Figures:
        """The next line."""
        assert self.process.stdout
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit("a process of the benchmark ended")
        return dict(json.loads(line))


@contextmanager
def child(*arguments: str, python: str = sys.executable) -> Iterator[Child]:
    """Run one."""
    it = Child(*arguments, python=python)
    try:
        yield it
    finally:
        it.process.terminate()
        it.process.wait(10)
        for pipe in (it.process.stdin, it.process.stdout):
            if pipe:
                pipe.close()


@dataclass(frozen=True)
class Subject:
    """What is measured: where it listens, and who works for it."""

    port: int
    paths: list[str]
    pids: dict[str, int]
    style: str = ""


def measure(world: Child, subject: Subject, in_flight: int, seconds: float, **more: Any) -> Figures:
    """One order, with the CPU microseconds a message cost each process."""
    before = {name: cpu_s(pid) for name, pid in subject.pids.items()}
    order = {"port": subject.port, "paths": subject.paths, "in_flight": in_flight}
    order |= {"style": subject.style, "lanes": LANES}
    found = world.ask(**order, seconds=seconds, **more)
    for name, pid in subject.pids.items():
        used = cpu_s(pid) - before[name]
        found[f"{name}_cpu_us"] = round(used * 1e6 / max(1, found["messages"]), 1)
    return found


class Gateway:
    """The gateway under test, its store's figures included."""

    def __init__(self, gateway: GatewayProcess, platform: int) -> None:
        self.process = gateway
        install(gateway, package(CHANNEL, SDK_FERRY))
        config = {"platform": f"http://127.0.0.1:{platform}/"}
        paths = [add_account(gateway, CHANNEL, f"a{number}", config) for number in range(ACCOUNTS)]
        pids = {"gateway": gateway.pid, "plugin": plugin_pid(gateway, CHANNEL)}
        self.subject = Subject(int(gateway.url.rpartition(":")[2]), paths, pids)

    def measure(self, world: Child, in_flight: int, seconds: float, **more: Any) -> Figures:
        """As `measure`, with rows, units and commits."""
        fsync_ms = fsync_p50_us() / 1000 if in_flight == 1 else 0.0
        before, on_disk = figures(self.process), written_bytes(self.process.pid)
        found = measure(world, self.subject, in_flight, seconds, **more)
        after, on_disk = figures(self.process), written_bytes(self.process.pid) - on_disk
        rows, units, commits = (after[n] - before[n] for n in ("rows", "units", "commits"))
        found["rows_per_commit"] = round(rows / max(1, commits), 1)
        found["units_per_commit"] = round(units / max(1, commits), 2)
        found["rows_per_message"] = round(rows / max(1, found["messages"]), 1)
        found["written_kib_per_message"] = round(on_disk / 1024 / max(1, found["messages"]), 1)
        found["fsync_p50_ms"] = round(fsync_ms, 3)
        found["commits_per_s"] = round(commits / found["seconds"], 1)
        return found


def middle(rounds: list[Figures]) -> Figures:
    """The median of every figure over the rounds."""
    return {name: round(median(one[name] for one in rounds), 3) for name in rounds[0]}


def closed_loops(subjects: dict[str, Any], rounds: int) -> dict[str, dict[str, Figures]]:
    """Every subject at every load, interleaved; medians by subject and load."""
    found: dict[str, dict[str, list[Figures]]] = defaultdict(lambda: defaultdict(list))
    for number in range(rounds):
        for in_flight in IN_FLIGHT:
            for name, run in subjects.items():
                figures_of_run = run(in_flight)
                found[name][str(in_flight)].append(figures_of_run)
                _tell(f"round {number + 1} {name} x{in_flight}", figures_of_run)
    return {
        name: {load: middle(values) for load, values in by_load.items()}
        for name, by_load in found.items()
    }


def nonebots(open_: ExitStack, platform: str, python: str) -> dict[str, Subject]:
    """NoneBot2 twice: over HTTP both ways, and over a reverse WebSocket."""
    found = {}
    for name, (style, path) in NONEBOTS.items():
        bot = open_.enter_context(child("benchmarks.nonebot_bot", platform, python=python))
        found[name] = Subject(bot.port, [path], {"bot": bot.process.pid}, style)
    time.sleep(NONEBOT_START_S)  # they say their port before they listen
    return found


def with_the_faster(loops: dict[str, dict[str, Figures]]) -> dict[str, dict[str, Figures]]:
    """Name `nonebot` the faster of its two ways, load by load: what the gateway is held to."""
    both = [loops[name] for name in NONEBOTS if name in loops]
    if not both:
        return loops
    fastest = {load: max((one[load] for one in both), key=_per_s) for load in both[0]}
    return {**loops, "nonebot": fastest}


def _per_s(found: Figures) -> float:
    return float(found["per_s"])


def ratios(loops: dict[str, dict[str, Figures]]) -> dict[str, float]:
    """What survives a change of machine: the gateway over each echo bot, PostgreSQL over SQLite."""
    found = {}
    for name in loops.keys() - {"gateway"}:
        for load in map(str, IN_FLIGHT):
            ours, theirs = loops["gateway"][load], loops[name][load]
            if name == "postgres":
                ours, theirs = theirs, ours
            found[f"per_s_x_{name}_{load}"] = round(ours["per_s"] / max(1e-9, theirs["per_s"]), 2)
            found[f"p99_x_{name}_{load}"] = round(ours["p99_ms"] / max(1e-9, theirs["p99_ms"]), 2)
            cpu = theirs.get("bot_cpu_us") or theirs["gateway_cpu_us"]
            found[f"gateway_cpu_x_{name}_{load}"] = round(ours["gateway_cpu_us"] / cpu, 2)
    return found


def over_fsyncs(loops: dict[str, dict[str, Figures]]) -> dict[str, float]:
    """The way of a message that is alone, over what its fsyncs take and a little."""
    alone = loops["gateway"]["1"]
    fsync_ms = alone["fsync_p50_ms"]
    return {
        "p50_over_4_fsync_and_2_ms": round(alone["p50_ms"] / (4 * fsync_ms + 2), 2),
        "p50_over_2_fsync_and_1_ms": round(alone["p50_ms"] / (2 * fsync_ms + 1), 2),
    }


def run_all(chosen: argparse.Namespace) -> dict[str, Any]:
    """Start everything and measure."""
    with ExitStack() as open_:
        folder = Path(open_.enter_context(tempfile.TemporaryDirectory()))
        world = open_.enter_context(child("benchmarks.world"))
        served = open_.enter_context(serving(folder / "data"))
        gateway = Gateway(served, world.port)
        gateways = {"gateway": gateway}
        if chosen.postgres:
            url = asyncio.run(postgres().new_database())
            open_.callback(stop_postgres)
            second = open_.enter_context(serving(folder / "second", WUNDER_STORE_DATABASE_URL=url))
            gateways["postgres"] = Gateway(second, world.port)
        platform = f"http://127.0.0.1:{world.port}/"
        undurable = open_.enter_context(child("benchmarks.naive_server", platform))
        database = str(folder / "naive.db")
        rows = open_.enter_context(child("benchmarks.naive_server", platform, database))
        bots = {
            name: Subject(bot.port, ["/bot"], {"bot": bot.process.pid})
            for name, bot in (("undurable", undurable), ("rows", rows))
        }
        least = open_.enter_context(
            child("benchmarks.skeleton", platform, str(folder / "skeleton.db"))
        )
        pids = {"bot": least.process.pid, "plugin": least.said["plugin"]}
        bots["skeleton"] = Subject(least.port, ["/bot"], pids)
        if chosen.nonebot:
            bots |= nonebots(open_, platform, chosen.nonebot)
        subjects = {
            name: lambda load, one=one: one.measure(world, load, chosen.seconds)
            for name, one in gateways.items()
        } | {
            **{
                name: lambda load, one=one: measure(world, one, load, chosen.seconds)
                for name, one in bots.items()
            },
        }
        for one in gateways.values():
            one.measure(world, 16, WARM_S)
        for bot in bots.values():
            measure(world, bot, 16, WARM_S)
        report: dict[str, Any] = {"fsync_p50_us": round(fsync_p50_us())}
        report["closed"] = with_the_faster(closed_loops(subjects, chosen.rounds))
        report["ratios"] = ratios(report["closed"])
        report["alone"] = over_fsyncs(report["closed"])
        if not chosen.no_open:
            capacity = report["closed"]["gateway"]["64"]["per_s"]
            report["open"] = {
                f"{share:.0%}": gateway.measure(
                    world, 256, chosen.seconds, per_s=max(1.0, capacity * share)
                )
                for share in (0.5, 0.8)
            }
        return report


def _tell(what: str, found: Figures) -> None:
    sys.stderr.write(
        f"  {what:<28} {found['per_s']:>8.0f}/s  p50 {found['p50_ms']:>8.2f}"
        f"  p99 {found['p99_ms']:>8.2f} ms"
        f"  cpu {found.get('gateway_cpu_us', found.get('bot_cpu_us', 0)):>6.0f} us"
        f"{'  failed ' + str(found['failed']) if found['failed'] else ''}\n"
    )


def main() -> dict[str, Any]:
    """Measure; the report."""
    options = argparse.ArgumentParser()
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--seconds", type=float, default=3.0)
    options.add_argument("--no-open", action="store_true")
    options.add_argument("--nonebot", nargs="?", const="install", default="", metavar="PYTHON")
    options.add_argument("--postgres", action="store_true", help="a gateway on PostgreSQL as well")
    chosen = options.parse_args()
    if chosen.nonebot == "install":
        chosen.nonebot = nonebot_python(ROOT / "benchmarks" / ".nonebot")
    return {
        "benchmark": "journey",
        "rounds": chosen.rounds,
        "seconds": chosen.seconds,
        "figures": run_all(chosen),
    }


if __name__ == "__main__":
    print(json.dumps(main(), indent=1))
