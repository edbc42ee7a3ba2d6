"""`channel_quarantine` as people ask for it: lists, one item, back to the spool, gone."""

from typing import Any

from wunder.ports import Page
from wunder.store.pages import cut, parse_cursor
from wunder.store.reads import Reads
from wunder.store.unit import Transaction, Works
from wunder.upkeep.quarantine import QuarantineFilter, QuarantineItem

_COLUMNS = """quarantine_id, account_uid, channel, account_id, reason, detail, length(body), is_sealed,
  message_id, plugin_id, version, received_at, created_at"""
_ONE = f"SELECT {_COLUMNS}, body FROM channel_quarantine WHERE quarantine_id = ?"  # noqa: S608 - constant
#: What became old while it was set aside begins its tries anew; it goes behind what waits.
_RESPOOL = """
INSERT INTO channel_spool (spool_id, account_uid, channel, account_id, sealed, size_bytes, received_at)
SELECT quarantine_id, account_uid, channel, account_id, body, length(body), received_at
FROM channel_quarantine WHERE quarantine_id = ? AND is_sealed = 1
ON CONFLICT (spool_id) DO NOTHING
"""
_REMOVE = "DELETE FROM channel_quarantine WHERE quarantine_id = ?"


class SqlQuarantineTable:
    """Port QuarantineTable."""

    def __init__(self, writer: Works, reader: Reads) -> None:
        self._writer = writer
        self._reader = reader

    async def items(self, where: QuarantineFilter, limit: int, cursor: str) -> Page[QuarantineItem]:
        """Items that match, newest first."""
        parts, values = ["seq < ?"], [parse_cursor(cursor)]
        given: list[Any] = [*values]
        for column in ("channel", "account_id", "reason"):
            if wanted := getattr(where, column):
                parts.append(f"{column} = ?")
                given.append(wanted)
        condition = " AND ".join(parts)
        sql = (
            f"SELECT seq, {_COLUMNS} FROM channel_quarantine WHERE {condition}"  # noqa: S608 - made of constants
            " ORDER BY seq DESC LIMIT ?"
        )
        rows = await self._reader.rows(sql, *given, limit + 1)
        items, next_cursor = cut(rows, limit)
        return Page(tuple(_item(row[1:]) for row in items), next_cursor)

    async def item(self, quarantine_id: str) -> tuple[QuarantineItem, bytes] | None:
        """One item and its body."""
        rows = await self._reader.rows(_ONE, quarantine_id)
        return (_item(rows[0][:-1]), bytes(rows[0][-1])) if rows else None

    async def respool(self, quarantine_id: str) -> bool:
        """Put a request back at the tail of its account's spool."""
        return await self._writer.work(lambda tx: put_back(tx, quarantine_id))

    async def remove(self, quarantine_id: str) -> bool:
        """Drop an item."""
        return await self._writer.work(lambda tx: _remove(tx, quarantine_id))


async def put_back(tx: Transaction, quarantine_id: str) -> bool:
    """Move a sealed request to the tail of its account's spool; False when it was gone."""
    tx.counts["channel_spool"] += (await tx.run(_RESPOOL, (quarantine_id,))).rowcount
    return await _remove(tx, quarantine_id)


async def _remove(tx: Transaction, quarantine_id: str) -> bool:
    gone = (await tx.run(_REMOVE, (quarantine_id,))).rowcount
    tx.counts["channel_quarantine"] -= gone
    return gone > 0


def _item(row: tuple[Any, ...]) -> QuarantineItem:
    values = list(row)
    values[7] = bool(row[7])
    return QuarantineItem(*values)
