"""Write a database into an archive: everything as it is at one instant, while nodes serve."""

import asyncio
import errno
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeAlias

import asyncpg
import msgspec

from wunder.errors import StoreBroken, StoreFull
from wunder.model.ids import At
from wunder.store.archive import ArchiveWriter, Contents, Progress, Text
from wunder.store.backups import Manifest, sha256_of, write_manifest
from wunder.store.columns import Table, tables_of
from wunder.store.postgres.address import Address
from wunder.store.postgres.counters import ALL_COUNTERS
from wunder.store.postgres.faults import translate
from wunder.store.postgres.migrations import schema_version, steps

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"
#: A copy takes as long as it takes; the snapshot is held by a transaction that does not end.
NO_HURRY = "SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0; SET lock_timeout = '30s'"
_FACTS = "SELECT key, value FROM meta WHERE key NOT LIKE 'count.%' AND key NOT LIKE 'probed_at%'"
_PIECE = "SELECT content FROM shelf WHERE kind = $1 AND name = $2 AND piece = $3"
#: The disk of the archive; what the server's own lacks has a SQLSTATE.
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_decode = msgspec.json.Decoder(dict[str, int]).decode


async def write_backup(address: Address, target: Path, now: At, tell: Progress) -> Manifest:
    """Write an archive and its manifest; nodes go on meanwhile.

    Raises:
        Conflict: `backup_exists`.
        StoreFull: no room for it.
        StoreBroken: the schema is newer than this program.
        StoreUnavailable: the server does not answer.
    """
    writer = await asyncio.to_thread(ArchiveWriter, target, tell)
    try:
        conn = await address.connect("backup")
        try:
            await conn.execute(NO_HURRY)
            async with conn.transaction(isolation="repeatable_read", readonly=True):
                contents = await _write(conn, writer, now)
        finally:
            await conn.close()
        await asyncio.to_thread(writer.finish, contents)
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        if isinstance(error, OSError) and error.errno in _NO_ROOM:
            raise StoreFull("There is no room for it here; nothing was left of it.") from error
        raise translate(error) from error
    finally:
        await asyncio.to_thread(writer.abandon)
    manifest = Manifest(
        at=now,
        incarnation=contents.incarnation,
        epoch=contents.epoch,
        schema_version=contents.schema_version,
        size_bytes=await asyncio.to_thread(lambda: target.stat().st_size),
        sha256=await asyncio.to_thread(sha256_of, target),
        engine="postgresql",
        files=len(contents.shelf),
        missing=contents.missing,
    )
    await asyncio.to_thread(write_manifest, target, manifest)
    return manifest


async def copy_out(
    conn: Connection, table: Table, write: Callable[[bytes], Coroutine[Any, Any, None]]
) -> int:
    """Have the rows of a table written as text, in the order of their keys; how many."""
    columns, order = ", ".join(table.columns), ", ".join(table.order)
    sql = f"SELECT {columns} FROM {table.name} ORDER BY {order}"  # noqa: S608 - names of ours
    status = await conn.copy_from_query(sql, output=write)
    return int(status.rpartition(" ")[2])


def _into(text: Text) -> Callable[[bytes], Coroutine[Any, Any, None]]:
    async def write(piece: bytes) -> None:
        text.write(piece)

    return write


async def _write(conn: Connection, writer: ArchiveWriter, now: At) -> Contents:
    version = await schema_version(conn)
    if not 0 < version <= steps()[-1].number:
        raise StoreBroken(f"The database has schema {version}, which this program does not know.")
    for table in tables_of(version):
        with writer.table(table.name, table.columns) as text:
            text.rows = await copy_out(conn, table, _into(text))
    if version >= 3:
        await _write_shelf(conn, writer)
    facts = {row[0]: row[1] for row in await conn.fetch(_FACTS)}
    figures: dict[str, int] = {}
    for _key, value in await conn.fetch(ALL_COUNTERS):
        for name, count in _decode(value).items():
            figures[name] = figures.get(name, 0) + count
    return writer.contents("postgresql", now, version, facts, figures)


async def _write_shelf(conn: Connection, writer: ArchiveWriter) -> None:
    rows = await conn.fetch("SELECT kind, name FROM shelf WHERE piece = 0 ORDER BY kind, name")
    for number, (kind, name) in enumerate(rows, 1):
        with writer.bytes_coming(kind, name) as text:
            count = 0
            while (piece := await conn.fetchval(_PIECE, kind, name, count)) is not None:
                text.write(piece)
                count += 1
        if number % 100 == 0 or number == len(rows):
            writer.tell(f"packages and attachments: {number} of {len(rows)}")
