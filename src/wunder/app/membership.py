"""This node among the others: who it says it is, who else is there, and what it leaves to them."""

import asyncio
import platform
import sys
from collections.abc import Callable
from typing import Protocol

import msgspec

from wunder import __version__
from wunder.errors import StoreBroken, StoreUnavailable
from wunder.model.ids import ChannelId, PluginId
from wunder.model.node import Node, NodePlugin
from wunder.model.provider import ProviderFacts
from wunder.observe import logs
from wunder.plugins.launch import this_host
from wunder.ports import ChannelProvider, Clock, Providers
from wunder.store.nodes import SqlNodes
from wunder.store.schema import migrations

log = logs.get_logger(__name__)
#: How long a word of farewell may take: who leaves a database that is away is not missed there.
_FAREWELL_S = 2.0


class Life(Protocol):
    """This start of this node."""

    @property
    def epoch(self) -> int:
        """Which start of all."""


class NodeView(msgspec.Struct, frozen=True):
    """One node as people see it. `state` is `dead` where it neither lives nor took its leave."""

    node_id: str
    is_this: bool
    state: str
    epoch: int
    version: str
    schema_version: int
    host: str
    platform: str
    python: str
    url: str
    started_at: int
    seen_at: int
    stopped_at: int | None
    lease_until: int | None
    leases: tuple[str, ...]
    plugins: tuple[NodePlugin, ...]


class Membership:
    """Says in the table how this node is, and reads what the others say."""

    def __init__(self, table: SqlNodes, life: Life, clock: Clock) -> None:
        self._table = table
        self._life = life
        self._clock = clock
        self._started_at = clock.now()

    async def introduce(self, url: str) -> None:
        """Say who this node is, once it listens."""
        here = this_host()
        now = self._clock.now()
        await self._table.introduce(
            Node(
                node_id=self._table.node_id,
                epoch=self._life.epoch,
                state="serving",
                version=__version__,
                host=platform.node(),
                platform=here.name,
                python=".".join(map(str, sys.version_info[:3])),
                url=url,
                schema_version=migrations()[-1].number,
                started_at=self._started_at,
                seen_at=now,
            )
        )

    async def say(self, state: str) -> None:
        """Say that this node drains, or has stopped; a database that is away is not waited for."""
        try:
            async with asyncio.timeout(_FAREWELL_S):
                await self._table.say(state, self._life.epoch, self._clock.now())
        except (StoreUnavailable, StoreBroken, TimeoutError) as error:
            log.warning("node_state_not_said", state=state, why=type(error).__name__)

    async def nodes(self) -> list[NodeView]:
        """Every node that is remembered, with the plugins of each."""
        plugins = await self._table.plugins()
        return [self._view(node, plugins) for node in await self._table.all()]

    def _view(self, node: Node, plugins: list[NodePlugin]) -> NodeView:
        is_this = node.node_id == self._table.node_id
        left = node.state if node.state == "stopped" else "dead"
        return NodeView(
            node_id=node.node_id,
            is_this=is_this,
            state=node.state if node.is_alive else left,
            epoch=node.epoch,
            version=node.version,
            schema_version=node.schema_version,
            host=node.host,
            platform=node.platform,
            python=node.python,
            url=node.url,
            started_at=node.started_at,
            seen_at=self._clock.now() if is_this else node.seen_at,
            stopped_at=node.stopped_at,
            lease_until=node.lease_until,
            leases=node.leases,
            plugins=tuple(one for one in plugins if one.node_id == node.node_id),
        )


class SendersHere(Providers):
    """Port Providers, for who hands out send slots where nodes share the work.

    A plugin that does not take calls on this node serves nobody here: its deliveries are left to the
    nodes where it does, instead of being claimed, failed and put back with a pause.
    """

    def __init__(
        self,
        providers: Providers,
        takes_calls: Callable[[PluginId], bool],
        has_peers: Callable[[], bool],
    ) -> None:
        self._providers = providers
        self._takes_calls = takes_calls
        self._has_peers = has_peers

    def serving(self, channel: ChannelId) -> ChannelProvider | None:
        """The provider that serves this id and takes calls; None when others should."""
        provider = self._providers.serving(channel)
        if provider is None or not self._has_peers():
            return provider
        facts = provider.facts
        is_here = facts.source != "plugin" or self._takes_calls(facts.release.plugin_id)
        return provider if is_here else None

    def known(self) -> list[ProviderFacts]:
        """Every channel that could have accounts."""
        return self._providers.known()

    def facts(self, channel: ChannelId) -> ProviderFacts | None:
        """What is known of a channel."""
        return self._providers.facts(channel)

    def is_known(self, channel: ChannelId) -> bool:
        """True when accounts of this channel can exist."""
        return self._providers.is_known(channel)
