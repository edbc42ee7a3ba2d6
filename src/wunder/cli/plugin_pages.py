"""What the plugin commands show: the list, a plugin, a package's review, its permissions."""

from collections.abc import Mapping, Sequence
from typing import Any

from wunder.cli.output import Column, Output, size, when

#: One plugin on several nodes.
_NODES: list[Column] = [
    ("NODE", lambda row: row["node_id"][:12]),
    ("LIVES", "is_alive"),
    ("VERSION", "version"),
    ("PROCESS", "state"),
    ("CRASHES", "crashes"),
    ("DOES NOT RUN BECAUSE", lambda row: f"{row['last_error_code']} {row['last_error']}".strip()),
]


def show_plugins(out: Output, views: Sequence[Mapping[str, Any]]) -> None:
    """Show the installed plugins."""
    columns: list[Column] = [
        ("PLUGIN", "plugin_id"),
        ("NAME", "name"),
        ("VERSION", lambda view: view["current_version"] or versions_of(view)),
        ("STATUS", "status"),
        ("SERVED BY", "serving"),
        ("HEALTH", "health"),
        ("SANDBOX", lambda view: view["sandbox_level"] + _not_enforced(view)),
        ("LAST ERROR", "last_error"),
    ]
    out.listing(views, columns, "No plugins are installed: `wunder plugin install`.")


def show_plugin(out: Output, view: Mapping[str, Any]) -> None:
    """Show a plugin, its versions, its process, and where else it runs."""
    if out.is_json:
        out.document(view)
        return
    runtime = view["runtime"] or {}
    out.facts(
        [
            ("plugin", f"{view['plugin_id']} ({view['name']})"),
            ("status", view["status"]),
            ("served by", view["serving"]),
            ("current version", view["current_version"]),
            ("health", view["health"]),
            ("sandbox", view["sandbox_level"] + _not_enforced(view)),
            ("last error", view["last_error"]),
            ("process", f"{runtime['state']} pid {runtime['pid']}" if runtime else "not running"),
            ("restarts", runtime.get("restarts")),
            ("last exit", runtime.get("last_exit")),
        ]
    )
    columns: list[Column] = [
        ("VERSION", "version"),
        ("CURRENT", "is_current"),
        ("APPROVED", "is_approved"),
        ("CAN START", lambda release: release["fit"]["can_start"] or release["fit"]["detail"]),
        ("SIZE", lambda release: size(release["size_bytes"])),
        ("INSTALLED", lambda release: when(release["created_at"])),
        ("SHA256", "package_sha256"),
    ]
    out.table(view["releases"], columns, "No version is installed.")
    if len(view["nodes"]) > 1:
        out.line("")
        out.table(view["nodes"], _NODES, "")


def show_review(out: Output, review: Mapping[str, Any], *, always: bool = False) -> None:
    """Show what a package is; under `--json` only where the review is the result itself."""
    if out.is_json:
        if always:
            out.document(review)
        return
    out.facts(
        [
            ("package", f"{review['plugin_id']} {review['version']} ({review['name']})"),
            ("sha256", review["package_sha256"]),
            ("size", f"{size(review['size_bytes'])}, {review['file_count']} files"),
            ("signature", f"{review['signature']['verdict']} {review['signature']['detail']}"),
            ("can start here", review["fit"]["can_start"] or f"no: {review['fit']['detail']}"),
            ("already installed", "yes" if review["is_installed"] else ""),
            ("takes over from", review["takes_over"]),
            ("blocked", review["blocked_detail"]),
        ]
    )
    show_permissions(out, review)
    for finding in review["findings"]:
        out.line(f"note: {finding['message']} {finding['pointer']}")


def show_permissions(out: Output, release: Mapping[str, Any]) -> None:
    """Show what a release asks for, and what that changes."""
    columns: list[Column] = [
        ("PERMISSION", "name"),
        ("WANTS", lambda permission: permission["wants"] or "nothing"),
        ("ENFORCED", lambda permission: permission["is_enforced"]),
        ("LEVEL", "level"),
        ("NOTE", "note"),
    ]
    if out.is_json:
        return
    out.table(release["permissions"], columns, "It asks for no permissions.")
    wants = {permission["name"]: permission["wants"] for permission in release["permissions"]}
    for change in release["changes"]:
        if not change["removed"] and change["added"] == wants.get(change["name"]):
            continue  # the first version: everything is new, and stands above
        added = ", ".join(change["added"])
        removed = ", ".join(change["removed"])
        out.line(f"{change['name']}: new {added or 'nothing'}; no longer {removed or 'nothing'}")


def versions_of(view: Mapping[str, Any]) -> str:
    """Its versions, in words."""
    return ", ".join(release["version"] for release in view["releases"])


def _not_enforced(view: Mapping[str, Any]) -> str:
    return "" if view["is_sandbox_enforced"] else " (not enforced)"
