"""The doctor's look at the gateway that runs: is it ready, and are its plugins."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from wunder.cli.client import Client
from wunder.cli.doctor.finding import Finding, failed, ok, warning
from wunder.cli.failure import CommandFailed

PLUGINS = "/wunder/admin/channel_plugins"
_WORDS = {
    "store": "look at the lines on disk, and on store or database",
    "key": "put the key of this data directory back in its place",
    "stop": "it is being stopped; start it again when it has ended",
}


def key_of(client: Client) -> str:
    """What a running gateway says of its key: ok, or what is wrong with it."""
    return str((_readiness(client).get("checks") or {}).get("key", ""))


def check_gateway(client: Client) -> Iterator[Finding]:
    """Ask a running gateway how it is."""
    ready = _readiness(client)
    checks: dict[str, Any] = ready.get("checks") or {}
    for name, said in checks.items():
        if said != "ok":
            yield failed(f"gateway {name}", str(said), _WORDS.get(name, "look at its log"))
    if ready.get("status") == "ready":
        yield ok("gateway", f"runs at {client.place} and is ready")
    elif not checks:
        yield failed("gateway", f"{client.place} does not say how it is", "look at its log")
    yield from _check_plugins(client)


def _readiness(client: Client) -> dict[str, Any]:
    try:
        ready: dict[str, Any] = client.get("/readyz")
    except CommandFailed as failure:
        return dict(failure.document or {})
    return ready


def no_gateway(data_dir: Path) -> Finding:
    """Say that nothing runs here."""
    return ok("gateway", f"none runs on {data_dir}")


def _check_plugins(client: Client) -> Iterator[Finding]:
    try:
        views = client.whole(PLUGINS)
    except CommandFailed as failure:
        yield failed("plugins", failure.what, "mend what stands above; plugins go on meanwhile")
        return
    for view in views:
        name = f"plugin {view['plugin_id']}"
        if view["status"] == "error":
            advice = f"look at it: wunder plugin show {view['plugin_id']}"
            yield failed(name, view["last_error"] or "it does not run", advice)
        elif view["status"] == "enabled" and not view["is_sandbox_enforced"]:
            words = f"{view['health']}, permissions not enforced ({view['sandbox_level']})"
            yield warning(name, words, view["sandbox_note"] or "run only plugins that you trust")
    if not views:
        yield ok("plugins", "none installed")
