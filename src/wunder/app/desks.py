"""The administrators' desks: accounts, bindings, agents, tokens."""

from collections.abc import Callable

from wunder.accounts.agents import AgentDesk, AgentDraft, AgentParts
from wunder.accounts.bindings import BindingDesk, BindingParts
from wunder.accounts.desk import AccountDesk, AccountParts
from wunder.accounts.judge import ConfigJudge
from wunder.accounts.returning import Drafts
from wunder.accounts.schema_check import SchemaCheck
from wunder.accounts.setup_token import SetupToken
from wunder.accounts.tokens import TokenDesk
from wunder.app.ground import Ground
from wunder.conversation.routing import route
from wunder.ports import EventLog
from wunder.providers.registry import ProviderRegistry


class Desks:
    """Each writes its table and has what runs read it again; `noticed` hears of every change."""

    def __init__(
        self,
        ground: Ground,
        providers: ProviderRegistry,
        noticed: EventLog,
        wake_sends: Callable[[], None],
    ) -> None:
        self._ground = ground
        self._wake_sends = wake_sends
        store, keyring, clock, schemas = ground.store, ground.keyring, ground.clock, SchemaCheck()
        self.accounts = AccountDesk(
            AccountParts(
                accounts=store.accounts,
                bindings=store.bindings,
                outbox=store.outbox_desk,
                judge=ConfigJudge(providers, schemas),
                sealer=keyring,
                hmac8=keyring.hmac8,
                events=noticed,
                clock=clock,
                on_change=self._accounts_changed,
                public_url=ground.config.server.public_url.rstrip("/"),
            )
        )
        self.drafts = Drafts(self.accounts, ground.accounts, providers, store.events, clock)
        self.bindings = BindingDesk(
            BindingParts(
                bindings=store.bindings,
                accounts=store.accounts,
                agents=store.agents,
                route=route,
                events=noticed,
                clock=clock,
                on_change=ground.bindings.reload,
            )
        )
        self.agents = AgentDesk(
            AgentParts(
                agents=store.agents,
                schemas=schemas,
                sealer=keyring,
                hmac8=keyring.hmac8,
                events=noticed,
                clock=clock,
            )
        )
        setup = SetupToken(ground.config.data_dir)
        self.tokens = TokenDesk(store.tokens, setup, noticed, clock)

    async def load(self) -> None:
        """Read agents and tokens; give a new store its first agent."""
        await self.agents.reload()
        await self.tokens.reload()
        if self.agents.default_id() is None:
            first = AgentDraft(agent_id="echo", kind="echo", is_default=True)
            await self.agents.put(first, None, "setup")

    async def _accounts_changed(self) -> None:
        await self._ground.accounts.reload()
        await self._ground.bindings.reload()  # an account takes its bindings with it
        self._wake_sends()
