"""`nodes`, and `channel_plugin_runtime` as all nodes see it: who serves, and what runs where."""

from collections import defaultdict

import msgspec

from wunder.model.ids import At, PluginId
from wunder.store.reads import Reads
from wunder.store.unit import Transaction, Works, doing
from wunder.upkeep.nodes import Node, NodePlugin

#: Nodes that left or died so long ago are forgotten when another one starts (choice).
FORGOTTEN_AFTER_MS = 30 * 86_400_000

_COLUMNS = (
    "node_id, epoch, state, version, host, platform, python, url, schema_version, started_at,"
    " seen_at, stopped_at"
)
_PUT = f"""
INSERT INTO nodes ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL)
ON CONFLICT (node_id) DO UPDATE SET epoch = excluded.epoch, state = excluded.state,
  version = excluded.version, host = excluded.host, platform = excluded.platform,
  python = excluded.python, url = excluded.url, schema_version = excluded.schema_version,
  started_at = excluded.started_at, seen_at = excluded.seen_at, stopped_at = NULL
"""  # noqa: S608 - constant
_SAY = "UPDATE nodes SET state = ?, epoch = ?, seen_at = ?, stopped_at = ? WHERE node_id = ?"
_OLD = "SELECT node_id FROM nodes WHERE seen_at < ? AND node_id <> ?"
_FORGET = "DELETE FROM nodes WHERE node_id = ?"
_FORGET_PLUGINS = "DELETE FROM channel_plugin_runtime WHERE node_id = ?"
_LEASES = "SELECT node_id, name, account_uid FROM channel_leases WHERE name NOT LIKE 'node/%'"
_PLUGIN_COLUMNS = (
    "r.node_id, r.plugin_id, r.version, r.state, r.health, r.restarts, r.crashes, r.last_exit,"
    " r.last_error_code, r.last_error, r.noted_at"
)
_NOTE = """
INSERT INTO channel_plugin_runtime (node_id, plugin_id, version, last_error_code, last_error, noted_at)
VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (node_id, plugin_id) DO UPDATE SET last_error_code = excluded.last_error_code,
  last_error = excluded.last_error, noted_at = excluded.noted_at
"""
_OF_NODE = "LEFT JOIN channel_leases l ON l.name = 'node/' || n.node_id AND l.account_uid = ''"


class SqlNodes:
    """What nodes of one store say of themselves and see of each other."""

    def __init__(
        self,
        writer: Works,
        reader: Reads,
        node_id: str,
        *,
        is_alive: str = "n.state <> 'stopped'",
        seen_at: str = "n.seen_at",
    ) -> None:
        """Take an engine's writer and reader.

        Args:
            writer: commits.
            reader: reads.
            node_id: this node.
            is_alive: SQL over `nodes n` and its lease `l`: whether the node lives.
            seen_at: the same: when it last renewed its lease.
        """
        self._writer = writer
        self._reader = reader
        self.node_id = node_id
        columns = [f"n.{name}" for name in _COLUMNS.split(", ")]
        columns[1], columns[10] = "coalesce(l.epoch, n.epoch)", seen_at
        self._all = f"""
SELECT {", ".join(columns)}, l.lease_until, {is_alive} FROM nodes n {_OF_NODE}
ORDER BY n.started_at, n.node_id
"""  # noqa: S608 - constants
        self._plugins = f"""
SELECT {_PLUGIN_COLUMNS}, coalesce({is_alive}, FALSE) OR r.node_id = ?2 FROM channel_plugin_runtime r
LEFT JOIN nodes n ON n.node_id = r.node_id {_OF_NODE}
WHERE CAST(?1 AS TEXT) IS NULL OR r.plugin_id = ?1 ORDER BY r.plugin_id, r.node_id
"""  # noqa: S608 - constants

    async def introduce(self, node: Node) -> None:
        """Say who this node is; those gone for long are forgotten."""

        async def unit(tx: Transaction) -> None:
            await tx.run(_PUT, tuple(getattr(node, name) for name in _COLUMNS.split(", ")[:-1]))
            long_ago = At(tx.now - FORGOTTEN_AFTER_MS)
            for (gone,) in await tx.run(_OLD, (long_ago, self.node_id)):
                await tx.run(_FORGET, (gone,))
                await tx.run(_FORGET_PLUGINS, (gone,))

        await self._writer.work(unit)

    async def say(self, state: str, epoch: int, at: At) -> None:
        """Say how this node is: serving, draining or stopped."""
        stopped_at = at if state == "stopped" else None
        await self._writer.work(doing(_SAY, (state, epoch, at, stopped_at, self.node_id)))

    async def schema_version(self) -> int:
        """The schema that the store has now; 0 where the file itself says it, to one process only."""
        rows = await self._reader.rows("SELECT value FROM meta WHERE key = 'schema_version'")
        return int(rows[0][0]) if rows else 0

    async def all(self) -> list[Node]:
        """Every node that is remembered, the longest running first."""
        held: defaultdict[str, list[str]] = defaultdict(list)
        for node_id, name, account_uid in await self._reader.rows(_LEASES):
            held[node_id].append(f"{name} {account_uid}".strip())
        return [
            msgspec.structs.replace(
                Node(*row[:13]), is_alive=bool(row[13]), leases=tuple(sorted(held[row[0]]))
            )
            for row in await self._reader.rows(self._all)
        ]

    async def note(self, plugin_id: PluginId, version: str, code: str, words: str) -> None:
        """Say why a plugin does not run on this node; "" that nothing keeps it from running."""

        async def unit(tx: Transaction) -> None:
            await tx.run(_NOTE, (self.node_id, plugin_id, version, code, words, tx.now))

        await self._writer.work(unit)

    async def plugins(self, plugin_id: PluginId | None = None) -> list[NodePlugin]:
        """Each plugin on each node that was ever there."""
        rows = await self._reader.rows(self._plugins, plugin_id, self.node_id)
        return [
            msgspec.structs.replace(NodePlugin(*row[:11]), is_alive=bool(row[11])) for row in rows
        ]
