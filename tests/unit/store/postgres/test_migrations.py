"""The schema on PostgreSQL: SQLite's, translated; forward only; one migrator at a time."""

import asyncio
import sqlite3

import asyncpg
import pytest

from tests.postgres_server import postgres
from wunder.errors import StoreBroken, StoreUnavailable
from wunder.store.postgres import migrations
from wunder.store.sqlite.migrations import migrate as migrate_sqlite

#: The trail is numbered by a sequence there.
DIFFERENT_DEFAULTS = {("channel_trail", "step_no")}


async def connected(url: str) -> "asyncpg.Connection[asyncpg.Record]":
    return await asyncpg.connect(url)


async def test_both_engines_have_the_same_tables_and_columns() -> None:
    lite = sqlite3.connect(":memory:", isolation_level=None)
    migrate_sqlite(lite)
    conn = await connected(await postgres().lend_database())
    found = await conn.fetch(
        "SELECT table_name, column_name, is_nullable FROM information_schema.columns"
        " WHERE table_schema = 'public'"
    )
    await conn.close()
    tables = [row[0] for row in lite.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    here = {
        (table, column[1], "NO" if column[3] or column[5] else "YES")
        for table in tables
        for column in lite.execute(f"PRAGMA table_info({table})")
    }
    lite.close()
    assert {tuple(row) for row in found} == here


async def test_texts_are_compared_byte_by_byte_whatever_the_database_does() -> None:
    conn = await connected(await postgres().lend_database())
    other = await conn.fetch(
        "SELECT table_name, column_name FROM information_schema.columns"
        " WHERE table_schema = 'public' AND data_type = 'text' AND collation_name IS DISTINCT FROM 'C'"
    )
    await conn.close()
    assert other == []


async def test_nodes_that_start_together_migrate_once() -> None:
    url = await postgres().empty_database()
    connections = [await connected(url) for _ in range(4)]
    reached = await asyncio.gather(*map(migrations.migrate, connections))
    assert set(reached) == {migrations.steps()[-1].number}
    for conn in connections:
        await conn.close()


async def test_an_unknown_newer_schema_is_refused_and_left_alone() -> None:
    conn = await connected(await postgres().new_database())
    await conn.execute("UPDATE meta SET value = '999' WHERE key = 'schema_version'")
    with pytest.raises(StoreBroken):
        await migrations.migrate(conn)
    assert await migrations.schema_version(conn) == 999
    await conn.close()


async def test_a_migrator_that_is_held_up_gives_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrations, "_MIGRATOR_TIMEOUT", "200ms")
    url = await postgres().empty_database()
    holder, late = await connected(url), await connected(url)
    await holder.execute("SELECT pg_advisory_lock($1)", migrations.LOCK)
    with pytest.raises(StoreUnavailable):
        await migrations.migrate(late)
    assert await migrations.schema_version(late) == 0
    for conn in (holder, late):
        await conn.close()
