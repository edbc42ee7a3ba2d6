"""What a release must pass before its code runs: approval, signature, fit, every file's hash."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from wunder.errors import Conflict
from wunder.model.plugin import Release
from wunder.model.runtime import PluginSpec
from wunder.plugins import signature
from wunder.plugins.folders import PluginFolders
from wunder.plugins.launch import spec_of
from wunder.plugins.package import disk_trouble
from wunder.plugins.policy import PluginPolicy
from wunder.plugins.release import HostPlatform, fit_of_release
from wunder.plugins.verify import Difference, differences, in_words


@dataclass(frozen=True, slots=True)
class Gatekeeper:
    """Lets a release start, or says why not: the same questions at enable and at each start."""

    folders: PluginFolders
    policy: PluginPolicy
    here: HostPlatform
    #: Brings a release to this node that another one installed.
    stage: Callable[[Release], Awaitable[None]]

    def require_agreed(self, release: Release) -> None:
        """Hold a release to its approval (security rule 14) and to the signature policy.

        Raises: Conflict `not_approved`, `signature_required`.
        """
        if not release.is_approved:
            raise Conflict(
                f"version {release.version} is not approved; review and approve it first",
                reason="not_approved",
                state={
                    "version": release.version,
                    "package_sha256": release.package_sha256,
                    "permission_digest": release.permission_digest,
                },
            )
        verdict, detail = signature.verify_signature(signature.STATEMENT_NAME in release.files)
        if not signature.is_allowed(verdict, self.policy.signature):
            state = {"version": release.version, "verdict": verdict.value}
            raise Conflict(
                f"only signed plugins may run: {detail}", reason="signature_required", state=state
            )

    async def admit(self, release: Release) -> PluginSpec:
        """Return what the runtime needs to start a release.

        Raises:
            Conflict: `not_approved`, `signature_required`, `no_entry_for_platform`,
                `runtime_mismatch`, `manifest_unreadable`, `files_changed`, `package_missing`,
                `package_damaged`.
            StoreUnavailable, StoreFull: Its files or folders cannot be reached.
        """
        self.require_agreed(release)
        fit = fit_of_release(release, self.here)
        if not fit.can_start:
            raise Conflict(fit.detail, reason=fit.code, state={"version": release.version})
        await self.stage(release)
        try:
            found, spec = await asyncio.to_thread(self._verified, release)
        except OSError as error:
            raise disk_trouble(error) from error
        if found:
            changed = [{"path": one.path, "kind": one.kind} for one in found[:20]]
            state = {"version": release.version, "files": changed, "count": len(found)}
            raise Conflict(in_words(found), reason="files_changed", state=state)
        return spec

    def _verified(self, release: Release) -> tuple[list[Difference], PluginSpec]:
        root = self.folders.release_dir(release.install_path)
        spec = spec_of(release, self.folders, self.policy, self.here)
        return differences(root, release.files), spec
