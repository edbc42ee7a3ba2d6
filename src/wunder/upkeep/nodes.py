"""Nodes: the gateways that share one store, how each is, and what runs on it."""

import asyncio
import platform
import sys
from typing import Protocol

import msgspec

from wunder.errors import StoreBroken, StoreUnavailable
from wunder.model.ids import At, PluginId
from wunder.observe import logs
from wunder.ports import Clock

log = logs.get_logger(__name__)
#: How long a word of farewell may take: who leaves a database that is away is not missed there.
_FAREWELL_S = 2.0


class Node(msgspec.Struct, frozen=True):
    """One row of `nodes`. `state` is what it says itself: serving, draining or stopped."""

    node_id: str
    epoch: int
    state: str
    version: str
    host: str
    platform: str
    python: str
    url: str
    schema_version: int
    started_at: At
    seen_at: At
    stopped_at: At | None = None
    lease_until: At | None = None  # by the database's clock; None where there are no leases
    is_alive: bool = True
    leases: tuple[str, ...] = ()  # what it holds beside its own


class NodePlugin(msgspec.Struct, frozen=True):
    """One plugin on one node; `last_error_code` says why it does not run there."""

    node_id: str
    plugin_id: PluginId
    version: str
    state: str
    health: str
    restarts: int
    crashes: int
    last_exit: str
    last_error_code: str
    last_error: str
    noted_at: At
    is_alive: bool = True


class NodeTable(Protocol):
    """`nodes`, and `channel_plugin_runtime` as all nodes see it."""

    @property
    def node_id(self) -> str:
        """This node's name."""

    async def introduce(self, node: Node) -> None:
        """Say who this node is; those gone for long are forgotten."""

    async def say(self, state: str, epoch: int, at: At) -> None:
        """Say how this node is."""

    async def schema_version(self) -> int:
        """The schema that the store has now; 0 where only one process can change it."""

    async def all(self) -> list[Node]:
        """Every node that is remembered."""

    async def plugins(self, plugin_id: PluginId | None = None) -> list[NodePlugin]:
        """Each plugin on each node."""


class Life(Protocol):
    """This start of this node."""

    @property
    def epoch(self) -> int:
        """Which start of all; it changes when another node took this one's work over."""


class NodeView(msgspec.Struct, frozen=True):
    """One node as people see it.

    `state`: `serving`, `draining` or `stopped` as it said itself; `dead` where it neither lives nor
    took its leave. `seen_at` is when it last renewed its lease; `leases` is what it holds beside its own.
    """

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
    started_at: At
    seen_at: At
    stopped_at: At | None
    lease_until: At | None
    leases: tuple[str, ...]
    plugins: tuple[NodePlugin, ...]


class Members:
    """Says in the table how this node is, and reads what the others say."""

    def __init__(self, table: NodeTable, life: Life, clock: Clock, version: str) -> None:
        self._table = table
        self._life = life
        self._clock = clock
        self._version = version
        self._started_at = clock.now()
        self._known_schema = 0
        self._seen_schema = 0

    async def introduce(self, url: str, system: str, schema_version: int) -> None:
        """Say who this node is, once it listens; `system` such as linux-amd64."""
        self._known_schema = schema_version
        await self._table.introduce(
            Node(
                node_id=self._table.node_id,
                epoch=self._life.epoch,
                state="serving",
                version=self._version,
                host=platform.node(),
                platform=system,
                python=".".join(map(str, sys.version_info[:3])),
                url=url,
                schema_version=schema_version,
                started_at=self._started_at,
                seen_at=self._clock.now(),
            )
        )

    async def say(self, state: str) -> None:
        """Say that this node drains, or has stopped; a database that is away is not waited for."""
        try:
            async with asyncio.timeout(_FAREWELL_S):
                await self._table.say(state, self._life.epoch, self._clock.now())
        except (StoreUnavailable, StoreBroken, TimeoutError) as error:
            log.warning("node_state_not_said", state=state, why=type(error).__name__)

    async def look_at_schema(self) -> None:
        """Say once that a newer program has brought the schema further: this one should follow.

        It goes on meanwhile, for steps only add; started again, it would be refused.
        """
        found = await self._table.schema_version()
        if self._known_schema < found != self._seen_schema:
            log.warning("schema_is_newer", found=found, known=self._known_schema)
        self._seen_schema = found

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
            seen_at=self._clock.now() if is_this and node.is_alive else node.seen_at,
            stopped_at=node.stopped_at,
            lease_until=node.lease_until or None,
            leases=node.leases,
            plugins=tuple(one for one in plugins if one.node_id == node.node_id),
        )
