"""A plugin desk with a table in memory, a fake host, and packages to install."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from tests.fakes.clock import FakeClock
from tests.fakes.plugin_host import FakePluginHost
from tests.unit.plugins.raw_zip import Raw, good_zip
from wunder.errors import Conflict, NotFound
from wunder.model.account import AccountConfig, AccountRow
from wunder.model.binding import Binding
from wunder.model.ids import AccountId, AccountUid, AgentId, At, BindingId, ChannelId, PluginId
from wunder.model.plugin import Approval, PluginRow, PluginStatus, Release
from wunder.model.trail import Event
from wunder.plugins.desk import PluginDesk
from wunder.plugins.doors import DeskDoors
from wunder.plugins.folders import PluginFolders
from wunder.plugins.policy import PluginPolicy
from wunder.plugins.release import HostPlatform
from wunder.upkeep.nodes import NodePlugin

HERE = HostPlatform("linux-amd64", (3, 11, 7))


async def until(is_so: Callable[[], object]) -> None:
    """Let other tasks and threads go on until something is so."""
    for _ in range(20_000):
        if is_so():
            return
        await asyncio.sleep(0.0005)
    raise AssertionError("it never came to that")


class DictPluginTable:
    """PluginTable in memory, with the conflicts of the real one."""

    def __init__(self) -> None:
        self.rows: dict[str, PluginRow] = {}
        self.stored: dict[tuple[str, str], Release] = {}

    async def plugins(self) -> list[PluginRow]:
        return list(self.rows.values())

    async def releases(self, plugin_id: str | None = None) -> list[Release]:
        return [one for one in self.stored.values() if plugin_id in (None, one.plugin_id)]

    async def add_release(self, release: Release, name: str) -> None:
        same = self.stored.get((release.plugin_id, release.version))
        if same is not None:
            if same.package_sha256 != release.package_sha256:
                raise Conflict(reason="same_version_other_hash")
            return
        self.stored[release.plugin_id, release.version] = release
        at = release.created_at
        row = PluginRow(
            release.plugin_id, name, "", PluginStatus.DISABLED, "plugin", "", "", at, at
        )
        self.rows.setdefault(release.plugin_id, row)

    async def put_plugin(self, row: PluginRow, expected_epoch: int | None = None) -> None:
        if expected_epoch is not None and self.rows[row.plugin_id].epoch != expected_epoch:
            raise Conflict(reason="epoch")
        self.rows[row.plugin_id] = row

    async def approve(self, plugin_id: str, version: str, approval: Approval) -> None:
        key = (plugin_id, version)
        self.stored[key] = msgspec.structs.replace(self.stored[key], approval=approval)

    async def remove_release(self, plugin_id: str, version: str) -> bool:
        if self.stored.pop((plugin_id, version), None) is None:
            raise NotFound
        if any(one.plugin_id == plugin_id for one in self.stored.values()):
            return False
        del self.rows[plugin_id]
        return True


class ListTable:
    """`all()` of an account or binding table."""

    def __init__(self) -> None:
        self.rows: list[Any] = []

    async def all(self) -> list[Any]:
        return list(self.rows)


class EventList:
    """EventLog that keeps what was recorded."""

    def __init__(self) -> None:
        self.kept: list[Event] = []

    def record(self, event: Event) -> None:
        self.kept.append(event)

    def names(self) -> list[str]:
        return [event.name for event in self.kept]

    async def events(self, plugin_id: str, account_uid: str, limit: int, cursor: str) -> Any:
        raise NotImplementedError


class DictShelf:
    """Large bytes that every node can read."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], bytes] = {}

    async def put(self, kind: str, name: str, read: Callable[[int, int], bytes]) -> None:
        whole = b""
        while piece := read(len(whole), 1_000):
            whole += piece
        self.kept[kind, name] = whole

    async def fetch(self, kind: str, name: str, write: Callable[[bytes], object]) -> int:
        whole = self.kept.get((kind, name), b"")
        for at in range(0, len(whole), 1_000):
            write(whole[at : at + 1_000])
        return len(whole)

    async def forget(self, kind: str, names: Sequence[str]) -> None:
        for name in names:
            self.kept.pop((kind, name), None)

    async def names(self, kind: str, before: At) -> list[str]:
        return [name for at, name in self.kept if at == kind]


class NodeNotes:
    """What one node notes of its plugins, among what all nodes noted."""

    def __init__(self, node_id: str = "local", rows: dict[Any, NodePlugin] | None = None) -> None:
        self.node_id = node_id
        self.rows: dict[tuple[str, str], NodePlugin] = {} if rows is None else rows

    async def note(self, plugin_id: PluginId, version: str, code: str, words: str) -> None:
        self.say(plugin_id, version, "", code, words)

    def say(
        self, plugin_id: str, version: str, state: str, code: str = "", words: str = ""
    ) -> None:
        self.rows[self.node_id, plugin_id] = NodePlugin(
            self.node_id, PluginId(plugin_id), version, state, "", 0, 0, "", code, words, At(0)
        )

    async def plugins(self, plugin_id: PluginId | None = None) -> list[NodePlugin]:
        return [one for one in self.rows.values() if plugin_id in (None, one.plugin_id)]


@dataclass
class World:
    """Everything around a desk; `restart` makes the desk of the next gateway process."""

    top: Path
    clock: FakeClock = field(default_factory=FakeClock)
    table: DictPluginTable = field(default_factory=DictPluginTable)
    host: FakePluginHost = field(default_factory=FakePluginHost)
    accounts: Any = field(default_factory=ListTable)
    bindings: Any = field(default_factory=ListTable)
    events: EventList = field(default_factory=EventList)
    builtins: dict[str, str] = field(default_factory=dict)
    signature: Any = "warn"
    here: HostPlatform = HERE
    refreshed: int = 0
    shelf: DictShelf = field(default_factory=DictShelf)
    on_nodes: NodeNotes = field(default_factory=NodeNotes)

    def __post_init__(self) -> None:
        self.data_dir = self.top / "data"
        self.data_dir.mkdir(exist_ok=True)
        self.folders = PluginFolders(self.data_dir)
        self.desk = self.restart()

    def restart(self) -> PluginDesk:
        doors = DeskDoors(
            plugins=self.table, host=self.host, accounts=self.accounts, bindings=self.bindings,
            events=self.events, clock=self.clock, builtin_serves=self.builtins.get,
            on_change=self._refresh, shelf=self.shelf, on_nodes=self.on_nodes,
        )  # fmt: skip
        policy = PluginPolicy(
            self.data_dir, signature=self.signature, builtin_ids=frozenset(self.builtins)
        )
        self.desk = PluginDesk(doors, policy, self.here)
        return self.desk

    async def _refresh(self) -> None:
        self.refreshed += 1

    def zip(self, *more: Raw, **changed: Any) -> Path:
        path = self.top / "upload.zip"
        path.write_bytes(good_zip(*more, **changed))
        return path

    async def installed(self, *more: Raw, approve: bool = True, **changed: Any) -> Release:
        release = await self.desk.install(
            self.zip(*more, **changed), sha256=None, by="ann", source="api"
        )
        if approve:
            await self.desk.approve(
                release.plugin_id, release.version, release.package_sha256, "ann"
            )
        return release

    async def enabled(self, *more: Raw, **changed: Any) -> Release:
        release = await self.installed(*more, **changed)
        await self.desk.enable(release.plugin_id, version=release.version, confirm=None, by="ann")
        return release

    def account(self, channel: str, account_id: str = "main", status: Any = "enabled") -> None:
        self.accounts.rows.append(
            AccountRow(
                account_uid=AccountUid(f"uid-{account_id}"),
                channel=ChannelId(channel),
                account_id=AccountId(account_id),
                display_name=account_id.title(),
                status=status,
                config=AccountConfig(),
                secrets=b"",
                rev=1,
                secret_rev=1,
                webhook_key="k",
                created_at=At(0),
                updated_at=At(0),
            )
        )

    def binding(self, channel: str, account_id: str) -> None:
        binding_id = BindingId(f"b{len(self.bindings.rows)}")
        rule = Binding(binding_id, channel, account_id, "*", "*", AgentId("echo"))
        self.bindings.rows.append(rule)

    def files_on_disk(self) -> set[str]:
        root = self.folders.root
        return {
            path.relative_to(root).as_posix()
            for path in root.rglob("*")
            if path.is_file() and not path.name.startswith(".install")
        }

    def row(self, plugin_id: str = "acme.echo") -> PluginRow:
        return self.table.rows[plugin_id]
