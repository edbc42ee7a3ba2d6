"""The plugin desk: install, approve, enable, switch and remove plugins, safe to do twice."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from wunder.model.plugin import Release, Source
from wunder.plugins.policy import PluginPolicy
from wunder.plugins.views import PluginView, Review
from wunder.ports import AccountTable, BindingTable, Clock, EventLog, PluginHost, PluginTable


@dataclass(frozen=True, slots=True)
class DeskDoors:
    """What the desk needs of others.

    Args:
        builtin_serves: The id of the built-in that can serve a provider id, or None.
        on_change: Called after each change, for the registry to look again.
    """

    plugins: PluginTable
    host: PluginHost
    accounts: AccountTable
    bindings: BindingTable
    events: EventLog
    clock: Clock
    builtin_serves: Callable[[str], str | None]
    on_change: Callable[[], Awaitable[None]]


class PluginDesk:
    """Everything an administrator does to plugins. State lives in the plugin table only."""

    def __init__(self, doors: DeskDoors, policy: PluginPolicy) -> None:
        self._doors = doors
        self._policy = policy

    async def review(self, zip_path: Path) -> Review:
        """Say what a package is and asks for, without installing it.

        Raises: PackageRefused.
        """
        raise NotImplementedError

    async def install(self, zip_path: Path, *, sha256: str | None, by: str, source: str) -> Release:
        """Unpack a package and record its release; it neither runs nor is approved by this.

        The same package again is a no-op that returns the same release.

        Args:
            zip_path: Read once, left alone.
            sha256: What the caller believes the package hashes to (hex), or None.
            by: Who installs.
            source: Through which door: `api`, `cli`, `watch`, `builtin`.

        Raises:
            PackageRefused: with `reason` and, for the manifest, faults by JSON pointer.
            Conflict: `same_version_other_hash`, `confusable_id`, `install_busy`.
        """
        raise NotImplementedError

    async def approve(self, plugin_id: str, version: str, sha256: str, by: str) -> Release:
        """Record that `by` agrees to exactly this package and its permissions.

        Raises: NotFound; Conflict `sha256_mismatch`.
        """
        raise NotImplementedError

    async def enable(
        self, plugin_id: str, *, version: str | None, confirm: str | None, by: str
    ) -> PluginView:
        """Make a release the running one, after a preflight start of it.

        Args:
            plugin_id: The plugin.
            version: None takes the current one, or the newest approved where none is current.
            confirm: The plugin id, typed, to take a provider id over from a built-in.
            by: Who does it.

        Raises:
            NotFound: No such plugin or version.
            Conflict: `not_approved`; `takes_over_builtin` with `state` {accounts, bindings,
                builtin_id}; `cannot_start` (platform, runtime); `files_changed`;
                `signature_required`; `changed_meanwhile`.
            Invalid: The preflight failed; the old version runs on.
        """
        raise NotImplementedError

    async def disable(self, plugin_id: str, by: str) -> PluginView:
        """Take a plugin out of service: routing first, then drain and stop. Raises: NotFound."""
        raise NotImplementedError

    async def set_source(self, plugin_id: str, source: Source, by: str) -> PluginView:
        """Let the built-in serve this provider id, or the plugin again; accounts stay.

        Raises: NotFound; Conflict `no_builtin` with `state` {rollback_to}; as `enable`.
        """
        raise NotImplementedError

    async def remove(self, plugin_id: str, version: str, by: str) -> bool:
        """Delete an installed version; True when it was the last: the plugin is uninstalled.

        Raises: NotFound; Conflict `current_version` with the impact while it serves.
        """
        raise NotImplementedError

    async def views(self) -> list[PluginView]:
        """Every plugin, by id."""
        raise NotImplementedError

    async def view(self, plugin_id: str) -> PluginView:
        """One plugin. Raises: NotFound."""
        raise NotImplementedError

    async def start_all(self) -> None:
        """Sweep what a crash left behind, then verify and start every enabled plugin."""
        raise NotImplementedError

    async def run(self) -> None:
        """Look again at plugins in `error` from time to time; ends by cancellation."""
        raise NotImplementedError
