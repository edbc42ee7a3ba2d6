"""Looks at the rows of a store beside its doors, on either engine: for what no door shows."""

import sqlite3
from typing import Any

import asyncpg

from tests.contracts.store_world import World, database_of, open_postgres

_COLUMNS = """
SELECT table_name, column_name, data_type FROM information_schema.columns
WHERE table_schema = current_schema() ORDER BY 1, 2
"""


async def run(world: World, sql: str) -> list[tuple[Any, ...]]:
    """Run a statement of its own and commit it; what it returned."""
    if world.opener is open_postgres:
        conn = await asyncpg.connect(database_of(world.dir))
        try:
            return [tuple(row) for row in await conn.fetch(sql)]
        finally:
            await conn.close()
    with sqlite3.connect(world.dir / "wunder.db") as file:
        rows = file.execute(sql).fetchall()
    file.close()
    return rows


async def schema(world: World) -> list[tuple[Any, ...]]:
    """Every table with its columns."""
    if world.opener is open_postgres:
        return await run(world, _COLUMNS)
    tables = await run(world, "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY 1")
    return [
        (table, *column)
        for (table,) in tables
        for column in await run(world, f"PRAGMA table_info({table})")
    ]
