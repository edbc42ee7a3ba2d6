"""What waiting costs: CPU of a gateway with 64 plugins and 1,000 accounts that nobody writes to.

    python -m benchmarks.idle [--plugins 64] [--accounts 1000] [--seconds 20]

Every plugin is a process of its own, ready; the accounts are spread over them. CPU of the gateway, user
and system, over the time that passed; and of all plugin processes together. Once more after a message
each, which leaves every conversation with its lanes.
"""

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from benchmarks.ferry import SDK_ECHO, package
from benchmarks.machine import cpu_s, uss_mb
from benchmarks.serving import add_account, figures, install, note, plugin_pid, serving
from tests.journeys.gateway_process import GatewayProcess

SETTLE_S, LIMIT_S = 3.0, 120.0


def idle(gateway: GatewayProcess, pids: list[int], seconds: float) -> dict[str, float]:
    """Wait; which share of one core it took."""
    time.sleep(SETTLE_S)
    began, before = time.monotonic(), cpu_s(gateway.pid)
    plugins_before = sum(map(cpu_s, pids))
    time.sleep(seconds)
    took = time.monotonic() - began
    return {
        "gateway_cpu_percent": round((cpu_s(gateway.pid) - before) / took * 100, 3),
        "plugins_cpu_percent": round((sum(map(cpu_s, pids)) - plugins_before) / took * 100, 3),
        "gateway_uss_mb": round(uss_mb(gateway.pid), 1),
    }


def write_to_each(gateway: GatewayProcess, paths: list[str]) -> None:
    """One message to each account, answered."""
    for number, path in enumerate(paths):
        body = note(f"m{number}", f"p{number}")
        with urlopen(Request(gateway.url + path, body), timeout=30) as answer:
            assert answer.status == 200
    ends_at = time.monotonic() + LIMIT_S
    while figures(gateway).get("channel_outbox_sent", 0) < len(paths):
        assert time.monotonic() < ends_at, "not everything was answered"
        time.sleep(0.2)


def main() -> dict[str, Any]:
    """Measure; the report."""
    options = argparse.ArgumentParser()
    options.add_argument("--plugins", type=int, default=64)
    options.add_argument("--accounts", type=int, default=1000)
    options.add_argument("--seconds", type=float, default=20.0)
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder) / "data") as gateway:
        names = [f"quiet-{number:02d}" for number in range(chosen.plugins)]
        empty = idle(gateway, [], chosen.seconds / 4)
        for name in names:
            install(gateway, package(name, SDK_ECHO))
        paths = [
            add_account(gateway, names[number % len(names)], f"a{number}", {})
            for number in range(chosen.accounts)
        ]
        pids = [plugin_pid(gateway, name) for name in names]
        fresh = idle(gateway, pids, chosen.seconds)
        write_to_each(gateway, paths)
        used = idle(gateway, pids, chosen.seconds)
    return {
        "benchmark": "idle",
        "plugins": chosen.plugins,
        "accounts": chosen.accounts,
        "figures": {"empty": empty, "fresh": fresh, "used": used},
    }


if __name__ == "__main__":
    print(json.dumps(main(), indent=1))
