"""The schema on PostgreSQL: SQLite's, translated; forward only; one migrator at a time."""

import asyncio
import sqlite3

import asyncpg
import pytest

from tests.postgres_server import postgres
from tests.waiting import until
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


# --- while others serve -------------------------------------------------------------------------------

#: What a node of any earlier version does all the time, in the words of the first schema.
TAKE_IN = """
INSERT INTO channel_dedupe (dedupe_key, digest, message_id, keep_until)
VALUES (sha256(convert_to($1, 'UTF8')), '\\x00', $1, 1)
"""
PROBE = """
INSERT INTO meta (key, value) VALUES ('probed_at.old', $1)
ON CONFLICT (key) DO UPDATE SET value = excluded.value
"""
LOOK = "SELECT count(*) FROM channel_outbox WHERE state = 'pending' AND expires_at < $1"


async def at_version(url: str, version: int) -> None:
    conn = await connected(url)
    for step in migrations.steps()[:version]:
        await conn.execute(step.sql)
    await conn.execute("INSERT INTO meta VALUES ('schema_version', $1)", str(version))
    await conn.close()


@pytest.mark.parametrize("version", range(1, migrations.steps()[-1].number))
async def test_every_earlier_schema_is_brought_up_to_date_while_another_node_serves(
    version: int,
) -> None:
    url = await postgres().empty_database()
    await at_version(url, version)
    serving, migrating = await connected(url), await connected(url)
    await serving.execute("SET lock_timeout = '7500ms'")
    stop, taken = asyncio.Event(), 0

    async def serve() -> None:
        nonlocal taken
        while not stop.is_set():
            async with serving.transaction():
                await serving.execute(TAKE_IN, f"m{taken}")
                await serving.execute(PROBE, str(taken))
                await serving.fetchval(LOOK, 5)
            taken += 1

    async def migrate() -> None:
        await until(lambda: taken >= 20)
        assert await migrations.migrate(migrating) == migrations.steps()[-1].number
        seen = taken
        await until(lambda: taken >= seen + 20)
        stop.set()

    await asyncio.gather(serve(), migrate())
    assert await serving.fetchval("SELECT count(*) FROM channel_dedupe") == taken
    for conn in (serving, migrating):
        await conn.close()


async def test_a_step_that_waits_for_a_table_lets_the_traffic_pass(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Statements queue behind a waiting ALTER: it gives up after a moment and comes again."""
    monkeypatch.setattr(migrations, "_TABLE_TIMEOUT", "100ms")
    monkeypatch.setattr(migrations, "_PAUSE_S", 0.05)
    url = await postgres().empty_database()
    await at_version(url, 2)
    busy, other, migrating = [await connected(url) for _ in range(3)]
    held = busy.transaction()
    await held.start()
    await busy.execute("INSERT INTO channel_plugin_runtime (plugin_id) VALUES ('long')")
    running = asyncio.create_task(migrations.migrate(migrating))
    for number in range(20):
        await other.execute(
            "INSERT INTO channel_plugin_runtime (plugin_id) VALUES ($1)", f"p{number}", timeout=5
        )
    assert not running.done()
    await held.commit()
    assert await running == migrations.steps()[-1].number
    assert await other.fetchval("SELECT count(*) FROM channel_plugin_runtime") == 21
    for conn in (busy, other, migrating):
        await conn.close()


async def test_a_step_that_never_gets_its_table_gives_up_and_changes_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(migrations, "_TABLE_TIMEOUT", "50ms")
    monkeypatch.setattr(migrations, "_PAUSE_S", 0.01)
    monkeypatch.setattr(migrations, "_TRIES", 3)
    url = await postgres().empty_database()
    await at_version(url, 2)
    busy, migrating = await connected(url), await connected(url)
    held = busy.transaction()
    await held.start()
    await busy.execute("LOCK TABLE channel_plugin_runtime IN ACCESS SHARE MODE")
    with pytest.raises(StoreUnavailable):
        await migrations.migrate(migrating)
    assert await migrations.schema_version(migrating) == 2
    await held.rollback()
    for conn in (busy, migrating):
        await conn.close()
