"""From `wunder serve` to the first durable 200 that went through a plugin.

    python -m benchmarks.cold_start [--rounds 9]

The plugin is installed, approved and enabled before; its channel asks for 503 until it is ready, so
the first 200 was parsed by the plugin and committed. The clock starts before the process does.
"""

import argparse
import compileall
import contextlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import wunder
from benchmarks.ferry import SDK_ECHO, package
from benchmarks.machine import cpu_s, percentile
from benchmarks.serving import QUIET, add_account, install, note, serving

CHANNEL = "cold"
LIMIT_S = 20.0
#: Seconds between knocks: they must not use up the core that the start needs.
KNOCK_S = 0.002


def knock(port: int, path: str, number: int) -> int:
    """Post one message; its status, 0 where nobody listens."""
    body = note(f"cold-{number}", "ann", 900)
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(body)}\r\n\r\n"
    try:
        with socket.create_connection(("127.0.0.1", port), 2) as link:
            link.sendall(head.encode() + body)
            return int(link.recv(4096).split(b" ", 2)[1])
    except (OSError, IndexError):
        return 0


def one_start(data_dir: Path, port: int, path: str, number: int) -> dict[str, float]:
    """Start a gateway once; milliseconds to the listener and to the first 200."""
    environ = {key: value for key, value in os.environ.items() if not key.startswith("WUNDER_")}
    environ |= {"WUNDER_DATA_DIR": str(data_dir), "WUNDER_SERVER_PORT": str(port), **QUIET}
    command = [sys.executable, "-m", "wunder.cli.main", "serve"]
    began = time.perf_counter()
    with subprocess.Popen(
        command, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as gateway:
        try:
            listening = 0.0
            while (status := knock(port, path, number)) != 200:
                now = time.perf_counter() - began
                if status and not listening:
                    listening = now
                if now > LIMIT_S or gateway.poll() is not None:
                    raise SystemExit(f"no 200 after {now:.1f} s, last status {status}")
                time.sleep(KNOCK_S)
            took = time.perf_counter() - began
            used = cpu_s(gateway.pid)
        finally:
            with contextlib.suppress(ProcessLookupError):
                gateway.terminate()
    return {
        "listening_ms": (listening or took) * 1e3,
        "first_200_ms": took * 1e3,
        "gateway_cpu_ms": used * 1e3,
    }


def bare_start() -> float:
    """Milliseconds in which an interpreter starts and ends: the floor, at this very moment."""
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", "pass"], check=True)
    return (time.perf_counter() - began) * 1e3


def prepare(data_dir: Path) -> tuple[int, str]:
    """Install the plugin; the port and path to knock at."""
    # As after `pip install`: an editable install compiles only what somebody imported who may write.
    for package_dir in ("wunder", "wunder_sdk", "wunder_wire"):
        compileall.compile_dir(Path(wunder.__file__).parents[1] / package_dir, quiet=1)
    with serving(data_dir) as gateway:
        manifest = {"webhook": {"redelivery": "long"}}
        install(gateway, package(CHANNEL, SDK_ECHO, **manifest))
        path = add_account(gateway, CHANNEL, "main", {})
        port = int(gateway.url.rpartition(":")[2])
        assert knock(port, path, 0) == 200
    return port, path


def main() -> dict[str, Any]:
    """Measure; the report."""
    options = argparse.ArgumentParser()
    options.add_argument("--rounds", type=int, default=9)
    rounds = options.parse_args().rounds
    with tempfile.TemporaryDirectory() as folder:
        data_dir = Path(folder) / "data"
        port, path = prepare(data_dir)
        starts = [
            {**one_start(data_dir, port, path, number), "bare_python_ms": bare_start()}
            for number in range(1, rounds + 2)
        ][1:]
    figures = {}
    for name in starts[0]:
        values = [one[name] for one in starts]
        figures[f"{name}_p50"] = round(percentile(values, 0.5), 1)
        figures[f"{name}_min"] = round(min(values), 1)
        figures[f"{name}_max"] = round(max(values), 1)
    floor = figures["bare_python_ms_p50"]
    figures["first_200_x_bare_python"] = round(figures["first_200_ms_p50"] / floor, 1)
    return {"benchmark": "cold_start", "rounds": rounds, "figures": figures}


if __name__ == "__main__":
    print(json.dumps(main(), indent=1))
