"""Release: which version to take, whether it may start, and what stands in the way (pure)."""

from collections.abc import Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from wunder.model.plugin import PluginRow, PluginStatus, Release
from wunder.plugins import python_runtime
from wunder.plugins.views import PlatformFit
from wunder_wire.ids import version_key
from wunder_wire.manifest import Manifest, stored_manifest

ANY = "any"
#: `last_error_code` of a plugin whose process cannot be kept alive.
BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class HostPlatform:
    """Where the gateway runs: `linux-amd64`, and the interpreter it would start plugins with."""

    name: str
    python: tuple[int, ...]

    @property
    def python_text(self) -> str:
        """The interpreter's version, such as 3.11.7."""
        return ".".join(str(number) for number in self.python)


def manifest_of(release: Release) -> Manifest:
    """Return a stored manifest as a Manifest; a bare one where `unread` says why."""
    return _read(release)[0]


def unread(release: Release) -> str:
    """Say why this gateway cannot read what a newer one accepted; "" where it can."""
    return _read(release)[1]


def _read(release: Release) -> tuple[Manifest, str]:
    manifest, fault = stored_manifest(release.manifest, release.plugin_id, release.version)
    advice = "update this gateway, or enable another version"
    words = f"this gateway cannot read its manifest ({fault}); {advice}"
    return manifest, words if fault else ""


def newest_first(releases: Sequence[Release]) -> list[Release]:
    """Sort by SemVer, newest first; versions that differ by build only, by when they came."""
    return sorted(
        releases,
        key=lambda one: (version_key(one.version), one.created_at, one.version),
        reverse=True,
    )


def named(releases: Sequence[Release], version: str) -> Release | None:
    """Return the release of one version."""
    return next((one for one in releases if one.version == version), None)


def to_enable(
    releases: Sequence[Release], current_version: str, version: str | None
) -> Release | None:
    """Choose what `enable` means: the version asked for, the current, the newest approved, the newest."""
    if version is not None:
        return named(releases, version)
    current = named(releases, current_version)
    if current is not None:
        return current
    newest = newest_first(releases)
    return next((one for one in newest if one.is_approved), newest[0] if newest else None)


def previous_of(releases: Sequence[Release], current_version: str) -> Release | None:
    """Return the newest approved release that is older than the current one."""
    current = named(releases, current_version)
    if current is None:
        return None
    older = newest_first(releases)
    return next((one for one in older[older.index(current) + 1 :] if one.is_approved), None)


def is_serving(row: PluginRow) -> bool:
    """True when messages of its provider id go to the plugin, or would if it ran."""
    return row.status is not PluginStatus.DISABLED and row.source == "plugin"


def is_to_run(row: PluginRow) -> bool:
    """True when the gateway starts it: serving, and something was chosen to run."""
    return is_serving(row) and bool(row.current_version)


def is_to_retry(row: PluginRow) -> bool:
    """True for a plugin that was not admitted; broken processes are the runtime's to retry."""
    is_ours = row.last_error_code != BROKEN
    return is_to_run(row) and row.status is PluginStatus.ERROR and is_ours


def is_python(manifest: Manifest) -> bool:
    """True for a bundled Python plugin: a folder and the runtime it needs."""
    return manifest.runtime is not None and ANY in manifest.entry


def fit_of_release(release: Release, here: HostPlatform) -> PlatformFit:
    """Say whether an installed release can start on a host, its manifest included."""
    manifest, detail = _read(release)
    fit = fit_of(manifest, here)
    return replace(fit, code="manifest_unreadable", detail=detail) if detail else fit


def fit_of(manifest: Manifest, here: HostPlatform) -> PlatformFit:
    """Say whether a release can start on a host: an entry for it, and the runtime it needs."""
    entry = manifest.entry.get(here.name) or manifest.entry.get(ANY) or ""
    wanted = manifest.runtime or ""
    runtime_here = f"python {here.python_text}" if wanted else ""
    code = detail = ""
    wish = python_runtime.parse(wanted) if wanted else None
    if not entry:
        code = "no_entry_for_platform"
        has = ", ".join(sorted(manifest.entry)) or "none"
        detail = f"it has entries for {has}; this host is {here.name}"
    elif wish is not None and not wish.is_met_by(here.python):
        code = "runtime_mismatch"
        detail = f"it needs {wanted}; this gateway runs python {here.python_text}"
    return PlatformFit(
        can_start=not code,
        platform=here.name,
        code=code,
        detail=detail,
        entry=entry,
        runtime_wanted=wanted,
        runtime_here=runtime_here,
    )


def executables(manifest: Manifest, names: Sequence[str]) -> frozenset[str]:
    """Return which files get the right to run: by rule, whatever the zip says of them.

    Entries that are files; with `command`, which may run files of its own package, all of `bin/`.
    """
    found = {path for path in manifest.entry.values() if path in names}
    if manifest.permissions.command:
        found.update(name for name in names if name.startswith("bin/"))
    return frozenset(found)


def skeleton(plugin_id: str) -> str:
    """Return what an id looks like at a glance: equal for ids that people confuse (rule 15)."""
    bare = plugin_id.translate(str.maketrans("", "", "-_."))
    return bare.translate(str.maketrans("0il", "o11"))


def confused_with(plugin_id: str, others: Sequence[str]) -> str | None:
    """Return another id that looks like this one, None where all differ."""
    wanted = skeleton(plugin_id)
    return next((one for one in others if one != plugin_id and skeleton(one) == wanted), None)
