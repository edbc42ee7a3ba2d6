"""From an installed release to what the runtime needs to start it."""

import platform
import sys

from wunder.model.plugin import Release
from wunder.model.runtime import PluginSpec
from wunder.plugins.folders import PluginFolders
from wunder.plugins.policy import PluginPolicy
from wunder.plugins.release import HostPlatform, fit_of, is_python, manifest_of

_MACHINES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}
_SYSTEMS = {"win32": "windows"}


def this_host() -> HostPlatform:
    """Return where this gateway runs, in the words of a manifest's entries."""
    machine = platform.machine().lower()
    system = _SYSTEMS.get(sys.platform, sys.platform)
    return HostPlatform(f"{system}-{_MACHINES.get(machine, machine)}", tuple(sys.version_info[:3]))


def spec_of(
    release: Release, folders: PluginFolders, policy: PluginPolicy, here: HostPlatform
) -> PluginSpec:
    """Build what the runtime starts; makes the working and data directories. Blocking."""
    manifest = manifest_of(release)
    limits = manifest.limits
    owns_data = manifest.permissions.filesystem == "data"
    return PluginSpec(
        plugin_id=release.plugin_id,
        version=release.version,
        package_sha256=release.package_sha256,
        root_dir=str(folders.release_dir(release.install_path)),
        work_dir=str(folders.work_dir(release.plugin_id)),
        data_dir=str(folders.own_data_dir(release.plugin_id)) if owns_data else "",
        entry=fit_of(manifest, here).entry,
        is_python=is_python(manifest),
        capabilities=dict(manifest.capabilities),
        frame_bytes=max(policy.frame_bytes, limits.frame_bytes),
        message_bytes=policy.message_bytes,
        parse_inflight=limits.parse_inflight or policy.parse_inflight,
        send_inflight=limits.send_inflight or policy.send_inflight,
    )
