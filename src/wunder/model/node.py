"""Nodes: the gateways that share one store, and what runs on each."""

import msgspec

from wunder.model.ids import At, PluginId


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
