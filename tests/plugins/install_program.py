"""A gateway's plugin desk as a process of its own, that can be killed at any step of an install.

Usage: install_program.py <data dir> <step to die at, or -> <zip> <version to enable, or ->
Writes what started and what is installed as one line of JSON.
"""

import asyncio
import json
import os
import signal
import sys
from pathlib import Path

from tests.fakes.plugin_host import FakePluginHost
from wunder.observe.clock import SystemClock
from wunder.plugins.desk import PluginDesk
from wunder.plugins.doors import DeskDoors
from wunder.plugins.folders import PluginFolders
from wunder.plugins.policy import PluginPolicy
from wunder.store.policy import StorePolicy
from wunder.store.sqlite.store import SqliteStore, open_store

PLUGIN = "acme.echo"


def reached(step: str, deadly: str) -> None:
    if step == deadly:
        os.kill(os.getpid(), signal.SIGKILL)


class DeadlyTable:
    """The real table, with a step before and after a release is recorded or forgotten."""

    def __init__(self, store: SqliteStore, deadly: str) -> None:
        self._table = store.plugins
        self._deadly = deadly

    def __getattr__(self, name: str) -> object:
        return getattr(self._table, name)

    async def add_release(self, release: object, name: str) -> None:
        reached("recording", self._deadly)
        await self._table.add_release(release, name)  # type: ignore[arg-type]
        reached("recorded", self._deadly)

    async def remove_release(self, plugin_id: object, version: str) -> bool:
        was_last = await self._table.remove_release(plugin_id, version)  # type: ignore[arg-type]
        reached("forgotten", self._deadly)
        return was_last


async def main(data_dir: Path, deadly: str, zip_path: Path, version: str) -> None:
    clock, host = SystemClock(), FakePluginHost()
    policy = StorePolicy(free_floor_bytes=0, ballast_bytes=0)
    store = await open_store(data_dir, clock, policy)

    async def nothing() -> None:
        return None

    doors = DeskDoors(
        plugins=DeadlyTable(store, deadly),  # type: ignore[arg-type]
        host=host, accounts=store.accounts, bindings=store.bindings, events=store.events,
        clock=clock, builtin_serves=lambda one: None, on_change=nothing,
        shelf=store.shelf, on_nodes=store.nodes,
    )  # fmt: skip
    folders = PluginFolders(data_dir, lambda step: reached(step, deadly))
    desk = PluginDesk(doors, PluginPolicy(data_dir), folders=folders)
    await desk.start_all()
    started = {spec.plugin_id: spec.version for spec in host.started}
    left = sorted(path.name for path in folders.staging.iterdir())
    if zip_path.name == "remove":
        await desk.remove(PLUGIN, version, "ann")
    else:
        release = await desk.install(zip_path, sha256=None, by="ann", source="cli")
        if version != "-":
            await desk.approve(PLUGIN, version, release.package_sha256, "ann")
            await desk.enable(PLUGIN, version=version, confirm=None, by="ann")
    views = await desk.views()
    told = {
        "started": started,
        "left": left,
        "versions": [one.version for view in views for one in view.releases],
        "status": "".join(view.status for view in views),
    }
    await store.close()
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]), sys.argv[4]))
