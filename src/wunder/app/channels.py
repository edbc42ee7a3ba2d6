"""Who speaks the channels: built-ins and plugins, their desk, and what becomes of their processes."""

import asyncio
from collections.abc import Callable
from importlib.resources import files

from wunder import __version__
from wunder.app.ground import Ground
from wunder.attachments.room import AttachmentRoom
from wunder.errors import WunderError
from wunder.model.ids import AccountUid, ChannelId, PluginId, new_id
from wunder.model.runtime import PluginSpec, RuntimeState
from wunder.observe import logs
from wunder.plugins.desk import PluginDesk
from wunder.plugins.doors import DeskDoors
from wunder.plugins.host_answers import HostAnswers
from wunder.plugins.installed_schema import schema_reader
from wunder.plugins.policy import PluginPolicy
from wunder.ports import EventLog
from wunder.providers.adapter import Surroundings
from wunder.providers.builtin import CallLimits, bundled_ids
from wunder.providers.late import evidence_of
from wunder.providers.registry import ProviderRegistry
from wunder.runtime.host import HostDoors, ProcessHost

log = logs.get_logger(__name__)


class Channels:
    """Host, registry and desk; `wake_sends` is called when a channel may have begun to take calls."""

    def __init__(
        self,
        ground: Ground,
        attachments: AttachmentRoom,
        noticed: EventLog,
        wake_sends: Callable[[], None],
    ) -> None:
        self._ground = ground
        self._wake_sends = wake_sends
        self._ready: set[PluginId] = set()
        self._changed: set[PluginId] = set()
        self._news = asyncio.Event()
        config, store = ground.config, ground.store
        self.host = ProcessHost(config.runtime, self._host_doors(attachments))
        surroundings = Surroundings(
            ground.clock, store.events, attachments.blobs, config.gateway.max_message_bytes
        )
        schemas = schema_reader(config.data_dir)
        self.providers = ProviderRegistry(store.plugins, self.host, surroundings, schemas)
        self.providers.bundle(store.history, ground.http, CallLimits())
        self.plugins = PluginDesk(self._desk_doors(noticed), self._plugin_policy())

    def takes_calls(self, plugin_id: PluginId) -> bool:
        """True while the plugin's process takes calls on this node."""
        return plugin_id in self._ready

    async def note_states(self) -> None:
        """Take down in the table what became of processes, broken for good or running again."""
        while True:
            await self._news.wait()
            self._news.clear()
            while self._changed:
                plugin_id = self._changed.pop()
                try:
                    await self.plugins.note_runtime(plugin_id)
                except WunderError as error:
                    log.warning("plugin_state_not_noted", plugin_id=plugin_id, reason=error.code)

    async def hear(self) -> None:
        """Learn that another node changed something of plugins."""
        # Starting a process takes seconds: other news does not wait for it.
        self.plugins.heard()

    def _host_doors(self, attachments: AttachmentRoom) -> HostDoors:
        store = self._ground.store
        answers = HostAnswers(store.history, attachments.blobs, self._resolve_account)
        return HostDoors(
            clock=self._ground.clock,
            events=store.events,
            history=store.history,
            boot_path=str(files("wunder_sdk") / "boot.py"),
            answer=answers.answer,
            on_late_success=self._take_evidence,
            on_change=self._on_change,
            on_called=self._count_call,
            admit=self._admit,
            gateway_version=__version__,
            instance_id=new_id(),
        )

    def _desk_doors(self, noticed: EventLog) -> DeskDoors:
        store = self._ground.store
        return DeskDoors(
            plugins=store.plugins,
            host=self.host,
            accounts=store.accounts,
            bindings=store.bindings,
            events=noticed,
            clock=self._ground.clock,
            builtin_serves=self.providers.builtin_serving,
            on_change=self._plugins_changed,
            shelf=store.shelf,
            on_nodes=store.nodes,
        )

    def _plugin_policy(self) -> PluginPolicy:
        config = self._ground.config
        return PluginPolicy(
            data_dir=config.data_dir,
            signature=config.plugins.signature,
            builtin_ids=bundled_ids(),
            message_bytes=config.gateway.max_message_bytes,
            parallel_starts=config.plugins.parallel_starts,
        )

    # --- what the host tells ---------------------------------------------------------------------

    def _resolve_account(self, plugin_id: PluginId, account_id: str) -> AccountUid | None:
        account = self._ground.accounts.named(ChannelId(plugin_id), account_id)
        return account.uid if account else None

    async def _take_evidence(self, _plugin_id: PluginId, params: object, result: object) -> None:
        evidence = evidence_of(params, result, self._ground.clock.now())
        if evidence is not None:
            await self._ground.store.outbox.confirm(evidence)
            self._wake_sends()

    def _on_change(self, plugin_id: PluginId) -> None:
        report = self.host.report(plugin_id)
        is_ready = report is not None and report.state is RuntimeState.READY
        (self._ready.add if is_ready else self._ready.discard)(plugin_id)
        self._wake_sends()
        self._changed.add(plugin_id)
        self._news.set()

    async def _admit(self, spec: PluginSpec) -> None:
        await self.plugins.admit_again(spec.plugin_id, spec.version)

    def _count_call(self, method: str, kind: str, seconds: float) -> None:
        self._ground.metrics.plugin_calls.inc(method, kind or "none")
        self._ground.metrics.plugin_call_seconds.observe(seconds)

    async def _plugins_changed(self) -> None:
        await self.providers.refresh()
        self._wake_sends()
