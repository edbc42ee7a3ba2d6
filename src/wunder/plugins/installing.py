"""Installs and removes packages: from an uploaded file to a recorded release, and back."""

from pathlib import Path

import msgspec

from wunder.errors import Conflict, NotFound
from wunder.model.ids import PluginId
from wunder.model.plugin import PluginRow, Release
from wunder.observe.logs import get_logger
from wunder.plugins.acceptance import Accepted, accept, discard
from wunder.plugins.comparison import field_changes, step_from
from wunder.plugins.describe import impact_as_state, impact_on, package_view
from wunder.plugins.doors import DeskDoors
from wunder.plugins.folders import PluginFolders
from wunder.plugins.install_lock import InstallLock
from wunder.plugins.installed_schema import schema_reader
from wunder.plugins.permissions import permission_digest
from wunder.plugins.policy import PluginPolicy
from wunder.plugins.release import (
    HostPlatform,
    confused_with,
    executables,
    is_serving,
    named,
)
from wunder.plugins.staging import Stager, in_thread
from wunder.plugins.views import Review

log = get_logger(__name__)


class Installer:
    """Every door's way in: what is refused at one is refused at all."""

    def __init__(
        self, doors: DeskDoors, policy: PluginPolicy, folders: PluginFolders, here: HostPlatform
    ) -> None:
        self._doors = doors
        self._schema_of = schema_reader(policy.data_dir)
        self._policy = policy
        self._folders = folders
        self._here = here
        self._lock = InstallLock(folders.root, doors.clock, policy.install_wait_s)
        self.stager = Stager(doors, policy, folders, self._lock)

    async def review(self, zip_path: Path, sha256: str | None) -> Review:
        """Say what a package is and asks for. Raises: PackageRefused."""
        accepted = await self._accept(zip_path, sha256)
        with accepted.package:
            await in_thread(accepted.package.unpack, discard)
        plugin_id = accepted.manifest.plugin_id
        rows = {row.plugin_id: row for row in await self._doors.plugins.plugins()}
        releases = await self._doors.releases(plugin_id)
        row = rows.get(PluginId(plugin_id))
        current = named(releases, row.current_version) if row else None
        seen_from = (self._here, self._policy.signature)
        review = self._compared(package_view(accepted, releases, current, seen_from), current)
        try:
            self._require_room(accepted, rows, releases)
        except Conflict as conflict:
            review = msgspec.structs.replace(
                review, blocked_by=conflict.reason, blocked_detail=conflict.detail
            )
        builtin_id = self._doors.builtin_serves(plugin_id)
        if builtin_id is None or (row is not None and is_serving(row) and row.current_version):
            return review
        impact = impact_on(
            plugin_id, await self._doors.accounts.all(), await self._doors.bindings.all()
        )
        return msgspec.structs.replace(review, takes_over=builtin_id, impact=impact)

    def _compared(self, review: Review, current: Release | None) -> Review:
        if current is None:
            return review
        return msgspec.structs.replace(
            review,
            compared_with=current.version,
            step=step_from(current.version, review.version),
            form_changes=field_changes(self._schema_of(current), review.account_schema),
        )

    async def install(self, zip_path: Path, sha256: str | None, by: str, source: str) -> Release:
        """Unpack a package and record its release. Raises: PackageRefused, Conflict."""
        accepted = await self._accept(zip_path, sha256)
        with accepted.package:
            async with self._lock.held():
                return await self._place(accepted, by, source)

    async def remove(self, row: PluginRow, version: str, by: str) -> bool:
        """Delete a version that does not serve; True when it was the last."""
        releases = await self._doors.releases(row.plugin_id)
        release = named(releases, version)
        if release is None:
            raise NotFound("this version is not installed")
        is_current = version == row.current_version
        if is_current and is_serving(row):
            accounts, bindings = await self._doors.accounts.all(), await self._doors.bindings.all()
            state = impact_as_state(impact_on(row.plugin_id, accounts, bindings))
            raise Conflict(
                "this version serves now; disable the plugin or switch to another version first",
                reason="current_version",
                state={**state, "current_version": version},
            )
        async with self._lock.held():
            if is_current:
                idle = msgspec.structs.replace(
                    row,
                    current_version="",
                    updated_at=self._doors.clock.now(),
                    epoch=row.epoch + 1,
                )
                await self._doors.plugins.put_plugin(idle, row.epoch)
            was_last = await self._doors.plugins.remove_release(row.plugin_id, version)
            await in_thread(self._folders.remove, release.install_path)
            if was_last:
                await in_thread(self._folders.forget_work, row.plugin_id)
            await self.stager.forget(release)
        self._doors.tell("plugin_version_removed", row.plugin_id, version, by)
        if was_last:
            self._doors.tell("plugin_uninstalled", row.plugin_id, version, by)
        log.info("plugin_version_removed", plugin_id=row.plugin_id, version=version)
        return was_last

    async def sweep(self) -> None:
        """Delete what a crash left behind, here and on the shelf."""
        await in_thread(self._folders.prepare)
        async with self._lock.held():
            await in_thread(self._folders.sweep_staging)
        await self.forget_strangers()
        await self.stager.sweep()

    async def forget_strangers(self) -> None:
        """Delete releases from this node's disk that no row knows (any more)."""
        async with self._lock.held():
            known = {release.install_path for release in await self._doors.plugins.releases()}
            found = await in_thread(self._folders.sweep, known)
        if found:
            log.info("plugin_leftovers_swept", count=len(found))

    async def _accept(self, zip_path: Path, sha256: str | None) -> Accepted:
        await in_thread(self._folders.prepare)
        return await in_thread(accept, zip_path, sha256, self._policy, self._folders.staging)

    def _require_room(
        self, accepted: Accepted, rows: dict[PluginId, PluginRow], releases: list[Release]
    ) -> None:
        """One version means one package for ever, and no id may look like another (rule 15)."""
        manifest = accepted.manifest
        same = named(releases, manifest.version)
        if same is not None and same.package_sha256 != accepted.package.sha256:
            raise Conflict(
                f"version {manifest.version} is installed already, from another package; "
                "give the new one a version of its own",
                reason="same_version_other_hash",
                state={"version": same.version, "package_sha256": same.package_sha256},
            )
        taken = [*map(str, rows), *sorted(self._policy.builtin_ids)]
        other = confused_with(manifest.plugin_id, taken)
        if other is not None:
            raise Conflict(
                f"the id {manifest.plugin_id} is easily taken for {other}, which exists; "
                "the plugin needs another id",
                reason="confusable_id",
                state={"plugin_id": manifest.plugin_id, "looks_like": other},
            )

    async def _place(self, accepted: Accepted, by: str, source: str) -> Release:
        manifest, package = accepted.manifest, accepted.package
        rows = {row.plugin_id: row for row in await self._doors.plugins.plugins()}
        releases = await self._doors.releases(manifest.plugin_id)
        self._require_room(accepted, rows, releases)
        path = self._folders.install_path(manifest.plugin_id, manifest.version, package.sha256)
        runnable = executables(manifest, package.names)
        files = await in_thread(self._folders.place, package, path, runnable)
        await self.stager.keep(package)
        same = named(releases, manifest.version)
        if same is not None:
            return same
        release = Release(
            plugin_id=PluginId(manifest.plugin_id),
            version=manifest.version,
            package_sha256=package.sha256,
            manifest=accepted.document,
            install_path=path,
            files=files,
            size_bytes=package.size_bytes,
            permission_digest=permission_digest(manifest),
            created_at=self._doors.clock.now(),
            install_source=source,
            installed_by=by,
        )
        await self._doors.plugins.add_release(release, manifest.name)
        told = {"package_sha256": package.sha256, "source": source}
        self._doors.tell("plugin_installed", manifest.plugin_id, manifest.version, by, **told)
        log.info("plugin_installed", plugin_id=manifest.plugin_id, version=manifest.version, **told)
        return release
