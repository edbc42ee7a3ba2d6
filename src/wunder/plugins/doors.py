"""What the plugins room needs of the rest of the gateway, and how it tells what it did."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from wunder.errors import NotFound
from wunder.model.ids import At, PluginId
from wunder.model.plugin import PluginRow, Release
from wunder.model.trail import Event
from wunder.ports import AccountTable, BindingTable, Clock, EventLog, PluginHost, PluginTable
from wunder.upkeep.nodes import NodePlugin


class PackageShelf(Protocol):
    """Packages as they came, where every node of the store can read them (ADR 0017)."""

    async def put(self, kind: str, name: str, read: Callable[[int, int], bytes]) -> None:
        """Keep what `read(offset, limit)` gives until it gives nothing."""

    async def fetch(self, kind: str, name: str, write: Callable[[bytes], object]) -> int:
        """Hand the bytes to `write`, in order; how many, 0 where there are none."""

    async def forget(self, kind: str, names: Sequence[str]) -> None:
        """Delete; what is gone already is fine."""

    async def names(self, kind: str, before: At) -> list[str]:
        """What was put there before a time."""


class OnNodes(Protocol):
    """What of plugins is the case on each node."""

    @property
    def node_id(self) -> str:
        """This node's name."""

    async def note(self, plugin_id: PluginId, version: str, code: str, words: str) -> None:
        """Say why a plugin does not run on this node; "" that nothing keeps it from running."""

    async def plugins(self, plugin_id: PluginId | None = None) -> list[NodePlugin]:
        """Each plugin on each node that was ever there, `is_alive` where the node lives."""


@dataclass(frozen=True, slots=True)
class DeskDoors:
    """What the desk needs of others.

    Args:
        plugins: The only place where state is kept.
        host: The running plugins.
        accounts: For the impact of a switch.
        bindings: Likewise.
        events: Where every change is told.
        clock: Time.
        builtin_serves: The id of the built-in that can serve a provider id, or None.
        on_change: Called after each change, for the registry to look again.
        shelf: Packages, for nodes that lack them.
        on_nodes: What runs, and does not run, where.
    """

    plugins: PluginTable
    host: PluginHost
    accounts: AccountTable
    bindings: BindingTable
    events: EventLog
    clock: Clock
    builtin_serves: Callable[[str], str | None]
    on_change: Callable[[], Awaitable[None]]
    shelf: PackageShelf
    on_nodes: OnNodes

    async def row(self, plugin_id: str) -> PluginRow:
        """Return a plugin's row. Raises: NotFound."""
        rows = await self.plugins.plugins()
        found = next((one for one in rows if one.plugin_id == plugin_id), None)
        if found is None:
            raise NotFound("no plugin with this id is installed; `wunder plugin list` shows them")
        return found

    async def releases(self, plugin_id: str) -> list[Release]:
        """Return a plugin's installed versions."""
        return await self.plugins.releases(PluginId(plugin_id))

    def tell(self, name: str, plugin_id: str, version: str, by: str = "", **fields: object) -> None:
        """Record an event; what says `by` whom it was done is also in the audit (ADR 0081).

        Args:
            name: Past tense, such as `plugin_enabled`.
            plugin_id: Of which plugin.
            version: Of which release; "" where it is about all of them.
            by: Who did it; "" for the gateway itself.
            fields: More; no secrets.
        """
        level = "error" if name.endswith("_failed") else "info"
        now = self.clock.now()
        told = {**fields, "by": by} if by else dict(fields)
        self.events.record(
            Event(name, now, level=level, plugin_id=plugin_id, version=version, fields=told)
        )
