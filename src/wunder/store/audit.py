"""`audit`: who changed what; rows are added and read, nothing here changes one."""

from collections.abc import Sequence
from typing import Any

from wunder.people.audit import AuditEntry
from wunder.people.tables import AuditFilter
from wunder.ports import Page
from wunder.store.clean import from_json, to_json
from wunder.store.pages import cut, parse_cursor
from wunder.store.reads import Reads
from wunder.store.unit import Transaction, Works

_COLUMNS = "at, actor, action, subject, result, detail, remote_addr, request_id"
_ADD = f"INSERT INTO audit ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608 - constant


class SqlAuditLog:
    """Port AuditLog."""

    def __init__(self, writer: Works, reader: Reads) -> None:
        self._writer = writer
        self._reader = reader

    async def add(self, entries: Sequence[AuditEntry]) -> None:
        """Keep entries."""

        async def unit(tx: Transaction) -> None:
            for one in entries:
                told = to_json(one.detail)
                where = (one.remote_addr, one.request_id)
                row = (one.at, one.actor, one.action, one.subject, one.result, told, *where)
                await tx.run(_ADD, row)

        await self._writer.work(unit)

    async def entries(self, where: AuditFilter, limit: int, cursor: str) -> Page[AuditEntry]:
        """Entries that match, newest first."""
        conditions, values = ["seq < ?"], [parse_cursor(cursor)]
        given: list[Any] = [*values]
        equals = {"actor": where.actor, "action": where.action, "subject": where.subject}
        for column, value in equals.items():
            if value:
                conditions.append(f"{column} = ?")
                given.append(value)
        if where.since is not None:
            conditions.append("at >= ?")
            given.append(where.since)
        if where.until is not None:
            conditions.append("at < ?")
            given.append(where.until)
        matching = " AND ".join(conditions)
        sql = f"SELECT seq, {_COLUMNS} FROM audit WHERE {matching} ORDER BY seq DESC LIMIT ?"  # noqa: S608 - constants
        rows = await self._reader.rows(sql, *given, limit + 1)
        items, next_cursor = cut(rows, limit)
        return Page(tuple(_entry(row) for row in items), next_cursor)


def _entry(row: tuple[Any, ...]) -> AuditEntry:
    return AuditEntry(
        seq=row[0],
        at=row[1],
        actor=row[2],
        action=row[3],
        subject=row[4],
        result=row[5],
        detail=from_json(row[6]),
        remote_addr=row[7],
        request_id=row[8],
    )
