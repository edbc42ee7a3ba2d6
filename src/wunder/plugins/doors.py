"""What the plugins room needs of the rest of the gateway, and how it tells what it did."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from wunder.errors import NotFound
from wunder.model.ids import PluginId
from wunder.model.plugin import PluginRow, Release
from wunder.model.trail import Event
from wunder.ports import AccountTable, BindingTable, Clock, EventLog, PluginHost, PluginTable


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
    """

    plugins: PluginTable
    host: PluginHost
    accounts: AccountTable
    bindings: BindingTable
    events: EventLog
    clock: Clock
    builtin_serves: Callable[[str], str | None]
    on_change: Callable[[], Awaitable[None]]

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
        """Record an event, and for what a person did the same under its action as `audit`.

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
        if by:
            action = {"action": name, **told}
            self.events.record(
                Event("audit", now, plugin_id=plugin_id, version=version, fields=action)
            )
