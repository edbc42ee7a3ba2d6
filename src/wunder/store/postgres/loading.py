"""Fill an empty database from an archive: all of it, verified, or nothing."""

import asyncio
import hashlib
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import msgspec

from wunder.errors import Conflict, StoreBroken, StoreUnavailable
from wunder.model.ids import At
from wunder.store import new_life
from wunder.store.archive import Archive, Contents, Progress
from wunder.store.backups import Manifest, verified
from wunder.store.columns import NOT_COPIED, Table, tables_of
from wunder.store.postgres.address import Address
from wunder.store.postgres.archiving import NO_HURRY, Connection, copy_out
from wunder.store.postgres.counters import PREFIX
from wunder.store.postgres.faults import translate
from wunder.store.postgres.life import DB_NOW
from wunder.store.postgres.migrations import LOCK, SET_VERSION, schema_version, steps
from wunder.store.postgres.statements import numbered

_PUT = """
INSERT INTO meta (key, value) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = excluded.value
"""
_ALIVE = f"SELECT count(*) FROM channel_leases WHERE lease_until >= {DB_NOW}"  # noqa: S608 - constant
_HASH = """
SELECT encode(sha256(string_agg(content, ''::bytea ORDER BY piece)), 'hex') FROM shelf
WHERE kind = $1 AND name = $2
"""
_NUMBER_ON = "SELECT setval(pg_get_serial_sequence($1, $2), greatest($3::int8, 1))"
_NUMBER_STEPS = """
SELECT setval('channel_trail_steps', greatest((SELECT coalesce(max(step_no), 0) FROM channel_trail), 1))
"""
#: Facts that belong to a store's place, not to what it holds.
_NOT_FACTS = frozenset({"schema_version", "migrated_to"})


async def restore(address: Address, backup: Path, now: At, tell: Progress) -> Manifest:
    """Fill an empty database from a backup; a new life begins. Raises: as `load`."""
    manifest = await asyncio.to_thread(verified, backup, "postgresql")
    await load(address, backup, now, tell, is_restore=True)
    return manifest


async def load(
    address: Address, source: Path, now: At, tell: Progress, *, is_restore: bool
) -> Contents:
    """Make the tables of an empty database from an archive, in one transaction.

    Args:
        address: the database.
        source: the archive.
        now: for what a restore writes.
        tell: progress, in words.
        is_restore: begin a new life in which nothing leaves by itself (ADR 0014); otherwise the store
            lives on as it was.

    Raises:
        Conflict: `not_empty`: the database holds a store, or nodes run on it.
        StoreBroken: the archive is damaged or newer, or what was written does not read back the same.
        StoreUnavailable: the server does not answer, or somebody migrates.
    """
    with await asyncio.to_thread(Archive, source) as archive:
        known = steps()[-1].number
        if archive.contents.schema_version > known:
            raise StoreBroken(
                f"The archive has schema {archive.contents.schema_version} and this program knows"
                f" {known}: use the newer program."
            )
        try:
            conn = await address.connect("loading")
            try:
                await conn.execute(NO_HURRY)
                async with conn.transaction():
                    await _load(conn, archive, tell)
                    if is_restore:
                        await _begin_anew(conn, now)
                await conn.execute("ANALYZE")
            finally:
                await conn.close()
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            raise translate(error) from error
        return archive.contents


async def _load(conn: Connection, archive: Archive, tell: Progress) -> None:
    contents = archive.contents
    if not await conn.fetchval("SELECT pg_try_advisory_xact_lock($1)", LOCK):
        raise StoreUnavailable("another program migrates or fills this database")
    await _make_room(conn)
    for step in steps():
        if step.number <= contents.schema_version:
            await conn.execute(step.sql)
    for table in tables_of(contents.schema_version):
        await _load_table(conn, archive, table)
        if rows := contents.tables[table.name].rows:
            tell(f"{table.name}: {rows} rows, verified")
    for step in steps():
        if step.number > contents.schema_version:
            await conn.execute(step.sql)
    await _load_shelf(conn, archive, tell)
    await _number_on(conn)
    for key, value in contents.facts.items():
        if key not in _NOT_FACTS:
            await conn.execute(_PUT, key, value)
    await conn.execute(SET_VERSION, str(steps()[-1].number))
    figures = msgspec.json.encode(contents.figures).decode()
    await conn.execute(_PUT, f"{PREFIX}archive", figures)


async def _make_room(conn: Connection) -> None:
    """Take away tables that are empty; refuse where one is not."""
    found = await schema_version(conn)
    if not found:
        return
    words = "The database holds a store already: name an empty database."
    if found > steps()[-1].number:
        raise Conflict(words, reason="not_empty")
    if await conn.fetchval(_ALIVE):
        raise Conflict("Nodes run on this database: stop them first.", reason="not_empty")
    names = [table.name for table in tables_of(found)]
    for name in names:
        if await conn.fetchval(f"SELECT EXISTS (SELECT 1 FROM {name})"):  # noqa: S608 - names of ours
            raise Conflict(f"{words} {name} has rows.", reason="not_empty")
    for name in (*names, *NOT_COPIED):
        await conn.execute(f"DROP TABLE IF EXISTS {name}")
    await conn.execute("DROP SEQUENCE IF EXISTS channel_trail_steps")


async def _load_table(conn: Connection, archive: Archive, table: Table) -> None:
    wanted = archive.contents.tables.get(table.name)
    if wanted is None or set(wanted.columns) != set(table.columns):
        raise StoreBroken(f"The archive lacks the table {table.name}, or has another one.")

    async def text() -> AsyncIterator[bytes]:
        for piece in archive.pieces(f"tables/{table.name}"):
            yield piece

    await conn.copy_to_table(table.name, source=text(), columns=list(wanted.columns))
    digest = hashlib.sha256()

    async def read_back(piece: bytes) -> None:
        digest.update(piece)

    rows = await copy_out(conn, table, read_back)
    if (rows, digest.hexdigest()) != (wanted.rows, wanted.sha256):
        words = f"{table.name} does not read back as it was written ({rows} of {wanted.rows} rows)."
        raise StoreBroken(f"{words} Nothing was changed; make another archive.")


async def _load_shelf(conn: Connection, archive: Archive, tell: Progress) -> None:
    wanted = archive.contents.shelf
    at = archive.contents.at
    for number, (place, digest) in enumerate(wanted.items(), 1):
        kind, _, name = place.partition("/")
        pieces = enumerate(archive.pieces(f"shelf/{place}"))
        rows = [(kind, name, piece, content, at) for piece, content in pieces]
        columns = ("kind", "name", "piece", "content", "stored_at")
        await conn.copy_records_to_table("shelf", records=rows, columns=columns)
        if await conn.fetchval(_HASH, kind, name) != digest:
            raise StoreBroken(f"{place} does not read back as it was written; nothing was changed.")
        if number % 100 == 0 or number == len(wanted):
            tell(f"packages and attachments: {number} of {len(wanted)}, verified")


async def _number_on(conn: Connection) -> None:
    """Let made numbers go on behind those that came."""
    for table in tables_of(steps()[-1].number):
        if table.is_numbered:
            column = table.order[0]
            highest = await conn.fetchval(f"SELECT coalesce(max({column}), 0) FROM {table.name}")  # noqa: S608 - names of ours
            await conn.execute(_NUMBER_ON, table.name, column, highest)
    await conn.execute(_NUMBER_STEPS)


async def _begin_anew(conn: Connection, now: At) -> None:
    for sql, values in new_life.statements(now):
        await conn.execute(numbered(sql), *values)
    figures: Counter[str] = Counter()
    for table, where in new_life.BY_STATE:
        sql = f"SELECT state, count(*) FROM {table} WHERE {where} GROUP BY state"  # noqa: S608 - constants
        for state, count in await conn.fetch(sql):
            figures[f"{table}_{state}"] = count
    for table in new_life.WHOLE:
        figures[table] = await conn.fetchval(f"SELECT count(*) FROM {table}")  # noqa: S608 - constants
    kept = msgspec.json.decode(
        await conn.fetchval("SELECT value FROM meta WHERE key = $1", f"{PREFIX}archive")
    )
    for name, count in kept.items():
        is_counted = any(name.startswith(f"{table}_") for table, _ in new_life.BY_STATE)
        if name not in new_life.WHOLE and (not is_counted or name == new_life.NO_STATE):
            figures[name] = count
    await conn.execute(_PUT, f"{PREFIX}archive", msgspec.json.encode(figures).decode())
