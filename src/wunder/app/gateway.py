"""The gateway: its sides, built one upon the other, and the one TaskGroup in which they run."""

import asyncio

from wunder import __version__
from wunder.accounts.book import AccountBook, BindingBook
from wunder.accounts.keyring import Keyring
from wunder.api.listener import Listener
from wunder.api.parts import ApiParts
from wunder.api.server import FrontDoor, build_app
from wunder.app.channels import Channels
from wunder.app.console import ConsoleSide, api_policy, outside_sign_in
from wunder.app.desks import Desks
from wunder.app.ground import Ground
from wunder.app.news import POLL_S, NewsDesk
from wunder.app.rooms import Rooms
from wunder.app.stores import Store, listen
from wunder.attachments.fetching import Whereabouts
from wunder.attachments.files import BlobFiles
from wunder.attachments.library import Library
from wunder.attachments.room import AttachmentRoom
from wunder.chat.room import ChatRoom
from wunder.config import Config
from wunder.egress.client import EgressPolicy, GuardedClient
from wunder.observe import logs
from wunder.observe.metrics import Metrics
from wunder.ports import Clock
from wunder.upkeep.doors import Doors
from wunder.upkeep.nodes import Members
from wunder.upkeep.room import Around, Upkeep, UpkeepPolicy

log = logs.get_logger(__name__)


class Gateway:
    """Every side, built and wired; `load` reads what the store holds, `run` sets it to work."""

    def __init__(self, config: Config, store: Store, keyring: Keyring, clock: Clock) -> None:
        self.config = config
        self.store = store
        self.is_draining = False
        self.own_url = config.server.public_url.rstrip("/")
        self.members = Members(store.nodes, store.life, clock, __version__)
        self.ground = ground = Ground(
            config,
            store,
            keyring,
            clock,
            Metrics(),
            AccountBook(store.accounts, keyring),
            BindingBook(store.bindings),
            GuardedClient(EgressPolicy(allow_hosts=config.egress.allow_hosts)),
        )
        outside = outside_sign_in(config, ground.http, clock, lambda: self.own_url)
        self.console = ConsoleSide(store, ground.accounts, ground.metrics, clock, config, outside)
        noticed = self.console.noticed
        self.attachments = self._attachment_room()
        self.channels = Channels(ground, self.attachments, noticed, self._wake_sends)
        providers = self.channels.providers
        self.attachments.watch(Whereabouts(ground.accounts, providers, store.events))
        self.desks = Desks(ground, providers, noticed, self._wake_sends)
        self.upkeep = self._upkeep()
        self.rooms = Rooms(
            ground, self.channels, self.desks.agents, self.attachments, self.upkeep.gate
        )
        whose, files = (ground.accounts, providers), self.attachments.desk.view
        self.chat = ChatRoom(whose, store.chat, files, keyring.chat_key(), clock, config.chat)
        self.app = self._build_app()
        self.news = self._news_desk()
        listen(store, self.news.hear, self.rooms.worker.expect_suspects)

    def _attachment_room(self) -> AttachmentRoom:
        store, config = self.store, self.config
        library = Library(
            BlobFiles(config.data_dir),
            store.shelf if store.shelf.is_shared else None,
            config.attachments.free_floor_bytes,
        )
        return AttachmentRoom(
            store.attachments,
            library,
            self.ground.keyring.link_key(),
            lambda: self.own_url,
            self.ground.clock,
            config.attachments,
        )

    def _upkeep(self) -> Upkeep:
        store, config, ground = self.store, self.config, self.ground
        doors = Doors(store.events, ground.clock, self._wake, store.health.figures)
        around = Around(ground.accounts.__len__, store.intake, ground.keyring)
        policy = UpkeepPolicy(config.jobs, config.admission, config.retention)
        return Upkeep(store.upkeep, doors, around, policy)

    def _news_desk(self) -> NewsDesk:
        reloads = {
            "plugins": self.channels.hear,
            "schema": self.members.look_at_schema,
            "accounts": self.ground.accounts.reload,
            "bindings": self.ground.bindings.reload,
            "agents": self.desks.agents.reload,
            "tokens": self.desks.tokens.reload,
            "replies": self.rooms.agents.look_for_replies,
        }
        return NewsDesk(self._wake, reloads, self.ground.clock)

    def _build_app(self) -> FrontDoor:
        store, desks, rooms = self.store, self.desks, self.rooms
        self.ground.metrics.watch(admission=self.upkeep.gate.figures)
        return build_app(
            ApiParts(
                webhooks=rooms.webhooks,
                chat=self.chat,
                plugins=self.channels.plugins,
                accounts=desks.accounts,
                bindings=desks.bindings,
                agents=desks.agents,
                tokens=desks.tokens,
                **self.console.parts(
                    desks.accounts, desks.bindings, desks.agents, rooms.slots.parked
                ),
                sends=rooms.sends,
                attachments=self.attachments.desk,
                ledger=store.ledger,
                outbox=store.outbox_desk,
                turns=store.turns,
                events=store.events,
                store=store.health,
                providers=self.channels.providers,
                plugin_host=self.channels.host,
                answers=rooms.agents,
                upkeep=self.upkeep,
                members=self.members,
                clock=self.ground.clock,
                metrics=self.ground.metrics,
                data_dir=self.config.data_dir,
                version=__version__,
                is_draining=lambda: self.is_draining,
                is_key_open=lambda: True,
                wake=self._wake,
                policy=api_policy(self.config),
            )
        )

    # Sides that stand below the rooms wake them; the rooms are there before anything runs.

    def _wake(self) -> None:
        self.rooms.wake()

    def _wake_sends(self) -> None:
        self.rooms.dispatcher.wake()

    # --- life ----------------------------------------------------------------------------------

    async def load(self) -> None:
        """Read what the store holds; give a new one its first agent."""
        await self.channels.providers.refresh()
        await self.ground.accounts.reload()
        await self.ground.bindings.reload()
        await self.desks.load()

    async def close(self) -> None:
        """Close the connections of channels and agents that run in this process."""
        await self.channels.providers.close()
        await self.ground.http.close()

    async def run(self, server: Listener, stop: asyncio.Event) -> None:
        """Serve until `stop` is set; then let running turns and sends end, and stop the plugins."""
        async with asyncio.TaskGroup() as tg:
            parts = {
                "store": self.store.run(),
                "plugin host": self.channels.host.run(),
                "plugin desk": self.channels.plugins.run(),
                "plugin states": self.channels.note_states(),
                "dispatcher": self.rooms.dispatcher.run(),
                "stage": self.rooms.stage.run(),
                "worker": self.rooms.worker.run(),
                "spool": self.rooms.spool.run(),
                "attachments": self.attachments.run(),
                "upkeep": self.upkeep.run(),
                "drafts": self.desks.drafts.run(),
                "chat page": self.chat.feed.run(),
                "news of other nodes": self.news.run(),
                **self.console.long_lived(),
            }
            if self.store.shelf.is_shared:
                parts["slow poll"] = self.news.poll(POLL_S)
            tasks = [tg.create_task(part, name=name) for name, part in parts.items()]
            closing = asyncio.Event()
            serving = tg.create_task(server.serve_until(closing), name="listener")
            starting = tg.create_task(self.channels.plugins.start_all(), name="start plugins")
            await stop.wait()
            log.info("gateway_stopping")
            self.is_draining = True
            await self.members.say("draining")
            starting.cancel()
            # A balancer that asks /readyz learns it before it meets a closed port.
            await self.ground.clock.sleep(self.config.server.notice_s)
            self.console.hub.close()
            closing.set()
            await serving
            await self.rooms.worker.drain(self.config.gateway.stop_grace_s)
            await self.rooms.dispatcher.drain(self.config.gateway.stop_grace_s)
            for task in reversed(tasks):
                task.cancel()
