"""What a release may do, as an approval sees it: a digest to agree to, and what changed since."""

import hashlib
import json
from typing import Any

from wunder.plugins.views import PermissionChange, PermissionName, PermissionView
from wunder_wire.manifest import Manifest

#: Keeps this digest from ever equalling one made for another purpose.
_DOMAIN = b"wunder permissions v1\n"

#: Until the sandbox is built every plugin runs at L1: rlimits, own session, whitelist environment.
SANDBOX_LEVEL = "L1"
IS_ENFORCED = False
NOT_ENFORCED = (
    "not enforced on this host: the process is limited, but not kept to this by the kernel"
)

Wants = dict[PermissionName, tuple[str, ...]]


def wanted(manifest: Manifest) -> Wants:
    """Return what a manifest asks for, by permission, sorted."""
    asked = manifest.permissions
    return {
        "network": tuple(sorted(asked.network)),
        "filesystem": ("data",) if asked.filesystem == "data" else (),
        "command": ("own files",) if asked.command else (),
        "webhook": ("authorization header",) if manifest.webhook.authorization else (),
    }


def permission_digest(manifest: Manifest) -> str:
    """Return the hex digest that an approval names (security rule 14)."""
    canonical: Any = {name: list(items) for name, items in wanted(manifest).items()}
    text = json.dumps(canonical, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(_DOMAIN + text.encode()).hexdigest()


def shown(manifest: Manifest) -> tuple[PermissionView, ...]:
    """Return the permissions as console and API show them, with how far they are enforced."""
    return tuple(
        PermissionView(name, items, SANDBOX_LEVEL, IS_ENFORCED, NOT_ENFORCED)
        if name != "webhook"
        else PermissionView(name, items, "gateway", is_enforced=True)
        for name, items in wanted(manifest).items()
    )


def changes(manifest: Manifest, current: Manifest | None) -> tuple[PermissionChange, ...]:
    """Return how a manifest's permissions differ from the current release's, none where equal."""
    before = wanted(current) if current is not None else {}
    found = []
    for name, items in wanted(manifest).items():
        known = set(before.get(name, ()))
        added = tuple(item for item in items if item not in known)
        removed = tuple(sorted(known.difference(items)))
        if added or removed:
            found.append(PermissionChange(name, added, removed))
    return tuple(found)
