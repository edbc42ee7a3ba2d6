"""Plugin, package, release: what is installed, what is approved, who serves a provider id."""

from enum import StrEnum
from typing import Any, Literal

import msgspec

from wunder.model.ids import At, PluginId

Source = Literal["plugin", "builtin"]


class PluginStatus(StrEnum):
    """Row N2a. `error`: the current version is broken, or its hash or signature failed."""

    ENABLED = "enabled"
    DISABLED = "disabled"
    ERROR = "error"


class PluginRow(msgspec.Struct, frozen=True):
    """One row of `channel_plugins`."""

    plugin_id: PluginId
    name: str
    current_version: str  # "" while nothing was enabled yet
    status: PluginStatus
    source: Source
    last_error: str
    last_error_code: str
    created_at: At
    updated_at: At
    epoch: int = 0  # counts switches: enable, disable, version, source
    is_user_visible: bool = False


class Approval(msgspec.Struct, frozen=True):
    """Security rule 14: what was approved, by whom, when."""

    package_sha256: str
    permission_digest: str
    by: str
    at: At


class Release(msgspec.Struct, frozen=True):
    """One row of `channel_plugin_versions`: an accepted, installed, immutable package.

    `files` maps each path in the package to its sha256; verified before each start (rule 13).
    `install_path` is relative to the data dir.
    """

    plugin_id: PluginId
    version: str
    package_sha256: str
    manifest: dict[str, Any]
    install_path: str
    files: dict[str, str]
    size_bytes: int
    permission_digest: str
    created_at: At
    install_source: str = "api"
    installed_by: str = ""
    signature: str | None = None
    approval: Approval | None = None

    @property
    def is_approved(self) -> bool:
        """True when the approval names exactly this package and these permissions."""
        return (
            self.approval is not None
            and self.approval.package_sha256 == self.package_sha256
            and self.approval.permission_digest == self.permission_digest
        )


class PluginCounters(msgspec.Struct, frozen=True):
    """One row of `channel_plugin_runtime`: what survives a restart of the gateway."""

    plugin_id: PluginId
    version: str
    state: str
    health: str
    restarts: int
    crashes: int
    last_exit: str
    last_crash_at: At | None
