"""Private memory (USS) of the gateway and of plugins, idle and after work.

    python -m benchmarks.memory [--messages 300]

USS is Private_* of /proc/<pid>/smaps_rollup: what would be free if the process ended. The QQ plugin
is read after it has fetched a token, checked signatures and sent replies: with HTTP and crypto
loaded. Idle means a second without traffic.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from benchmarks.ferry import SDK_ECHO, package
from benchmarks.machine import uss_mb
from benchmarks.serving import add_account, figures, install, note, plugin_pid, serving
from tests.chaos.rough_channel import package as plain_package
from tests.journeys.gateway_process import GatewayProcess
from wunder.plugins.pack import pack

ROOT = Path(__file__).resolve().parents[1]
APP_ID, SECRET = "102000001", "naOC0ocQE3shWLAfffVLB1rhYPG7"
SETTLE_S, LIMIT_S = 1.0, 60.0


def post(url: str, document: Any) -> bytes:
    """Post a JSON document; the answer."""
    data = document if isinstance(document, bytes) else json.dumps(document).encode()
    request = Request(url, data, {"Content-Type": "application/json"}, method="POST")
    with urlopen(request, timeout=20) as answer:
        return bytes(answer.read())


@contextmanager
def qq_standin(folder: Path) -> Iterator[str]:
    """Run the QQ stand-in; its URL."""
    secret = folder / "secret.txt"
    secret.write_text(SECRET)
    command = [sys.executable, "-m", "tests.standins.qq", "--app-id", APP_ID]
    command += ["--secret-file", str(secret)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT) as child:
        assert child.stdout
        try:
            yield json.loads(child.stdout.readline())["url"]
        finally:
            child.terminate()


def wait_for(gateway: GatewayProcess, sent: int) -> None:
    """Wait until so many deliveries were sent."""
    ends_at = time.monotonic() + LIMIT_S
    while figures(gateway).get("channel_outbox_sent", 0) < sent:
        if time.monotonic() > ends_at:
            raise SystemExit(f"not answered: {figures(gateway)}")
        time.sleep(0.1)


def measure(folder: Path, messages: int) -> dict[str, float]:
    """Install everything, read, work, read again; MB."""
    found: dict[str, float] = {}
    with qq_standin(folder) as qq, serving(folder / "data") as gateway:
        time.sleep(SETTLE_S)
        found["gateway_fresh_mb"] = uss_mb(gateway.pid)
        install(gateway, pack(ROOT / "plugins/channel-qq").content, confirm=True)
        install(gateway, package("echo_sdk", SDK_ECHO))
        install(gateway, plain_package("rough_sea"))
        config = {"app_id": APP_ID, "client_secret": SECRET, "api_base": qq}
        hook = add_account(gateway, "qq", "main", config)
        echo = add_account(gateway, "echo_sdk", "main", {})
        # As after a start: what installing needed is not there any more.
        gateway.stop()
        gateway.start()
        wait_until_ready(gateway, "qq", "echo_sdk", "rough_sea")
        time.sleep(SETTLE_S)
        found["gateway_idle_mb"] = uss_mb(gateway.pid)
        found["qq_idle_mb"] = uss_mb(plugin_pid(gateway, "qq"))
        found["plugin_without_http_mb"] = uss_mb(plugin_pid(gateway, "echo_sdk"))
        found["plugin_without_sdk_mb"] = uss_mb(plugin_pid(gateway, "rough_sea"))
        post(f"{qq}/standin/webhook", {"url": gateway.url + hook})
        for number in range(messages):
            peer = f"{number % 20:032X}"
            post(f"{qq}/standin/send", {"kind": "c2c", "text": f"m{number}", "peer": peer})
            post(gateway.url + echo, note(f"e{number}", f"p{number % 20}", 900))
        wait_for(gateway, messages * 2)
        time.sleep(SETTLE_S)
        found["gateway_worked_mb"] = uss_mb(gateway.pid)
        found["qq_worked_mb"] = uss_mb(plugin_pid(gateway, "qq"))
        found["plugin_without_http_worked_mb"] = uss_mb(plugin_pid(gateway, "echo_sdk"))
    return {name: round(value, 1) for name, value in found.items()}


def wait_until_ready(gateway: GatewayProcess, *plugins: str) -> None:
    """Wait until plugins take calls, without loading the admin API."""
    ends_at = time.monotonic() + LIMIT_S
    with urlopen(f"{gateway.url}/readyz", timeout=10) as answer:
        ready = json.load(answer)["plugins"].get("ready", 0)
    while ready < len(plugins) and time.monotonic() < ends_at:
        time.sleep(0.1)
        with urlopen(f"{gateway.url}/readyz", timeout=10) as answer:
            ready = json.load(answer)["plugins"].get("ready", 0)


def main() -> dict[str, Any]:
    """Measure; the report."""
    options = argparse.ArgumentParser()
    options.add_argument("--messages", type=int, default=300)
    messages = options.parse_args().messages
    with tempfile.TemporaryDirectory() as folder:
        found = measure(Path(folder), messages)
    return {"benchmark": "memory", "messages": messages, "figures": found}


if __name__ == "__main__":
    print(json.dumps(main(), indent=1))
