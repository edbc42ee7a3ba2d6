"""Moves a plugin from one state to another: the row first, then the process, one at a time.

Rows are switched by any node; each node's processes follow the rows. What keeps a plugin from running
on one node only is noted for that node, and the row stays as it is while another node runs it.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import msgspec

from wunder.errors import Conflict, StoreUnavailable, WunderError
from wunder.model.ids import PluginId
from wunder.model.plugin import PluginRow, PluginStatus, Release, Source
from wunder.model.runtime import PluginSpec, RuntimeState
from wunder.observe.logs import get_logger
from wunder.plugins.doors import DeskDoors
from wunder.plugins.release import BROKEN, is_serving, is_to_retry, is_to_run, named
from wunder.plugins.starting import Gatekeeper

log = get_logger(__name__)

MAX_ERROR_CHARACTERS = 500
_ALIVE = frozenset({RuntimeState.STARTING, RuntimeState.READY, RuntimeState.BACKOFF})


class Switchboard:
    """Commits a switch and makes the running processes follow.

    A row is changed under the plugin's own lock, together with the start or stop that follows from
    it; what takes long and may fail (a preflight) happens before, outside the lock.
    """

    def __init__(self, doors: DeskDoors, gatekeeper: Gatekeeper, parallel_starts: int) -> None:
        self._doors = doors
        self._gatekeeper = gatekeeper
        self._parallel_starts = parallel_starts
        #: The switch that this node's process last followed, or failed to.
        self._followed: dict[PluginId, tuple[object, ...]] = {}
        self._noted: dict[PluginId, str] = {}  # why it does not run on this node, "" where it may
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    @asynccontextmanager
    async def held(self, plugin_id: str) -> AsyncIterator[None]:
        """Hold a plugin's lock: nobody else switches it meanwhile."""
        async with self._locks[plugin_id]:
            yield

    def is_running(self, row: PluginRow, release: Release) -> bool:
        """True when switching to this release would change nothing."""
        report = self._doors.host.report(row.plugin_id)
        return (
            row.status is PluginStatus.ENABLED
            and is_serving(row)
            and row.current_version == release.version
            and release.is_approved
            and report is not None
            and report.version == release.version
            and report.state in _ALIVE
        )

    async def switch_to(self, row: PluginRow, release: Release, event: str, by: str) -> None:
        """Admit, try out, then switch: until the row is committed nothing changes for anybody.

        Raises: Conflict, as the gatekeeper, and `changed_meanwhile`; Invalid from the preflight.
        """
        spec = await self._gatekeeper.admit(release)
        await self._doors.host.preflight(spec)
        await self._commit_switch(row, release, spec)
        self._doors.tell(
            event, row.plugin_id, release.version, by, source="plugin", before=row.current_version
        )
        log.info(event, plugin_id=row.plugin_id, version=release.version, source="plugin")
        await self._doors.on_change()

    async def take_out(
        self,
        plugin_id: str,
        event: str,
        by: str,
        *,
        status: PluginStatus | None = None,
        source: Source | None = None,
    ) -> None:
        """Cut routing, then drain and stop. Raises: NotFound."""
        async with self.held(plugin_id):
            row = await self._doors.row(plugin_id)
            if (status or row.status, source or row.source) != (row.status, row.source):
                await self._put(row, status=status, source=source)
                now = {"source": source} if source else {}
                self._doors.tell(event, plugin_id, row.current_version, by, **now)
                log.info(event, plugin_id=plugin_id, **now)
                await self._doors.on_change()
            await self._doors.host.stop(row.plugin_id)

    async def note_source(self, plugin_id: str, by: str) -> None:
        """Note that the plugin is to serve once it is enabled. Raises: NotFound."""
        async with self.held(plugin_id):
            row = await self._doors.row(plugin_id)
            if row.source != "plugin":
                await self._put(row, source="plugin")
                told = {"source": "plugin"}
                self._doors.tell("plugin_source_set", plugin_id, row.current_version, by, **told)
        await self._doors.on_change()

    async def start_each(self, is_meant: Callable[[PluginRow], bool]) -> None:
        """Verify and start plugins, a few at a time; what fails is noted in its row."""
        rows = [row for row in await self._doors.plugins.plugins() if is_meant(row)]
        slots = asyncio.Semaphore(self._parallel_starts)

        async def start_one(row: PluginRow) -> None:
            try:
                async with slots:
                    await self._start_or_note(row.plugin_id)
            except WunderError as error:  # not even its row could be written; the others go on
                log.exception("plugin_start_failed", plugin_id=row.plugin_id, code=error.code)

        async with asyncio.TaskGroup() as group:
            for row in rows:
                group.create_task(start_one(row), name=f"start {row.plugin_id}")
        if rows:
            await self._doors.on_change()

    async def follow(self) -> None:
        """Make this node's processes those that the rows name; other nodes switch rows too.

        Who is out of service loses its traffic first, then its process. One that may not run here is
        stopped, also where an older version of it did: the row says what is current.
        """
        rows = {row.plugin_id: row for row in await self._doors.plugins.plugins()}
        meant = {plugin_id for plugin_id, row in rows.items() if is_to_run(row)}
        gone = [plugin_id for plugin_id in self._followed if plugin_id not in meant]
        await self._doors.on_change()
        for plugin_id in gone:
            await self._leave(plugin_id)
        await self.start_each(self._has_to_start)

    async def note_runtime(self, plugin_id: str) -> None:
        """Take down in the table that a process is broken for good, or runs again."""
        report = self._doors.host.report(PluginId(plugin_id))
        if report is None:
            return
        async with self.held(plugin_id):
            rows = await self._doors.plugins.plugins()
            row = next((one for one in rows if one.plugin_id == plugin_id), None)
            if row is None or not is_to_run(row) or report.version != row.current_version:
                return
            words = report.last_error or report.last_exit
            if report.state is RuntimeState.BROKEN and row.status is PluginStatus.ENABLED:
                await self._put_error(row, BROKEN, words)
            elif report.state is RuntimeState.BROKEN:
                await self._note_here(row.plugin_id, row.current_version, BROKEN, words)
            elif report.state is RuntimeState.READY:
                await self._note_here(row.plugin_id, row.current_version, "", "")
                if row.last_error_code != BROKEN:
                    return
                await self._put(row, status=PluginStatus.ENABLED)
                self._doors.tell("plugin_recovered", plugin_id, row.current_version)
                await self._doors.on_change()

    async def retry_failed(self) -> None:
        """Try once more what was not admitted; the runtime retries broken processes."""
        await self.start_each(
            lambda row: (
                is_to_retry(row)
                or (is_to_run(row) and self._noted.get(row.plugin_id, "") not in ("", BROKEN))
            )
        )

    def _has_to_start(self, row: PluginRow) -> bool:
        """True when this node does not run what the row names, and did not try since the last switch."""
        if not is_to_run(row) or self._runs_here(row):
            return False
        return not self._has_followed(row) or self._noted.get(row.plugin_id) == "package_missing"

    def _has_followed(self, row: PluginRow) -> bool:
        return self._followed.get(row.plugin_id) == _switch_of(row)

    def _runs_here(self, row: PluginRow) -> bool:
        report = self._doors.host.report(row.plugin_id)
        is_current = report is not None and report.version == row.current_version
        return is_current and report is not None and report.state in _ALIVE

    async def _leave(self, plugin_id: PluginId) -> None:
        async with self.held(plugin_id):
            rows = await self._doors.plugins.plugins()
            if any(is_to_run(row) for row in rows if row.plugin_id == plugin_id):
                return
            self._followed.pop(plugin_id, None)
            await self._note_here(plugin_id, "", "", "")
            await self._doors.host.stop(plugin_id)
        log.info("plugin_left", plugin_id=plugin_id)

    async def _start_or_note(self, plugin_id: PluginId) -> None:
        async with self.held(plugin_id):
            row = await self._doors.row(plugin_id)
            if not is_to_run(row):
                return
            try:
                if not self._has_followed(row) or not self._runs_here(row):
                    await self._start_current(row)
            except StoreUnavailable as error:
                await self._put_error(row, error.code, error.detail)
            except WunderError as error:
                code = error.reason if isinstance(error, Conflict) else error.code
                await self._not_here(row, code, error.detail)
            except Exception as error:
                log.exception("plugin_start_failed", plugin_id=plugin_id)
                await self._not_here(row, "internal", type(error).__name__)
            else:
                self._followed[plugin_id] = _switch_of(row)
                await self._note_here(plugin_id, row.current_version, "", "")
                if row.status is PluginStatus.ERROR:
                    await self._put(row, status=PluginStatus.ENABLED)
                    self._doors.tell("plugin_recovered", plugin_id, row.current_version)

    async def _not_here(self, row: PluginRow, code: str, words: str) -> None:
        """It may not run: neither does what ran before it, which nobody chose any more."""
        self._followed[row.plugin_id] = _switch_of(row)
        await self._put_error(row, code, words)
        await self._doors.host.stop(row.plugin_id)

    async def _note_here(self, plugin_id: PluginId, version: str, code: str, words: str) -> None:
        if self._noted.get(plugin_id) == code:
            return
        await self._doors.on_nodes.note(plugin_id, version, code, words[:MAX_ERROR_CHARACTERS])
        self._noted[plugin_id] = code

    async def _runs_elsewhere(self, row: PluginRow) -> bool:
        here = self._doors.on_nodes.node_id
        return any(
            one.node_id != here
            and one.is_alive
            and one.version == row.current_version
            and one.state == RuntimeState.READY.value
            for one in await self._doors.on_nodes.plugins(row.plugin_id)
        )

    async def _start_current(self, row: PluginRow) -> None:
        release = named(await self._doors.releases(row.plugin_id), row.current_version)
        if release is None:
            detail = f"version {row.current_version} is not installed; install it again"
            raise Conflict(detail, reason="version_missing")
        await self._doors.host.start(await self._gatekeeper.admit(release))

    async def _commit_switch(self, row: PluginRow, release: Release, spec: PluginSpec) -> None:
        async with self.held(row.plugin_id):
            seen = await self._doors.row(row.plugin_id)
            if seen.epoch != row.epoch:
                raise Conflict(
                    "somebody switched this plugin meanwhile; look at it and try again",
                    reason="changed_meanwhile",
                    state={"epoch": seen.epoch, "current_version": seen.current_version},
                )
            chosen = msgspec.structs.replace(
                seen, current_version=release.version, name=release.manifest["name"]
            )
            await self._put(chosen, status=PluginStatus.ENABLED, source="plugin")
            await self._doors.host.start(spec)
            await self._note_here(row.plugin_id, release.version, "", "")

    async def _put(
        self,
        row: PluginRow,
        *,
        status: PluginStatus | None = None,
        source: Source | None = None,
    ) -> None:
        """Commit a switch; the error of before is over with it."""
        changed = msgspec.structs.replace(
            row,
            status=status or row.status,
            source=source or row.source,
            last_error="",
            last_error_code="",
            updated_at=self._doors.clock.now(),
            epoch=row.epoch + 1,
        )
        await self._doors.plugins.put_plugin(changed, row.epoch)
        self._followed[row.plugin_id] = _switch_of(changed)

    async def _put_error(self, row: PluginRow, code: str, words: str) -> None:
        """Note why it does not run here; in its row too, unless another node runs it."""
        is_news = self._noted.get(row.plugin_id) != code
        await self._note_here(row.plugin_id, row.current_version, code, words)
        if (row.status, row.last_error_code) == (PluginStatus.ERROR, code):
            return
        if await self._runs_elsewhere(row):
            if is_news:
                self._tell_failed(row, code)
            return
        changed = msgspec.structs.replace(
            row,
            status=PluginStatus.ERROR,
            last_error=words[:MAX_ERROR_CHARACTERS],
            last_error_code=code,
            updated_at=self._doors.clock.now(),
        )
        await self._doors.plugins.put_plugin(changed, row.epoch)
        self._tell_failed(row, code)
        await self._doors.on_change()

    def _tell_failed(self, row: PluginRow, code: str) -> None:
        told = {"code": code, "node_id": self._doors.on_nodes.node_id}
        self._doors.tell("plugin_start_failed", row.plugin_id, row.current_version, **told)
        log.error(
            "plugin_start_failed", plugin_id=row.plugin_id, version=row.current_version, code=code
        )


def _switch_of(row: PluginRow) -> tuple[object, ...]:
    """Return what tells one switch from every other, also over an uninstallation."""
    return row.created_at, row.epoch, row.current_version
