"""The whole gateway in this process behind a real socket: real store, rooms and desks, a fake platform."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from tests.fakes.channel_provider import FakeChannelProvider
from tests.fakes.plugin_host import FakePluginHost
from tests.fakes.providers import FakeProviders
from tests.fakes.sealer import FakeSealer
from wunder.accounts.agents import AgentDesk, AgentDraft, AgentParts
from wunder.accounts.bindings import BindingDesk, BindingParts
from wunder.accounts.book import AccountBook, BindingBook
from wunder.accounts.desk import AccountDesk, AccountParts
from wunder.accounts.judge import ConfigJudge
from wunder.accounts.schema_check import SchemaCheck
from wunder.accounts.setup_token import SetupToken
from wunder.accounts.tokens import TokenDesk
from wunder.agents.catalog import AgentCatalog
from wunder.api.listener import listener
from wunder.api.parts import ApiParts, ApiPolicy
from wunder.api.server import build_app
from wunder.conversation.routing import route
from wunder.conversation.turn import Directory as TurnDirectory
from wunder.conversation.turn import TurnPolicy, TurnRunner
from wunder.conversation.worker import Worker, WorkerPolicy
from wunder.egress.client import EgressPolicy, GuardedClient
from wunder.inbound.intake import IntakeDesk
from wunder.inbound.spool import Spool, SpoolPolicy
from wunder.inbound.webhook import Directory as WebhookDirectory
from wunder.inbound.webhook import Webhooks
from wunder.observe.clock import SystemClock
from wunder.observe.metrics import Metrics
from wunder.outbound.attempt import Attempt
from wunder.outbound.dispatcher import Dispatcher, DispatcherPolicy
from wunder.outbound.outcome import OutcomeReporter
from wunder.outbound.parking import ParkingPolicy
from wunder.outbound.queue import SendDesk
from wunder.outbound.retry import RetryPolicy
from wunder.outbound.slots import SlotPolicy, Slots
from wunder.plugins.desk import PluginDesk
from wunder.plugins.doors import DeskDoors
from wunder.plugins.policy import PluginPolicy
from wunder.store.sqlite.store import SqliteStore, open_store

SCHEMA = {
    "type": "object",
    "properties": {
        "app_id": {"type": "string"},
        "app_secret": {"type": "string", "writeOnly": True},
        "address": {"type": "string", "format": "uri"},
    },
    "required": ["app_id"],
    "additionalProperties": False,
}


class Wiring:
    """Every part of a gateway, as app.py wires it, on fakes at the two ends."""

    def __init__(self, data_dir: Path, store: SqliteStore, platform: FakeChannelProvider) -> None:
        self.store, self.data_dir, self.platform = store, data_dir, platform
        self.clock, self.sealer, self.metrics = SystemClock(), FakeSealer(), Metrics()
        self.providers, self.host = FakeProviders(platform), FakePluginHost()
        self.accounts = AccountBook(store.accounts, self.sealer)
        self.bindings = BindingBook(store.bindings)
        self._wire_desks()
        self._wire_rooms()

    def _wire_desks(self) -> None:
        store, schemas, seen = self.store, SchemaCheck(), {"events": self.store.events}
        told: dict[str, Any] = {**seen, "clock": self.clock}
        sealed: dict[str, Any] = {"sealer": self.sealer, "hmac8": lambda text: "hmac8", **told}
        self.agent_desk = AgentDesk(AgentParts(agents=store.agents, schemas=schemas, **sealed))
        self.account_desk = AccountDesk(
            AccountParts(
                accounts=store.accounts,
                bindings=store.bindings,
                outbox=store.outbox_desk,
                judge=ConfigJudge(self.providers, schemas),
                on_change=self.accounts.reload,
                **sealed,
            )
        )
        self.binding_desk = BindingDesk(
            BindingParts(
                bindings=store.bindings,
                accounts=store.accounts,
                agents=store.agents,
                route=route,
                on_change=self.bindings.reload,
                **told,
            )
        )
        self.tokens = TokenDesk(store.tokens, SetupToken(self.data_dir), store.events, self.clock)
        doors = DeskDoors(
            plugins=store.plugins,
            host=self.host,
            accounts=store.accounts,
            bindings=store.bindings,
            builtin_serves=lambda channel: "chat" if channel == "chat" else None,
            on_change=self._nothing,
            **told,
        )
        self.plugins = PluginDesk(doors, PluginPolicy(self.data_dir))

    async def _nothing(self) -> None:
        return None

    def _wire_rooms(self) -> None:
        store, clock, retry = self.store, self.clock, RetryPolicy(base_s=0.01, cap_s=0.02)
        self.http = GuardedClient(EgressPolicy())
        desk = self.agent_desk
        self.agents = AgentCatalog(desk.spec, desk.default_id, self.http, clock)
        slots = Slots(self.accounts, self.providers, clock, SlotPolicy(), ParkingPolicy())
        attempt = Attempt(self.accounts, self.providers, clock, retry, random.Random(7))
        reporter = OutcomeReporter(self.accounts, slots, store.events, self.metrics, retry)
        self.dispatcher = Dispatcher(
            store.outbox, attempt, slots, reporter, clock, DispatcherPolicy()
        )
        directory = TurnDirectory(self.accounts, self.bindings, self.agents, self.providers)
        runner = TurnRunner(store.turns, directory, clock, self.metrics, TurnPolicy())
        self.worker = Worker(
            store.turns, runner, self.dispatcher, clock, self.metrics, WorkerPolicy()
        )
        intake = IntakeDesk(store.intake, self.worker, clock, self.metrics)
        spool = Spool(store.intake, self.sealer, clock, store.events, SpoolPolicy())
        who = WebhookDirectory(self.accounts, self.providers)
        self.webhooks = Webhooks(who, intake, spool, store.events, self.metrics)
        self.sends = SendDesk(store.outbox, self.accounts, self.dispatcher, clock)

    def parts(self) -> ApiParts:
        """What the API stands on."""
        return ApiParts(
            webhooks=self.webhooks,
            plugins=self.plugins,
            accounts=self.account_desk,
            bindings=self.binding_desk,
            agents=self.agent_desk,
            tokens=self.tokens,
            sends=self.sends,
            ledger=self.store.ledger,
            outbox=self.store.outbox_desk,
            turns=self.store.turns,
            events=self.store.events,
            store=self.store.health,
            providers=self.providers,
            plugin_host=self.host,
            answers=self.agents,
            clock=self.clock,
            metrics=self.metrics,
            data_dir=self.data_dir,
            version="0.1.0",
            is_draining=lambda: False,
            is_key_open=lambda: True,
            wake=self._wake,
            policy=ApiPolicy(),
        )

    def _wake(self) -> None:
        self.worker.wake()
        self.dispatcher.wake()

    async def load(self) -> None:
        """Read what the store holds, and make the first agent."""
        for part in (self.accounts, self.bindings, self.agent_desk, self.tokens):
            await part.reload()
        if self.agent_desk.default_id() is None:
            await self.agent_desk.put(AgentDraft(agent_id="echo", kind="echo"), None, "test")


@dataclass
class HttpGateway:
    """What a test holds in its hands."""

    wired: Wiring
    http: aiohttp.ClientSession
    token: str = ""
    statuses: list[int] = field(default_factory=list)

    @property
    def platform(self) -> FakeChannelProvider:
        """The platform at the end of the line."""
        return self.wired.platform

    async def call(
        self, method: str, path: str, body: Any = None, token: str | None = None, **headers: str
    ) -> tuple[int, Any]:
        """One call under /wunder/admin; status and what was answered."""
        token = self.token if token is None else token
        sent = {"Authorization": f"Bearer {token}"} if token else {}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        url = f"/wunder/admin/{path}"
        async with self.http.request(method, url, json=body, headers=sent) as answer:
            text = await answer.text()
            return answer.status, await answer.json(content_type=None) if text else None

    async def upload(self, package: bytes, query: str = "") -> tuple[int, Any]:
        """Upload a plugin package."""
        form = aiohttp.FormData()
        form.add_field("file", package, filename="plugin.zip")
        sent = {"Authorization": f"Bearer {self.token}"}
        url = f"/wunder/admin/channel_plugins/upload{query}"
        async with self.http.post(url, data=form, headers=sent) as answer:
            return answer.status, await answer.json(content_type=None)

    async def webhook(self, *items: dict[str, Any], account: str = "main") -> int:
        """Deliver messages as the platform does."""
        url = f"/wunder/channel/chat/{account}/webhook"
        async with self.http.post(url, json=list(items)) as answer:
            await answer.read()
            return answer.status

    async def until(self, path: str, **wanted: Any) -> list[dict[str, Any]]:
        """Ask a list until its newest item has these fields; pytest's timeout bounds it."""
        while True:
            _, page = await self.call("GET", path)
            items: list[dict[str, Any]] = page["items"]
            if items and all(items[0][name] == value for name, value in wanted.items()):
                return items
            await asyncio.sleep(0.005)


@asynccontextmanager
async def http_gateway(data_dir: Path, **channel: Any) -> AsyncIterator[HttpGateway]:
    """Open a gateway on `data_dir` with a token of every scope."""
    platform = FakeChannelProvider("chat", **{"account_schema": SCHEMA} | channel)
    store = await open_store(data_dir, SystemClock())
    wired = Wiring(data_dir, store, platform)
    await wired.load()
    setup = await wired.tokens.offer_setup()
    stop = asyncio.Event()
    server = listener(build_app(wired.parts()), "127.0.0.1", 0, ApiPolicy())
    try:
        async with asyncio.TaskGroup() as group:
            rooms = [wired.dispatcher.run(), wired.worker.run(), store.run()]
            tasks = [group.create_task(room) for room in rooms]
            serving = group.create_task(server.serve_until(stop))
            async with aiohttp.ClientSession(f"http://127.0.0.1:{server.port}") as http:
                gateway = HttpGateway(wired, http)
                if setup:
                    first = {"token": SetupToken(data_dir).read(), "name": "first"}
                    _, issued = await gateway.call("POST", "setup", first)
                    gateway.token = issued["token"]
                yield gateway
            stop.set()
            await serving
            for task in tasks:
                task.cancel()
    finally:
        await wired.http.close()
        await store.close()
