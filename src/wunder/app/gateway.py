"""The gateway: every part built and wired, and the one TaskGroup in which they run."""

import asyncio
import random
from importlib.resources import files

from wunder import __version__
from wunder.accounts.agents import AgentDesk, AgentDraft, AgentParts
from wunder.accounts.bindings import BindingDesk, BindingParts
from wunder.accounts.book import AccountBook, BindingBook
from wunder.accounts.desk import AccountDesk, AccountParts
from wunder.accounts.judge import ConfigJudge
from wunder.accounts.keyring import Keyring
from wunder.accounts.returning import Drafts
from wunder.accounts.schema_check import SchemaCheck
from wunder.accounts.setup_token import SetupToken
from wunder.accounts.tokens import TokenDesk
from wunder.agents.catalog import AgentCatalog
from wunder.agents.later import LaterReplies
from wunder.api.asgi import App
from wunder.api.listener import Listener
from wunder.api.parts import ApiParts
from wunder.api.server import build_app
from wunder.app.console import ConsoleSide, api_policy, outside_sign_in
from wunder.app.news import POLL_S, NewsDesk
from wunder.app.senders import SendersHere
from wunder.app.stores import Store, has_peers, holds_of, listen
from wunder.attachments.fetching import Whereabouts
from wunder.attachments.files import BlobFiles
from wunder.attachments.library import Library
from wunder.attachments.room import AttachmentRoom
from wunder.chat.room import ChatRoom
from wunder.config import Config
from wunder.conversation.routing import route
from wunder.conversation.turn import Directory as TurnDirectory
from wunder.conversation.turn import TurnRunner
from wunder.conversation.worker import Beside, Worker
from wunder.egress.client import EgressPolicy, GuardedClient
from wunder.errors import WunderError
from wunder.inbound.inline import InlineDesk
from wunder.inbound.intake import IntakeDesk
from wunder.inbound.spool import Spool, SpoolWorker
from wunder.inbound.webhook import Directory as WebhookDirectory
from wunder.inbound.webhook import WaitingRooms, Webhooks
from wunder.model.ids import AccountUid, ChannelId, PluginId, new_id
from wunder.model.runtime import PluginSpec, RuntimeState
from wunder.observe import logs
from wunder.observe.metrics import Metrics
from wunder.outbound.attempt import Attempt
from wunder.outbound.dispatcher import Dispatcher
from wunder.outbound.outcome import OutcomeReporter
from wunder.outbound.queue import SendDesk
from wunder.outbound.slots import Slots
from wunder.plugins.desk import PluginDesk
from wunder.plugins.doors import DeskDoors
from wunder.plugins.host_answers import HostAnswers
from wunder.plugins.installed_schema import schema_reader
from wunder.plugins.policy import PluginPolicy
from wunder.ports import Clock
from wunder.providers.adapter import Surroundings
from wunder.providers.builtin import CallLimits, bundled_ids
from wunder.providers.late import evidence_of
from wunder.providers.registry import ProviderRegistry
from wunder.runtime.host import HostDoors, ProcessHost
from wunder.streaming.stage import Stage
from wunder.upkeep.doors import Doors
from wunder.upkeep.nodes import Members
from wunder.upkeep.room import Around, Upkeep, UpkeepPolicy

log = logs.get_logger(__name__)


class Gateway:
    """Every part, built and wired; `load` reads what the store holds, `run` sets it to work."""

    def __init__(self, config: Config, store: Store, keyring: Keyring, clock: Clock) -> None:
        self.config = config
        self.store = store
        self.clock = clock
        self.is_draining = False
        self.metrics = Metrics()
        self.members = Members(store.nodes, store.life, clock, __version__)
        self._ready: set[PluginId] = set()  # plugins that take calls on this node
        self._changed: set[PluginId] = set()
        self._news = asyncio.Event()
        self.accounts = AccountBook(store.accounts, keyring)
        self.bindings = BindingBook(store.bindings)
        self.http = GuardedClient(EgressPolicy(allow_hosts=config.egress.allow_hosts))
        outside = outside_sign_in(config, self.http, clock, lambda: self.own_url)
        self.console = ConsoleSide(store, self.accounts, self.metrics, clock, config, outside)
        self.own_url = config.server.public_url.rstrip("/")
        self.attachments = AttachmentRoom(
            store.attachments,
            Library(
                BlobFiles(config.data_dir),
                store.shelf if store.shelf.is_shared else None,
                config.attachments.free_floor_bytes,
            ),
            keyring.link_key(),
            lambda: self.own_url,
            clock,
            config.attachments,
        )
        self.host = ProcessHost(config.runtime, self._host_doors())
        self._wire_channels()
        self._wire_desks(keyring)
        self._wire_rooms(keyring)
        self.app = self._build_app()
        self.news = NewsDesk(
            self._wake,
            {
                "plugins": self._hear_of_plugins,
                "schema": self.members.look_at_schema,
                "accounts": self.accounts.reload,
                "bindings": self.bindings.reload,
                "agents": self.agent_desk.reload,
                "tokens": self.tokens.reload,
                "replies": self.agents.look_for_replies,
            },
            clock,
        )
        listen(store, self.news.hear, self.worker.expect_suspects)

    # --- wiring --------------------------------------------------------------------------------

    def _host_doors(self) -> HostDoors:
        return HostDoors(
            clock=self.clock,
            events=self.store.events,
            history=self.store.history,
            boot_path=str(files("wunder_sdk") / "boot.py"),
            answer=HostAnswers(
                self.store.history, self.attachments.blobs, self._resolve_account
            ).answer,
            on_late_success=self._take_evidence,
            on_change=self._on_plugin_change,
            on_called=self._count_call,
            admit=self._admit,
            gateway_version=__version__,
            instance_id=new_id(),
        )

    def _wire_channels(self) -> None:
        config, store = self.config, self.store
        surroundings = Surroundings(
            self.clock, store.events, self.attachments.blobs, config.gateway.max_message_bytes
        )
        schemas = schema_reader(config.data_dir)
        self.providers = ProviderRegistry(store.plugins, self.host, surroundings, schemas)
        self.providers.bundle(store.history, self.http, CallLimits())
        self.attachments.watch(Whereabouts(self.accounts, self.providers, store.events))
        doors = DeskDoors(
            plugins=store.plugins,
            host=self.host,
            accounts=store.accounts,
            bindings=store.bindings,
            events=self.console.noticed,
            clock=self.clock,
            builtin_serves=self.providers.builtin_serving,
            on_change=self._plugins_changed,
            shelf=store.shelf,
            on_nodes=store.nodes,
        )
        policy = PluginPolicy(
            data_dir=config.data_dir,
            signature=config.plugins.signature,
            builtin_ids=bundled_ids(),
            message_bytes=config.gateway.max_message_bytes,
            parallel_starts=config.plugins.parallel_starts,
        )
        self.plugins = PluginDesk(doors, policy)

    def _wire_desks(self, keyring: Keyring) -> None:
        store, schemas = self.store, SchemaCheck()
        self.account_desk = AccountDesk(
            AccountParts(
                accounts=store.accounts,
                bindings=store.bindings,
                outbox=store.outbox_desk,
                judge=ConfigJudge(self.providers, schemas),
                sealer=keyring,
                hmac8=keyring.hmac8,
                events=self.console.noticed,
                clock=self.clock,
                on_change=self._accounts_changed,
                public_url=self.config.server.public_url.rstrip("/"),
            )
        )
        self.drafts = Drafts(
            self.account_desk, self.accounts, self.providers, store.events, self.clock
        )
        self.binding_desk = BindingDesk(
            BindingParts(
                bindings=store.bindings,
                accounts=store.accounts,
                agents=store.agents,
                route=route,
                events=self.console.noticed,
                clock=self.clock,
                on_change=self.bindings.reload,
            )
        )
        self.agent_desk = AgentDesk(
            AgentParts(
                agents=store.agents,
                schemas=schemas,
                sealer=keyring,
                hmac8=keyring.hmac8,
                events=self.console.noticed,
                clock=self.clock,
            )
        )
        setup = SetupToken(self.config.data_dir)
        self.tokens = TokenDesk(store.tokens, setup, self.console.noticed, self.clock)

    def _wire_rooms(self, keyring: Keyring) -> None:
        config, store, clock = self.config, self.store, self.clock
        figures = self.metrics
        media = self.attachments.media
        doors = Doors(store.events, clock, self._wake, store.health.figures)
        policy = UpkeepPolicy(config.jobs, config.admission, config.retention)
        around = Around(self.accounts.__len__, store.intake, keyring)
        self.upkeep = Upkeep(store.upkeep, doors, around, policy)
        later = LaterReplies(store.upkeep.later)
        self.agents = AgentCatalog(self.agent_desk, self.http, clock, media, later)
        senders = SendersHere(self.providers, self._ready.__contains__, lambda: has_peers(store))
        self.slots = slots = Slots(self.accounts, senders, clock, config.slots, config.parking)
        dice, holds = random.SystemRandom(), holds_of(store)
        attempt = Attempt(self.accounts, self.providers, clock, config.retry, dice, holds)
        reporter = OutcomeReporter(self.accounts, slots, store.events, figures, config.retry)
        self.dispatcher = Dispatcher(
            store.outbox, attempt, slots, reporter, clock, config.dispatcher
        )
        self.stage = Stage(
            store.streams, self.accounts, self.providers, self.dispatcher, clock, config.streaming
        )
        directory = TurnDirectory(
            self.accounts, self.bindings, self.agents, self.providers, media, self.stage
        )
        runner = TurnRunner(store.turns, directory, clock, figures, config.turn)
        inline = InlineDesk(store.outbox, clock, config.inline)
        beside = Beside(self.dispatcher, inline)
        self.worker = Worker(store.turns, runner, beside, clock, figures, config.worker)
        desk = IntakeDesk(store.intake, self.worker, self.worker, clock, figures, config.pairing)
        spool = Spool(store.intake, keyring, clock, store.events, config.spool)
        who = WebhookDirectory(self.accounts, self.providers)
        limit = config.gateway.max_body_bytes
        rooms = WaitingRooms(self.upkeep.gate, spool, inline)
        self.webhooks = Webhooks(who, rooms, desk, store.events, figures, limit)
        self.spool = SpoolWorker(spool, desk, self.accounts, self.providers, self.upkeep.gate)
        self.sends = SendDesk(store.outbox, self.accounts, self.dispatcher, media, clock)
        whose, files = (self.accounts, self.providers), self.attachments.desk.view
        self.chat = ChatRoom(whose, store.chat, files, keyring.chat_key(), clock, config.chat)

    def _build_app(self) -> App:
        self.metrics.watch(admission=self.upkeep.gate.figures)
        return build_app(
            ApiParts(
                webhooks=self.webhooks,
                chat=self.chat,
                plugins=self.plugins,
                accounts=self.account_desk,
                bindings=self.binding_desk,
                agents=self.agent_desk,
                tokens=self.tokens,
                **self.console.parts(
                    self.account_desk, self.binding_desk, self.agent_desk, self.slots.parked
                ),
                sends=self.sends,
                attachments=self.attachments.desk,
                ledger=self.store.ledger,
                outbox=self.store.outbox_desk,
                turns=self.store.turns,
                events=self.store.events,
                store=self.store.health,
                providers=self.providers,
                plugin_host=self.host,
                answers=self.agents,
                upkeep=self.upkeep,
                members=self.members,
                clock=self.clock,
                metrics=self.metrics,
                data_dir=self.config.data_dir,
                version=__version__,
                is_draining=lambda: self.is_draining,
                is_key_open=lambda: True,
                wake=self._wake,
                policy=api_policy(self.config),
            )
        )

    # --- what one part tells another -------------------------------------------------------------

    def _resolve_account(self, plugin_id: PluginId, account_id: str) -> AccountUid | None:
        account = self.accounts.named(ChannelId(plugin_id), account_id)
        return account.uid if account else None

    async def _take_evidence(self, plugin_id: PluginId, params: object, result: object) -> None:
        evidence = evidence_of(params, result, self.clock.now())
        if evidence is not None:
            await self.store.outbox.confirm(evidence)
            self.dispatcher.wake()

    def _on_plugin_change(self, plugin_id: PluginId) -> None:
        report = self.host.report(plugin_id)
        is_ready = report is not None and report.state is RuntimeState.READY
        (self._ready.add if is_ready else self._ready.discard)(plugin_id)
        self.dispatcher.wake()
        self._changed.add(plugin_id)
        self._news.set()

    async def _note_plugin_changes(self) -> None:
        """Take down in the table what became of processes: broken for good, or running again."""
        while True:
            await self._news.wait()
            self._news.clear()
            while self._changed:
                plugin_id = self._changed.pop()
                try:
                    await self.plugins.note_runtime(plugin_id)
                except WunderError as error:
                    log.warning("plugin_state_not_noted", plugin_id=plugin_id, reason=error.code)

    async def _admit(self, spec: PluginSpec) -> None:
        await self.plugins.admit_again(spec.plugin_id, spec.version)

    def _count_call(self, method: str, kind: str, seconds: float) -> None:
        self.metrics.plugin_calls.inc(method, kind or "none")
        self.metrics.plugin_call_seconds.observe(seconds)

    def _wake(self) -> None:
        self.worker.wake()
        self.dispatcher.wake()

    async def _plugins_changed(self) -> None:
        await self.providers.refresh()
        self.dispatcher.wake()

    async def _hear_of_plugins(self) -> None:
        # Starting a process takes seconds: other news does not wait for it.
        self.plugins.heard()

    async def _accounts_changed(self) -> None:
        await self.accounts.reload()
        await self.bindings.reload()  # an account takes its bindings with it
        self.dispatcher.wake()

    # --- life ----------------------------------------------------------------------------------

    async def load(self) -> None:
        """Read what the store holds; give a new one its first agent."""
        await self.providers.refresh()
        await self.accounts.reload()
        await self.bindings.reload()
        await self.agent_desk.reload()
        await self.tokens.reload()
        if self.agent_desk.default_id() is None:
            first = AgentDraft(agent_id="echo", kind="echo", is_default=True)
            await self.agent_desk.put(first, None, "setup")

    async def close(self) -> None:
        """Close the connections of channels and agents that run in this process."""
        await self.providers.close()
        await self.http.close()

    async def run(self, server: Listener, stop: asyncio.Event) -> None:
        """Serve until `stop` is set; then let running turns and sends end, and stop the plugins."""
        async with asyncio.TaskGroup() as tg:
            parts = {
                "store": self.store.run(),
                "plugin host": self.host.run(),
                "plugin desk": self.plugins.run(),
                "plugin states": self._note_plugin_changes(),
                "dispatcher": self.dispatcher.run(),
                "stage": self.stage.run(),
                "worker": self.worker.run(),
                "spool": self.spool.run(),
                "attachments": self.attachments.run(),
                "upkeep": self.upkeep.run(),
                "drafts": self.drafts.run(),
                "chat page": self.chat.feed.run(),
                "news of other nodes": self.news.run(),
                **self.console.long_lived(),
            }
            if self.store.shelf.is_shared:
                parts["slow poll"] = self.news.poll(POLL_S)
            tasks = [tg.create_task(part, name=name) for name, part in parts.items()]
            serving = tg.create_task(server.serve_until(stop), name="listener")
            starting = tg.create_task(self.plugins.start_all(), name="start plugins")
            await stop.wait()
            log.info("gateway_stopping")
            self.is_draining = True
            await self.members.say("draining")
            starting.cancel()
            self.console.hub.close()
            await serving
            await self.worker.drain(self.config.gateway.stop_grace_s)
            await self.dispatcher.drain(self.config.gateway.stop_grace_s)
            for task in reversed(tasks):
                task.cancel()
