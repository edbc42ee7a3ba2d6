"""The plugin wire against its floor and against the naive way, interleaved in one run.

    python -m benchmarks.rpc_roundtrip [--rounds 5] [--save]

Everything is pinned to one core, as an unpinned pipe measures the scheduler. Reads: sequential p50
through the real Peer (deadline, typed result) over a raw os.pipe ping-pong of the same bytes, and calls
a second at 64 in flight over asyncio streams with stdlib json on both sides.
Children: `line` is a blocking loop of 15 lines with msgspec, `plain` the same with stdlib json (a plugin
without dependencies), `sdk` is a Channel served by wunder_sdk; `slots` is `line` through pools and all.
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
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import uvloop

from wunder.model.ids import PluginId
from wunder.model.runtime import PluginSpec
from wunder.observe.clock import SystemClock
from wunder.runtime.generation import Generation, Surroundings
from wunder.runtime.host_state import HostState
from wunder.runtime.policy import PoolSizes, RuntimePolicy
from wunder.runtime.rules import MethodRule
from wunder.runtime.sandbox.guard import Warden
from wunder.runtime.stderr import StderrRing
from wunder.runtime.unasked import Unasked
from wunder_wire.methods import Account, HostIdentity, HttpRequest, ParseParams, ParseResult

ROOT = Path(__file__).resolve().parents[1]
BODY_BYTES = 1_034
IN_FLIGHT = 64
SEQUENTIAL, CROWDED = 2_000, 8_000

PING_PONG = """
import os
while True:
    data = os.read(0, 65536)
    if not data:
        break
    os.write(1, data)
"""
NAIVE = """
import asyncio, json, sys
async def main():
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=1 << 20)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    transport, protocol = await loop.connect_write_pipe(asyncio.streams.FlowControlMixin, sys.stdout)
    writer = asyncio.StreamWriter(transport, protocol, reader, loop)
    async def answer(line):
        frame = json.loads(line)
        result = {"messages": [], "ignored": "nothing"}
        writer.write(json.dumps({"jsonrpc": "2.0", "id": frame["id"], "result": result}).encode() + b"\\n")
        await writer.drain()
    while line := await reader.readline():
        asyncio.create_task(answer(line))
asyncio.run(main())
"""
LINE = """#!{python} {flags}
import os, sys
{codec}
read, write = sys.stdin.buffer.readline, sys.stdout.buffer
for line in iter(read, b""):
    frame = loads(line)
    result = {{"messages": [], "ignored": "nothing"}}
    if frame["method"] == "plugin.handshake":
        result = {{"protocol": 1, "cookie": os.environ["WUNDER_COOKIE"], "plugin": frame["params"]["plugin"]}}
    elif frame["method"] == "plugin.health":
        result = {{}}
    elif "id" not in frame:
        continue
    write.write(dumps({{"jsonrpc": "2.0", "id": frame["id"], "result": result}}) + b"\\n")
    write.flush()
    if frame["method"] == "plugin.shutdown":
        sys.exit(0)
"""
CODECS = {
    "line": ("-B", "import msgspec; loads, dumps = msgspec.json.decode, msgspec.json.encode"),
    "plain": ("-SB", "import json; loads = json.loads; dumps = lambda v: json.dumps(v).encode()"),
}
SDK = """
from wunder_sdk import Channel, ParseResult
class Bench(Channel):
    async def parse_inbound(self, account, http):
        return ParseResult(ignored="nothing")
"""


def params() -> ParseParams:
    http = HttpRequest(
        "POST", "/wunder/channel/x/webhook", (), tuple((f"X-H{n}", "v" * 12) for n in range(6)),
        base64.b64encode(os.urandom(BODY_BYTES)).decode(), "192.0.2.1", 1_700_000_000_000,
    )  # fmt: skip
    return ParseParams(Account("main", 1, {"app_id": "cli_1"}, {"app_secret": "s" * 32}), http)


def floor(payload: bytes) -> float:
    """Return the p50 of a raw ping-pong in microseconds."""
    with subprocess.Popen(
        [sys.executable, "-c", PING_PONG], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
    ) as child:
        assert child.stdin and child.stdout
        out, back = child.stdin.fileno(), child.stdout.fileno()
        took = []
        for _ in range(SEQUENTIAL):
            began = time.perf_counter_ns()
            os.write(out, payload)
            os.read(back, 65536)
            took.append(time.perf_counter_ns() - began)
        child.stdin.close()
    return statistics.median(took) / 1e3


async def naive(frame: dict) -> tuple[float, float]:
    """Return p50 in microseconds and calls a second of streams and stdlib json."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", NAIVE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, limit=1 << 20
    )
    waiting: dict[int, asyncio.Future] = {}

    async def read() -> None:
        while line := await child.stdout.readline():
            answer = json.loads(line)
            waiting.pop(answer["id"]).set_result(answer["result"])

    reading = asyncio.create_task(read())
    ids = iter(range(1, 1 << 30))

    async def call() -> None:
        number = next(ids)
        waiting[number] = asyncio.get_running_loop().create_future()
        document = {
            "jsonrpc": "2.0",
            "id": number,
            "method": "channel.parse_inbound",
            "params": frame,
        }
        child.stdin.write(json.dumps(document).encode() + b"\n")
        await child.stdin.drain()
        await asyncio.wait_for(waiting[number], 2.0)

    figures = await measure(call)
    child.stdin.close()
    await child.wait()
    await reading
    return figures


async def measure(call) -> tuple[float, float]:
    for _ in range(300):
        await call()
    took = []
    for _ in range(SEQUENTIAL):
        began = time.perf_counter_ns()
        await call()
        took.append(time.perf_counter_ns() - began)

    async def worker() -> None:
        for _ in range(CROWDED // IN_FLIGHT):
            await call()

    began = time.perf_counter()
    await asyncio.gather(*(worker() for _ in range(IN_FLIGHT)))
    return statistics.median(took) / 1e3, CROWDED / (time.perf_counter() - began)


async def ours(root: Path, child: str, with_slots: bool = False) -> tuple[float, float]:
    """Return p50 in microseconds and calls a second through a Peer, or a whole Generation."""
    is_python = child == "sdk"
    # One account, so that half a pool is 64.
    policy = RuntimePolicy(pools=PoolSizes(intake=2 * IN_FLIGHT))
    clock = SystemClock()
    around = Surroundings(
        policy,
        clock,
        Warden(),
        str(ROOT / "src/wunder_sdk/boot.py"),
        HostIdentity("bench", "0", "0"),
    )
    ring = StderrRing(policy.wire)
    state = HostState(PluginId("bench"), None, lambda plugin_id, label: None)
    unasked = Unasked(ring, state, clock, policy.wire, lambda errand: False)
    spec = PluginSpec(
        plugin_id=PluginId("bench"), version="1.0.0", package_sha256="", root_dir=str(root),
        work_dir=str(root), data_dir="", entry="app" if is_python else child, is_python=is_python,
        capabilities={"webhook": True}, frame_bytes=1 << 20, message_bytes=1 << 19,
        parse_inflight=2 * IN_FLIGHT, send_inflight=64,
    )  # fmt: skip
    generation = Generation(spec, 1, around, unasked, ring, lambda: None)
    await generation.open(10.0)
    rule, wanted, method = MethodRule("intake", 2.0), params(), "channel.parse_inbound"

    async def call() -> None:
        if with_slots:
            await generation.call(method, rule, wanted, ParseResult, "uid")
        else:
            await generation.peer.call(method, wanted, ParseResult, clock.monotonic() + 2.0)

    try:
        return await measure(call)
    finally:
        await generation.stop("done")
        await around.warden.close(5.0)


def one_round(root: Path) -> dict[str, float]:
    frame = msgspec.to_builtins(params())
    found = {"floor_p50_us": floor(b"x" * 1_900)}
    for name, work in (
        ("naive", lambda: asyncio.run(naive(frame))),
        ("line", lambda: uvloop.run(ours(root, "line"))),
        ("slots", lambda: uvloop.run(ours(root, "line", with_slots=True))),
        ("plain", lambda: uvloop.run(ours(root, "plain"))),
        ("sdk", lambda: uvloop.run(ours(root, "sdk"))),
    ):
        found[f"{name}_p50_us"], found[f"{name}_calls_s"] = work()
    return found


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--save", action="store_true")
    chosen = options.parse_args()
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for name, (flags, codec) in CODECS.items():
            entry = root / name
            entry.write_text(LINE.format(python=sys.executable, flags=flags, codec=codec))
            entry.chmod(0o755)
        (root / "app").mkdir()
        (root / "app" / "plugin.py").write_text(SDK)
        (root / "plugin.json").write_text('{"plugin_id": "bench", "version": "1.0.0"}')
        rounds = [one_round(root) for _ in range(chosen.rounds)]
    middle = {name: round(statistics.median(one[name] for one in rounds), 1) for name in rounds[0]}
    children = ("line", "slots", "plain", "sdk")
    ratios = {
        f"{name}_p50_x_floor": round(middle[f"{name}_p50_us"] / middle["floor_p50_us"], 2)
        for name in children
    } | {
        f"{name}_calls_x_naive": round(middle[f"{name}_calls_s"] / middle["naive_calls_s"], 2)
        for name in children
    }
    report = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"), "python": platform.python_version(),
        "rounds": chosen.rounds, "in_flight": IN_FLIGHT, "medians": middle, "ratios": ratios,
    }  # fmt: skip
    print(json.dumps(report, indent=1))
    if chosen.save:
        path = ROOT / "benchmarks" / "results" / "rpc_roundtrip.json"
        path.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
