"""A real gateway with channels installed, for benchmarks: through its public API only."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.journeys.gateway_process import GatewayProcess

#: One load generator is one source: it must measure the gateway, not its budgets for strangers.
QUIET = {
    "WUNDER_LOG_LEVEL": "warning",
    "WUNDER_API_KNOCKS_STRANGER_PER_S": "100000",
    "WUNDER_API_KNOCKS_STRANGER_BURST": "100000",
    "WUNDER_API_KNOCKS_PROVEN_PER_S": "1000000",
    "WUNDER_API_KNOCKS_PROVEN_BURST": "1000000",
}


@contextmanager
def serving(data_dir: Path, **settings: str) -> Iterator[GatewayProcess]:
    """Run a gateway on a data directory."""
    with GatewayProcess(data_dir, **{**QUIET, **settings}) as gateway:
        yield gateway


def install(gateway: GatewayProcess, content: bytes, confirm: bool = False) -> str:
    """Upload, approve and enable a package, bound to the echo agent; its plugin id."""
    release = gateway.upload(content)
    plugin_id = str(release["plugin_id"])
    approval = {"version": release["version"], "sha256": release["package_sha256"]}
    gateway.call("POST", f"channel_plugins/{plugin_id}/approve", approval)
    wish = {"confirm": plugin_id} if confirm else {}
    gateway.call("POST", f"channel_plugins/{plugin_id}/enable", wish)
    binding = {"channel": plugin_id, "account_id": "*", "agent_id": "echo"}
    gateway.call("POST", "channels/bindings", binding)
    return plugin_id


def add_account(gateway: GatewayProcess, channel: str, account_id: str, config: Any) -> str:
    """Make an account; the path of its webhook."""
    account = {"channel": channel, "account_id": account_id, "provider_config": config}
    made = gateway.call("POST", "channels/accounts", account)
    return f"/wunder/channel/{channel}/{made['webhook_key']}/webhook"


def plugin_pid(gateway: GatewayProcess, plugin_id: str) -> int:
    """The process of a plugin that is ready."""
    node = gateway.get(f"channel_plugins/{plugin_id}/runtime")["nodes"][0]
    assert node["state"] == "ready", node
    return int(node["pid"])


def figures(gateway: GatewayProcess) -> dict[str, float]:
    """The store's kept counters."""
    return dict(gateway.get("channels/monitor")["figures"])


def note(message_id: str, sender: str, size: int = 0) -> bytes:
    """A webhook body of a ferry."""
    text = message_id.ljust(size, ".")
    return json.dumps({"id": message_id, "from": sender, "text": text}).encode()
