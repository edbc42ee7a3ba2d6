"""The plugin desk: install, approve, enable, switch and remove plugins, safe to do twice."""

import asyncio
from collections import defaultdict
from pathlib import Path

import msgspec

from wunder.errors import Conflict, NotFound, WunderError
from wunder.model.ids import PluginId
from wunder.model.plugin import Approval, PluginRow, PluginStatus, Release, Source
from wunder.observe.logs import get_logger
from wunder.plugins.describe import impact_as_state, impact_on, plugin_view
from wunder.plugins.doors import DeskDoors as DeskDoors
from wunder.plugins.folders import PluginFolders
from wunder.plugins.installing import Installer
from wunder.plugins.launch import this_host
from wunder.plugins.policy import PluginPolicy
from wunder.plugins.release import (
    HostPlatform,
    is_to_run,
    named,
    previous_of,
    to_enable,
    unread,
)
from wunder.plugins.starting import Gatekeeper
from wunder.plugins.switching import Switchboard
from wunder.plugins.views import PluginView, Review
from wunder.upkeep.nodes import NodePlugin

log = get_logger(__name__)


class PluginDesk:
    """Everything an administrator does to plugins. State lives in the plugin table only."""

    def __init__(
        self,
        doors: DeskDoors,
        policy: PluginPolicy,
        here: HostPlatform | None = None,
        folders: PluginFolders | None = None,
    ) -> None:
        """Make the desk.

        Args:
            doors: What it needs of others.
            policy: Settings.
            here: Where it runs; found out if None.
            folders: Where plugins lie; below the policy's data dir if None.
        """
        self._doors = doors
        self._policy = policy
        self._here = here or this_host()
        folders = folders or PluginFolders(policy.data_dir)
        self._installer = Installer(doors, policy, folders, self._here)
        self._gatekeeper = Gatekeeper(folders, policy, self._here, self._installer.stager.ensure)
        self._switchboard = Switchboard(doors, self._gatekeeper, policy.parallel_starts)
        self._news = asyncio.Event()

    # --- packages -------------------------------------------------------------------------------

    async def review(self, zip_path: Path, sha256: str | None = None) -> Review:
        """Say what a package is and asks for, without installing it.

        Raises: PackageRefused, exactly where `install` would.
        """
        return await self._installer.review(zip_path, sha256)

    async def install(self, zip_path: Path, *, sha256: str | None, by: str, source: str) -> Release:
        """Unpack a package and record its release; it neither runs nor is approved by this.

        The same package again returns the same release, and repairs its files where they suffered.

        Args:
            zip_path: Read once, left alone.
            sha256: What the caller believes the package hashes to (hex), or None.
            by: Who installs.
            source: Through which door: `api`, `cli`, `watch`, `builtin`.

        Raises:
            PackageRefused: with `reason` and, for the manifest, faults by JSON pointer.
            Conflict: `same_version_other_hash`, `confusable_id`, `install_busy`.
            StoreFull: The disk is full; nothing is left behind.
        """
        release = await self._installer.install(zip_path, sha256, by, source)
        await self._doors.on_change()
        return release

    async def approve(self, plugin_id: str, version: str, sha256: str, by: str) -> Release:
        """Record that `by` agrees to exactly this package and its permissions.

        Raises: NotFound; Conflict `sha256_mismatch`, `manifest_unreadable`.
        """
        release = named(await self._doors.releases(plugin_id), version)
        if release is None:
            raise NotFound("this version is not installed")
        if detail := unread(release):
            raise Conflict(detail, reason="manifest_unreadable", state={"version": version})
        if sha256.strip().lower() != release.package_sha256:
            raise Conflict(
                "the package that is installed has another sha256; review it again",
                reason="sha256_mismatch",
                state={"version": version, "package_sha256": release.package_sha256},
            )
        if release.is_approved:
            return release
        approval = Approval(
            release.package_sha256, release.permission_digest, by, self._doors.clock.now()
        )
        await self._doors.plugins.approve(release.plugin_id, version, approval)
        self._doors.tell(
            "plugin_approved",
            plugin_id,
            version,
            by,
            package_sha256=release.package_sha256,
            permission_digest=release.permission_digest,
        )
        return msgspec.structs.replace(release, approval=approval)

    async def remove(self, plugin_id: str, version: str, by: str) -> bool:
        """Delete an installed version; True when it was the last: the plugin is uninstalled.

        Accounts, bindings and messages stay, and so does the plugin's own `data` directory.

        Raises: NotFound; Conflict `current_version` with the impact while it serves.
        """
        async with self._switchboard.held(plugin_id):
            row = await self._doors.row(plugin_id)
            was_last = await self._installer.remove(row, version, by)
        await self._doors.on_change()
        return was_last

    # --- switches -------------------------------------------------------------------------------

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
                builtin_id, confirm}; `no_entry_for_platform`; `runtime_mismatch`;
                `manifest_unreadable`; `files_changed`; `signature_required`; `changed_meanwhile`.
            Invalid: The preflight failed; what ran before runs on.
        """
        row = await self._doors.row(plugin_id)
        releases = await self._doors.releases(plugin_id)
        release = to_enable(releases, row.current_version, version)
        if release is None:
            raise NotFound("this version is not installed")
        if self._switchboard.is_running(row, release):
            return await self.view(plugin_id)
        self._gatekeeper.require_agreed(release)
        await self._require_confirmation(row, confirm)
        await self._switchboard.switch_to(row, release, "plugin_enabled", by)
        return await self.view(plugin_id)

    async def rollback(self, plugin_id: str, by: str) -> PluginView:
        """Switch to the approved release before the current one; it stays installed.

        Raises: NotFound; Conflict `not_serving`, `nothing_before` where there is none; as `enable`.
        """
        row = await self._doors.row(plugin_id)
        if not is_to_run(row):
            words = "it does not serve now: enable the version that you want"
            raise Conflict(words, reason="not_serving", state={"status": row.status})
        releases = await self._doors.releases(plugin_id)
        previous = previous_of(releases, row.current_version)
        if previous is None:
            raise Conflict(
                "no older approved version is installed",
                reason="nothing_before",
                state={"current_version": row.current_version},
            )
        await self._switchboard.switch_to(row, previous, "plugin_rolled_back", by)
        return await self.view(plugin_id)

    async def disable(self, plugin_id: str, by: str) -> PluginView:
        """Take a plugin out of service: routing first, then drain and stop. Raises: NotFound."""
        await self._switchboard.take_out(
            plugin_id, "plugin_disabled", by, status=PluginStatus.DISABLED
        )
        return await self.view(plugin_id)

    async def set_source(self, plugin_id: str, source: Source, by: str) -> PluginView:
        """Let the built-in serve this provider id, or the plugin again; accounts stay.

        A disabled plugin stays disabled: only who serves once it is enabled is noted.

        Raises: NotFound; Conflict `no_builtin` with `state` {rollback_to}; as `enable`.
        """
        row = await self._doors.row(plugin_id)
        if source == "builtin":
            await self._require_builtin(row)
            await self._switchboard.take_out(plugin_id, "plugin_source_set", by, source="builtin")
        elif row.status is PluginStatus.DISABLED:
            await self._switchboard.note_source(plugin_id, by)
        else:
            release = named(await self._doors.releases(plugin_id), row.current_version)
            if release is None:
                raise NotFound("the current version is not installed")
            if not self._switchboard.is_running(row, release):
                await self._switchboard.switch_to(row, release, "plugin_source_set", by)
        return await self.view(plugin_id)

    # --- views ----------------------------------------------------------------------------------

    async def views(self) -> list[PluginView]:
        """Every plugin, by id."""
        releases: defaultdict[str, list[Release]] = defaultdict(list)
        for release in await self._doors.plugins.releases():
            releases[release.plugin_id].append(release)
        rows = sorted(await self._doors.plugins.plugins(), key=lambda row: row.plugin_id)
        on_nodes: defaultdict[str, list[NodePlugin]] = defaultdict(list)
        for one in await self._doors.on_nodes.plugins():
            on_nodes[one.plugin_id].append(one)
        return [self._view(row, releases[row.plugin_id], on_nodes[row.plugin_id]) for row in rows]

    async def view(self, plugin_id: str) -> PluginView:
        """One plugin. Raises: NotFound."""
        row = await self._doors.row(plugin_id)
        on_nodes = await self._doors.on_nodes.plugins(PluginId(plugin_id))
        return self._view(row, await self._doors.releases(plugin_id), on_nodes)

    # --- the gateway's own ----------------------------------------------------------------------

    async def admit_again(self, plugin_id: str, version: str) -> None:
        """Ask before each start of a process what was asked before the first (security rule 13).

        Raises: Conflict, as `enable`; NotFound; StoreUnavailable.
        """
        release = named(await self._doors.releases(plugin_id), version)
        if release is None:
            raise NotFound(f"version {version} is not installed any more")
        await self._gatekeeper.admit(release)

    async def start_all(self) -> None:
        """Sweep what a crash left behind, then verify and start every plugin that serves.

        One that may not start is put in `error` with the cause; it never stops the others.
        """
        try:
            await self._installer.sweep()
        except WunderError as error:  # leftovers harm nobody; the plugins are waited for
            log.warning("plugin_sweep_failed", code=error.code)
        try:
            await self._switchboard.start_each(is_to_run)
        except WunderError as error:  # the store is away: `run` starts them once it is back
            log.warning("plugins_not_started", code=error.code)
        self.heard()

    async def run(self) -> None:
        """Follow what other nodes switch, and look again at what failed; ends by cancellation."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._follow_news(), name="follow plugins")
            await self._retry_now_and_then()

    async def _retry_now_and_then(self) -> None:
        while True:
            await self._doors.clock.sleep(self._policy.retry_errors_every_s)
            try:
                await self.retry_errors()
            except WunderError as error:  # the store is away; it is asked again next time
                log.warning("plugin_retry_failed", code=error.code)

    def heard(self) -> None:
        """Learn that another node may have changed something of plugins. Never blocks."""
        self._news.set()

    async def _follow_news(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            try:
                await self.follow()
            except WunderError as error:  # the store is away
                log.warning("plugins_not_followed", code=error.code)
                await self._doors.clock.sleep(1.0)
                self._news.set()

    async def follow(self) -> None:
        """Make this node like the table: processes first, then packages that came and went."""
        await self._switchboard.follow()
        releases = await self._doors.plugins.releases()
        if await self._installer.stager.stage(releases):
            await self._doors.on_change()  # their account schemas are here now
        await self._installer.forget_strangers()

    async def retry_errors(self) -> None:
        """Try plugins once more that could not be admitted; the runtime retries broken processes."""
        await self._switchboard.retry_failed()

    async def note_runtime(self, plugin_id: str) -> None:
        """Take down in the table that a process is broken for good, or runs again (row N2a)."""
        await self._switchboard.note_runtime(plugin_id)

    async def _require_confirmation(self, row: PluginRow, confirm: str | None) -> None:
        """Taking an id over from a built-in exposes its accounts: say so, and ask (rule 15)."""
        builtin_id = self._doors.builtin_serves(row.plugin_id)
        has_it_already = is_to_run(row)
        if builtin_id is None or has_it_already or confirm == row.plugin_id:
            return
        impact = impact_on(
            row.plugin_id, await self._doors.accounts.all(), await self._doors.bindings.all()
        )
        if not impact.accounts and builtin_id != row.plugin_id:
            return
        raise Conflict(
            f"the built-in {builtin_id} serves this id now; its accounts would go to the plugin: "
            f"confirm by giving the plugin id, {row.plugin_id}",
            reason="takes_over_builtin",
            state={**impact_as_state(impact), "builtin_id": builtin_id, "confirm": row.plugin_id},
        )

    async def _require_builtin(self, row: PluginRow) -> None:
        if self._doors.builtin_serves(row.plugin_id) is not None:
            return
        releases = await self._doors.releases(row.plugin_id)
        previous = previous_of(releases, row.current_version)
        offer = f"roll back to {previous.version} instead" if previous else "disable it instead"
        raise Conflict(
            f"no built-in serves this id; {offer}",
            reason="no_builtin",
            state={"rollback_to": previous.version if previous else None},
        )

    def _view(
        self, row: PluginRow, releases: list[Release], on_nodes: list[NodePlugin]
    ) -> PluginView:
        return plugin_view(
            row,
            releases,
            on_nodes=on_nodes,
            builtin_id=self._doors.builtin_serves(row.plugin_id),
            report=self._doors.host.report(row.plugin_id),
            seen_from=(self._here, self._policy.signature),
        )
