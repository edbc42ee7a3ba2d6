"""`wunder nodes`: which gateways share the store, how each is, and what runs on it."""

from collections.abc import Mapping
from typing import Any

import typer

from wunder.cli.output import Column, when
from wunder.cli.session import session_of


def command(context: typer.Context) -> None:
    """Show the gateways that share the store: state, version, leases, plugins."""
    session = session_of(context)
    with session.client() as client:
        found = list(client.items("/wunder/admin/nodes", {}, 1_000))
    columns: list[Column] = [
        ("NODE", lambda row: row["node_id"][:12] + ("  (this)" if row["is_this"] else "")),
        ("STATE", "state"),
        ("VERSION", "version"),
        ("HOST", "host"),
        ("URL", "url"),
        ("EPOCH", "epoch"),
        ("STARTED", lambda row: when(row["started_at"])),
        ("LAST SEEN", lambda row: when(row["seen_at"])),
        ("LEASES", "leases"),
        ("PLUGINS", lambda row: ", ".join(map(_plugin, _running(row)))),
    ]
    session.out.listing(found, columns, "No node has introduced itself yet.")
    for row in found:
        for plugin in _running(row):
            if plugin["last_error_code"]:
                what = f"{plugin['plugin_id']} {plugin['version']} does not run on {row['node_id'][:12]}"
                session.out.line(f"{what}: {plugin['last_error_code']}: {plugin['last_error']}")


def _running(row: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What runs on a node: nothing on one that has ended, whatever it said last."""
    return [] if row["state"] in ("dead", "stopped") else list(row["plugins"])


def _plugin(row: dict[str, Any]) -> str:
    return f"{row['plugin_id']} {row['version']} {row['last_error_code'] or row['state']}".strip()
