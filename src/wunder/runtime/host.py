"""The plugin host: one supervisor a plugin, and the door through which the gateway calls them."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from wunder.model.ids import AccountUid, PluginId
from wunder.model.plugin import PluginCounters
from wunder.model.runtime import PluginSpec, RuntimeReport
from wunder.ports import Clock, EventLog, PluginHistory
from wunder.runtime.policy import RuntimePolicy

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class HostDoors:
    """What the host needs of the rest of the gateway.

    `boot_path` is the SDK's starter of Python plugins (wunder_sdk/boot.py). `resolve_account`
    answers which account a plugin means by a label, None for none of its own.
    `on_late_success(plugin_id, params, result)` gets the wire objects of a call that was given up
    and succeeded after all. `on_change(plugin_id)` is called, synchronously, whenever a plugin
    became able or unable to take calls.
    """

    clock: Clock
    events: EventLog
    history: PluginHistory
    boot_path: str
    resolve_account: Callable[[PluginId, str], AccountUid | None]
    on_late_success: Callable[[PluginId, object, object], Awaitable[None]]
    on_change: Callable[[PluginId], None] = lambda plugin_id: None
    gateway_version: str = "0"
    instance_id: str = ""


class ProcessHost:
    """The running plugins, each a process of its own (port PluginHost)."""

    def __init__(self, policy: RuntimePolicy, doors: HostDoors) -> None:
        self._policy = policy
        self._doors = doors

    async def run(self) -> None:
        """Supervise until cancelled; then stop every plugin, all at once, each by its ladder."""
        raise NotImplementedError

    async def call(
        self, plugin_id: PluginId, method: str, params: object, result: type[T], account_uid: str
    ) -> T:
        """Call a method with its own deadline; params and result are wire types.

        Raises: ProviderFault.
        """
        raise NotImplementedError

    async def start(self, spec: PluginSpec) -> None:
        """Make this release the running one: the old one serves until the new one is ready."""
        raise NotImplementedError

    async def stop(self, plugin_id: PluginId) -> None:
        """Drain and stop; returns when its process is gone."""
        raise NotImplementedError

    async def preflight(self, spec: PluginSpec) -> None:
        """Start a process with no traffic, shake hands, ask its health, stop it.

        Raises: Invalid, with the cause and the last lines it wrote.
        """
        raise NotImplementedError

    def report(self, plugin_id: PluginId) -> RuntimeReport | None:
        """What is running; None for a plugin that was never started."""
        raise NotImplementedError

    def stderr(self, plugin_id: PluginId) -> list[str]:
        """The last lines the plugin wrote, oldest first, control characters kept."""
        raise NotImplementedError

    def free_sends(self, plugin_id: PluginId, account_uid: str) -> int:
        """How many sends of this account would start at once; 0 while it is not ready."""
        raise NotImplementedError

    def is_quarantined(self, plugin_id: PluginId, params: object) -> bool:
        """True for a request or delivery that crashed the plugin although it was called alone."""
        raise NotImplementedError

    async def counters(self) -> list[PluginCounters]:
        """What is known of earlier lives of the plugins."""
        return await self._doors.history.counters()
