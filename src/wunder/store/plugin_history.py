"""What of plugins outlives them: crash counts, and the small values they keep (`host.state`)."""

from typing import Any

from wunder.errors import Conflict, Invalid
from wunder.model.ids import PluginId
from wunder.model.plugin import PluginCounters
from wunder.store.clean import from_json, to_json
from wunder.store.reads import Reads
from wunder.store.unit import Transaction, Works, doing

#: Quotas of the plugin protocol, version 1, "Calls are stateless".
MAX_VALUE_BYTES = 65_536
MAX_KEYS = 1_000
MAX_ACCOUNT_BYTES = 1_048_576
MAX_KEY_BYTES = 256

_COLUMNS = "plugin_id, version, state, health, restarts, crashes, last_exit, last_crash_at"
_COUNTERS = f"SELECT {_COLUMNS} FROM channel_plugin_runtime WHERE node_id = ? ORDER BY plugin_id"  # noqa: S608 - constant
_PUT_COUNTERS = f"""
INSERT INTO channel_plugin_runtime (node_id, {_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (node_id, plugin_id) DO UPDATE SET version = excluded.version, state = excluded.state,
  health = excluded.health, restarts = excluded.restarts, crashes = excluded.crashes,
  last_exit = excluded.last_exit, last_crash_at = excluded.last_crash_at
"""  # noqa: S608 - constant
_GET = "SELECT value, rev FROM channel_state WHERE plugin_id = ? AND account_uid = ? AND key = ?"
#: Bounded by the quota itself.
_USED = """
SELECT count(*), coalesce(sum(size_bytes), 0) FROM channel_state
WHERE plugin_id = ? AND account_uid = ? AND key <> ?
"""
_PUT = """
INSERT INTO channel_state (plugin_id, account_uid, key, value, size_bytes, rev, updated_at)
VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (plugin_id, account_uid, key) DO UPDATE SET value = excluded.value,
  size_bytes = excluded.size_bytes, rev = excluded.rev, updated_at = excluded.updated_at
"""
_DELETE = "DELETE FROM channel_state WHERE plugin_id = ? AND account_uid = ? AND key = ?"


class SqlPluginHistory:
    """Port PluginHistory."""

    def __init__(self, writer: Works, reader: Reads, node_id: str) -> None:
        self._writer = writer
        self._node_id = node_id
        self._reader = reader

    async def counters(self) -> list[PluginCounters]:
        """What is remembered of each plugin's process."""
        rows = await self._reader.rows(_COUNTERS, self._node_id)
        return [PluginCounters(*row) for row in rows]

    async def put_counters(self, row: PluginCounters) -> None:
        """Remember a plugin's process as it is now."""
        values = (
            self._node_id,
            row.plugin_id,
            row.version,
            row.state,
            row.health,
            row.restarts,
            row.crashes,
            row.last_exit,
            row.last_crash_at,
        )
        await self._writer.work(doing(_PUT_COUNTERS, values))

    async def state_get(self, plugin_id: PluginId, account_uid: str, key: str) -> tuple[Any, int]:
        """The value and its rev; (None, 0) where nothing is stored."""
        rows = await self._reader.rows(_GET, plugin_id, account_uid, key)
        return (from_json(rows[0][0]), rows[0][1]) if rows else (None, 0)

    async def state_put(
        self, plugin_id: PluginId, account_uid: str, key: str, value: Any, rev: int | None
    ) -> int:
        """Store a value; its new rev. Raises: Conflict `rev`; Invalid when over quota."""
        encoded = to_json(value)
        size = len(encoded.encode())
        if size > MAX_VALUE_BYTES or len(key.encode("utf-8", "replace")) > MAX_KEY_BYTES:
            raise Invalid(f"quota: a value has at most {MAX_VALUE_BYTES} bytes of JSON.")
        owner = (plugin_id, account_uid, key)

        async def unit(tx: Transaction) -> int:
            # Its quota is counted over rows: one at a time, on every node.
            await tx.alone(f"{plugin_id}/{account_uid}")
            found = await tx.first(_GET, owner)
            current = found[1] if found is not None else 0
            if rev is not None and rev != current:
                words = f"The value was changed meanwhile: it has rev {current}."
                raise Conflict(words, reason="rev", state={"rev": current})
            keys, used = await tx.first(_USED, owner) or (0, 0)
            if keys >= MAX_KEYS or used + size > MAX_ACCOUNT_BYTES:
                raise Invalid(f"quota: at most {MAX_KEYS} keys and {MAX_ACCOUNT_BYTES} bytes.")
            await tx.run(_PUT, (*owner, encoded, size, current + 1, tx.now))
            return int(current) + 1

        return await self._writer.work(unit)

    async def state_delete(self, plugin_id: PluginId, account_uid: str, key: str) -> None:
        """Forget a value."""
        await self._writer.work(doing(_DELETE, (plugin_id, account_uid, key)))
