"""From rows to what people see: views of plugins, releases and packages under review (pure)."""

from collections.abc import Sequence
from typing import Literal

from wunder.model.account import AccountRow
from wunder.model.binding import ANY, Binding
from wunder.model.plugin import PluginRow, PluginStatus, Release
from wunder.model.runtime import RuntimeReport, RuntimeState
from wunder.plugins import permissions, signature
from wunder.plugins.acceptance import Accepted
from wunder.plugins.policy import SignaturePolicy
from wunder.plugins.release import (
    HostPlatform,
    fit_of,
    fit_of_release,
    is_serving,
    manifest_of,
    named,
    newest_first,
    previous_of,
)
from wunder.plugins.views import (
    ApprovalView,
    ExposedAccount,
    Impact,
    PluginView,
    ReleaseView,
    Review,
)
from wunder.upkeep.nodes import NodePlugin
from wunder_wire.manifest import Manifest


def impact_on(channel: str, accounts: Sequence[AccountRow], bindings: Sequence[Binding]) -> Impact:
    """Say which accounts of a channel exist, and how many bindings lead to them."""
    exposed = [row for row in accounts if row.channel == channel and row.status != "deleted"]
    labels = {row.account_id for row in exposed}
    reaching = [
        one
        for one in bindings
        if one.channel in (channel, ANY) and (one.account_id in labels or one.account_id == ANY)
    ]
    shown = sorted(exposed, key=lambda row: row.account_id)
    return Impact(
        tuple(
            ExposedAccount(row.channel, row.account_id, row.display_name, row.status)
            for row in shown
        ),
        len(reaching) if exposed else 0,
    )


def impact_as_state(impact: Impact) -> dict[str, object]:
    """Return an impact as the `state` of a Conflict."""
    accounts = [
        {"channel": one.channel, "account_id": one.account_id, "display_name": one.display_name,
         "status": one.status}
        for one in impact.accounts
    ]  # fmt: skip
    return {"accounts": accounts, "bindings": impact.bindings}


def release_view(
    release: Release, current: Release | None, here: HostPlatform, policy: SignaturePolicy
) -> ReleaseView:
    """Describe one installed version; `current` is the plugin's current one."""
    manifest = manifest_of(release)
    approval = release.approval
    is_current = current is not None and current.version == release.version
    return ReleaseView(
        version=release.version,
        package_sha256=release.package_sha256,
        size_bytes=release.size_bytes,
        file_count=len(release.files),
        is_current=is_current,
        is_approved=release.is_approved,
        approval=None
        if approval is None
        else ApprovalView(
            approval.by, approval.at, approval.package_sha256, approval.permission_digest
        ),
        permissions=permissions.shown(manifest),
        permission_digest=release.permission_digest,
        changes=() if is_current else permissions.changes(manifest, _manifest(current)),
        signature=signature.shown(signature.STATEMENT_NAME in release.files, policy),
        fit=fit_of_release(release, here),
        install_source=release.install_source,
        installed_by=release.installed_by,
        created_at=release.created_at,
        install_path=release.install_path,
        manifest=release.manifest,
    )


def plugin_view(
    row: PluginRow,
    releases: Sequence[Release],
    *,
    builtin_id: str | None,
    report: RuntimeReport | None,
    on_nodes: Sequence[NodePlugin],
    seen_from: tuple[HostPlatform, SignaturePolicy],
) -> PluginView:
    """Describe a plugin. A broken process shows as `error`, whatever the row says."""
    current = named(releases, row.current_version)
    previous = previous_of(releases, row.current_version)
    status, error, code = row.status, row.last_error, row.last_error_code
    if is_serving(row) and report is not None and report.state is RuntimeState.BROKEN:
        status, error, code = PluginStatus.ERROR, error or report.last_error, code or "broken"
    here, policy = seen_from
    level = report.sandbox_level if report is not None else permissions.SANDBOX_LEVEL
    return PluginView(
        plugin_id=row.plugin_id,
        name=row.name,
        status=status,
        source=row.source,
        serving=_who_serves(row, builtin_id),
        current_version=row.current_version,
        previous_version=previous.version if previous else "",
        builtin_id=builtin_id or "",
        epoch=row.epoch,
        is_user_visible=row.is_user_visible,
        last_error=error,
        last_error_code=code,
        health=report.health if report is not None else "stopped",
        sandbox_level=level,
        is_sandbox_enforced=permissions.IS_ENFORCED,
        sandbox_note=permissions.NOT_ENFORCED,
        releases=tuple(release_view(one, current, here, policy) for one in newest_first(releases)),
        runtime=report,
        nodes=tuple(on_nodes),
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def package_view(
    accepted: Accepted,
    installed: Sequence[Release],
    current: Release | None,
    seen_from: tuple[HostPlatform, SignaturePolicy],
) -> Review:
    """Describe a package under review, before anybody asked whether it may be installed."""
    manifest, package = accepted.manifest, accepted.package
    here, policy = seen_from
    same = named(installed, manifest.version)
    return Review(
        plugin_id=manifest.plugin_id,
        name=manifest.name,
        version=manifest.version,
        package_sha256=package.sha256,
        size_bytes=package.size_bytes,
        unpacked_bytes=package.unpacked_bytes,
        file_count=len(package.names),
        is_installed=same is not None and same.package_sha256 == package.sha256,
        permissions=permissions.shown(manifest),
        permission_digest=permissions.permission_digest(manifest),
        changes=permissions.changes(manifest, _manifest(current)),
        signature=signature.shown(accepted.has_statement, policy),
        fit=fit_of(manifest, here),
        findings=accepted.findings,
        manifest=accepted.document,
        account_schema=accepted.schema,
    )


def _manifest(release: Release | None) -> Manifest | None:
    return None if release is None else manifest_of(release)


def _who_serves(row: PluginRow, builtin_id: str | None) -> Literal["plugin", "builtin", "nobody"]:
    if is_serving(row) and row.current_version:
        return "plugin"
    return "builtin" if builtin_id is not None else "nobody"
