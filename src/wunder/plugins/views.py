"""What API, CLI and console see of plugins: structs that become the schemas of the HTTP API."""

from typing import Any, Literal

import msgspec

from wunder.model.ids import At
from wunder.model.plugin import PluginStatus, Source
from wunder.model.runtime import RuntimeReport
from wunder.upkeep.nodes import NodePlugin

Step = Literal["first", "same", "upgrade", "downgrade"]
PermissionName = Literal["network", "filesystem", "command", "webhook"]


class Finding(msgspec.Struct, frozen=True):
    """Something an administrator should know and that refuses nothing. `pointer` into plugin.json."""

    code: str
    message: str
    pointer: str = ""


class PermissionView(msgspec.Struct, frozen=True):
    """One permission, what is asked for, and whether this host holds the plugin to it.

    `wants` is empty where nothing is asked: hosts for `network`, `data` for `filesystem`,
    `own files` for `command`, `authorization header` for `webhook`. `level` says what holds it: the
    sandbox level, or `gateway` for what the gateway itself filters.
    """

    name: PermissionName
    wants: tuple[str, ...]
    level: str
    is_enforced: bool
    note: str = ""


class PermissionChange(msgspec.Struct, frozen=True):
    """How a release's permission differs from the release that is current."""

    name: str
    added: tuple[str, ...]
    removed: tuple[str, ...]


class SignatureView(msgspec.Struct, frozen=True):
    """What the signature check found, and the policy it was held against."""

    verdict: str
    policy: str
    detail: str
    publisher: str = ""


class PlatformFit(msgspec.Struct, frozen=True):
    """Whether a release can start on this host; it can be installed either way.

    `code` is "" or one of `no_entry_for_platform`, `runtime_mismatch`, `manifest_unreadable`.
    """

    can_start: bool
    platform: str
    code: str = ""
    detail: str = ""
    entry: str = ""
    runtime_wanted: str = ""
    runtime_here: str = ""


class ApprovalView(msgspec.Struct, frozen=True):
    """Who agreed, and when."""

    by: str
    at: At
    package_sha256: str
    permission_digest: str


class ReleaseView(msgspec.Struct, frozen=True):
    """One installed version."""

    version: str
    package_sha256: str
    size_bytes: int
    file_count: int
    is_current: bool
    is_approved: bool
    approval: ApprovalView | None
    permissions: tuple[PermissionView, ...]
    permission_digest: str
    changes: tuple[PermissionChange, ...]
    signature: SignatureView
    fit: PlatformFit
    install_source: str
    installed_by: str
    created_at: At
    install_path: str
    manifest: dict[str, Any]


class PluginView(msgspec.Struct, frozen=True):
    """One plugin with its versions, newest first.

    `builtin_id` is the built-in that can serve this provider id, "" where none does;
    `previous_version` the newest approved release before the current, "" where there is none.
    `serving` is who serves the id now: the plugin, a built-in, or nobody. `runtime` is of the node that
    answers, `nodes` says how it is on each.
    """

    plugin_id: str
    name: str
    status: PluginStatus
    source: Source
    serving: Literal["plugin", "builtin", "nobody"]
    current_version: str
    previous_version: str
    builtin_id: str
    epoch: int
    is_user_visible: bool
    last_error: str
    last_error_code: str
    health: str
    sandbox_level: str
    is_sandbox_enforced: bool
    sandbox_note: str
    releases: tuple[ReleaseView, ...]
    runtime: RuntimeReport | None
    nodes: tuple[NodePlugin, ...]
    created_at: At
    updated_at: At


class ExposedAccount(msgspec.Struct, frozen=True):
    """An account whose messages and secrets a switch would hand to other code."""

    channel: str
    account_id: str
    display_name: str
    status: str


class Impact(msgspec.Struct, frozen=True):
    """What a switch or a removal would touch."""

    accounts: tuple[ExposedAccount, ...]
    bindings: int


class FieldChange(msgspec.Struct, frozen=True):
    """A field of the account form that differs; `is_required`: accounts made before may lack it."""

    pointer: str
    change: Literal["added", "removed", "changed"]
    is_required: bool = False


class Review(msgspec.Struct, frozen=True):
    """What a package is and asks for, before it is installed.

    `changes` and `form_changes` are differences from `compared_with`, the version that is current, ""
    where none is; `step` says which way it goes from there.

    `blocked_by` is "" or the reason of the Conflict that `install` would raise:
    `same_version_other_hash`, `confusable_id`. `takes_over` is the built-in that serves this id now.
    """

    plugin_id: str
    name: str
    version: str
    package_sha256: str
    size_bytes: int
    unpacked_bytes: int
    file_count: int
    is_installed: bool
    permissions: tuple[PermissionView, ...]
    permission_digest: str
    changes: tuple[PermissionChange, ...]
    signature: SignatureView
    fit: PlatformFit
    findings: tuple[Finding, ...]
    manifest: dict[str, Any]
    account_schema: dict[str, Any] | None
    blocked_by: str = ""
    blocked_detail: str = ""
    takes_over: str = ""
    impact: Impact = Impact((), 0)
    compared_with: str = ""
    step: Step = "first"
    form_changes: tuple[FieldChange, ...] = ()
