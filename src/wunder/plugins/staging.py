"""Brings packages to this node that another one installed: staged here, approved in the table only."""

import asyncio
import secrets
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from wunder.errors import Conflict, PackageRefused, WunderError
from wunder.model.ids import At
from wunder.model.plugin import Release
from wunder.observe.logs import get_logger
from wunder.plugins.acceptance import accept
from wunder.plugins.doors import DeskDoors
from wunder.plugins.folders import PluginFolders
from wunder.plugins.install_lock import InstallLock
from wunder.plugins.package import Package, disk_trouble
from wunder.plugins.policy import PluginPolicy
from wunder.plugins.refusals import Reason
from wunder.plugins.release import executables

log = get_logger(__name__)
T = TypeVar("T")
KIND = "package"
#: A package is on the shelf before its row is in the table: what is younger may be on its way there.
_LITTER_AFTER_MS = 3_600_000


class Stager:
    """Keeps what the table names on this node's disk, and on the shelf for the others.

    What comes from the shelf passes every check of an uploaded package, must have the hash of the
    row, and must unpack to the very files of the row (security rules 13 and 14).
    """

    def __init__(
        self, doors: DeskDoors, policy: PluginPolicy, folders: PluginFolders, lock: InstallLock
    ) -> None:
        self._doors = doors
        self._policy = policy
        self._folders = folders
        self._lock = lock

    async def keep(self, package: Package) -> None:
        """Put a package where other nodes find it."""
        await self._doors.shelf.put(KIND, package.sha256, package.raw)

    async def forget(self, release: Release) -> None:
        """Take a package off the shelf."""
        await self._doors.shelf.forget(KIND, [release.package_sha256])

    async def ensure(self, release: Release) -> None:
        """Have a release on this node's disk; what is there already is left to the gatekeeper.

        Raises:
            Conflict: `package_missing`, nobody kept it; `package_damaged`; `signature_required`.
            StoreUnavailable, StoreFull.
        """
        if await self._is_here(release):
            return
        await in_thread(self._folders.prepare)
        async with self._lock.held():
            if not await self._is_here(release):
                await self._bring(release)

    async def stage(self, releases: Sequence[Release]) -> int:
        """Bring what lacks here, one after the other; how many came."""
        brought = 0
        for release in releases:
            if await self._is_here(release):
                continue
            try:
                await self.ensure(release)
            except Conflict as error:
                log.warning(
                    "plugin_package_not_staged",
                    plugin_id=release.plugin_id,
                    version=release.version,
                    reason=error.reason,
                )
            else:
                brought += 1
        return brought

    async def sweep(self) -> None:
        """Forget packages on the shelf that no row names any more."""
        before = At(self._doors.clock.now() - _LITTER_AFTER_MS)
        try:
            there = await self._doors.shelf.names(KIND, before)
            known = {release.package_sha256 for release in await self._doors.plugins.releases()}
            await self._doors.shelf.forget(KIND, sorted(set(there) - known))
        except WunderError as error:  # litter harms nobody
            log.warning("plugin_shelf_not_swept", code=error.code)

    async def _is_here(self, release: Release) -> bool:
        return await in_thread(self._folders.release_dir(release.install_path).is_dir)

    async def _bring(self, release: Release) -> None:
        zip_path = self._folders.staging / f"{secrets.token_hex(16)}.zip"
        try:
            with await in_thread(lambda: zip_path.open("xb")) as file:
                got = await self._doors.shelf.fetch(KIND, release.package_sha256, file.write)
            if not got:
                words = "this node lacks the package and nobody kept it; install it again"
                raise Conflict(words, reason="package_missing", state={"version": release.version})
            await in_thread(self._place, release, zip_path)
        except PackageRefused as refused:
            is_policy = refused.reason == Reason.SIGNATURE_REQUIRED.value
            reason = refused.reason if is_policy else "package_damaged"
            words = f"the package that other nodes keep was refused here: {refused.detail}"
            raise Conflict(words, reason=reason, state={"version": release.version}) from refused
        finally:
            await in_thread(lambda: zip_path.unlink(missing_ok=True))
        log.info("plugin_package_staged", plugin_id=release.plugin_id, version=release.version)

    def _place(self, release: Release, zip_path: Path) -> None:
        accepted = accept(zip_path, release.package_sha256, self._policy, self._folders.staging)
        with accepted.package as package:
            runnable = executables(accepted.manifest, package.names)
            files = self._folders.place(package, release.install_path, runnable)
        if files != release.files:
            self._folders.remove(release.install_path)
            words = "its files are not those that were approved; remove it and install it again"
            raise Conflict(words, reason="package_damaged", state={"version": release.version})


async def in_thread(work: Callable[..., T], *arguments: object) -> T:
    """Do blocking work on files; what the disk says is told in our words."""
    try:
        return await asyncio.to_thread(work, *arguments)
    except OSError as error:
        raise disk_trouble(error) from error
    except PackageRefused as refused:
        log.info("plugin_package_refused", reason=refused.reason)
        raise
