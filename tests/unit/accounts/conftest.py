"""A real store, a keyring and the desks over them; only the provider is a stand-in."""

from dataclasses import dataclass
from typing import Any

import pytest

from tests.fakes.channel_provider import FakeChannelProvider
from tests.fakes.clock import FakeClock
from tests.fakes.providers import FakeProviders
from tests.store_template import lay_out
from wunder.accounts.agents import AgentDesk, AgentParts
from wunder.accounts.bindings import BindingDesk, BindingParts
from wunder.accounts.book import AccountBook, BindingBook
from wunder.accounts.desk import AccountDesk, AccountParts
from wunder.accounts.judge import ConfigJudge, JudgePolicy
from wunder.accounts.keyring import Keyring
from wunder.accounts.schema_check import SchemaCheck
from wunder.conversation.routing import route
from wunder.errors import ProviderFault
from wunder.model.fault import Fault, FaultKind
from wunder.model.provider import ConfigFault, ConfigVerdict
from wunder.model.trail import Event
from wunder.ports import Page
from wunder.store.sqlite.store import SqliteStore, open_store

SCHEMA = {
    "type": "object",
    "required": ["app_id", "app_secret"],
    "properties": {
        "app_id": {"type": "string", "minLength": 2},
        "app_secret": {"type": "string", "minLength": 2, "writeOnly": True},
        "host": {"type": "string", "format": "uri", "default": "https://platform.example"},
    },
    "additionalProperties": False,
}


class OpinionatedProvider(FakeChannelProvider):
    """A provider that a test gives an opinion about configurations, or none."""

    def __init__(self, channel: str = "chat", **changes: Any) -> None:
        super().__init__(
            channel, **{"account_schema": SCHEMA, "lookup_config": "app_id", **changes}
        )
        self.asked: list[tuple[str, dict[str, Any], dict[str, Any]]] = []
        self.verdict = ConfigVerdict(is_ok=True)
        self.fault: FaultKind | None = None
        self.words = "no"

    def refuse(self, path: str, message: str) -> None:
        self.verdict = ConfigVerdict(False, (ConfigFault(path, "wrong", message),))

    async def validate_account_config(self, account, mode) -> ConfigVerdict:
        self.asked.append((mode, account.row.config.provider_config, account.secrets))
        await self.hang.wait()
        if self.fault is not None:
            raise ProviderFault(Fault(self.fault, self.words))
        return self.verdict


class Recorder:
    """The event log of a test."""

    def __init__(self) -> None:
        self.seen: list[Event] = []

    def record(self, event: Event) -> None:
        self.seen.append(event)

    async def events(
        self, plugin_id: str, account_uid: str, limit: int, cursor: str
    ) -> Page[Event]:
        return Page(tuple(reversed(self.seen[-limit:])))

    def names(self) -> list[str]:
        return [event.name for event in self.seen]


@dataclass
class World:
    store: SqliteStore
    clock: FakeClock
    keyring: Keyring
    provider: OpinionatedProvider
    providers: FakeProviders
    events: Recorder
    book: AccountBook
    binding_book: BindingBook
    accounts: AccountDesk
    bindings: BindingDesk
    agents: AgentDesk


@pytest.fixture
async def world(tmp_path):
    clock = FakeClock()
    store = await open_store(lay_out(tmp_path / "data"), clock)
    keyring, provider, events = Keyring(bytes(32)), OpinionatedProvider(), Recorder()
    providers = FakeProviders(provider)
    schemas = SchemaCheck()
    book, binding_book = AccountBook(store.accounts, keyring), BindingBook(store.bindings)
    accounts = AccountDesk(
        AccountParts(
            accounts=store.accounts,
            bindings=store.bindings,
            outbox=store.outbox_desk,
            judge=ConfigJudge(providers, schemas, JudgePolicy(static_s=0.2, live_s=0.2)),
            sealer=keyring,
            hmac8=keyring.hmac8,
            events=events,
            clock=clock,
            on_change=book.reload,
        )
    )
    bindings = BindingDesk(
        BindingParts(
            bindings=store.bindings,
            accounts=store.accounts,
            agents=store.agents,
            route=route,
            events=events,
            clock=clock,
            on_change=binding_book.reload,
        )
    )
    agents = AgentDesk(
        AgentParts(
            agents=store.agents,
            schemas=schemas,
            sealer=keyring,
            hmac8=keyring.hmac8,
            events=events,
            clock=clock,
        )
    )
    yield World(
        store,
        clock,
        keyring,
        provider,
        providers,
        events,
        book,
        binding_book,
        accounts,
        bindings,
        agents,
    )
    await store.close()
