"""Which tables a schema version has, with their columns and keys: asked of the steps themselves."""

import sqlite3
from functools import lru_cache

import msgspec

from wunder.store.schema import migrations


class Table(msgspec.Struct, frozen=True):
    """One table: its columns, those it is ordered by, and whether its first key is a number made for it."""

    name: str
    columns: tuple[str, ...]
    order: tuple[str, ...]
    is_numbered: bool


#: What belongs to nodes and dies with them, what is carried as files, and `meta`, which is facts.
NOT_COPIED = frozenset({"meta", "shelf", "channel_leases", "nodes", "channel_plugin_runtime"})


@lru_cache(maxsize=4)
def tables_of(version: int) -> tuple[Table, ...]:
    """Return the tables that are copied, by name, of a schema version."""
    conn = sqlite3.connect(":memory:")
    try:
        for step in migrations():
            if step.number <= version:
                conn.executescript(step.sql)
        names = conn.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name"
        ).fetchall()
        return tuple(_table(conn, name) for (name,) in names if name not in NOT_COPIED)
    finally:
        conn.close()


def _table(conn: sqlite3.Connection, name: str) -> Table:
    rows = conn.execute(f"PRAGMA table_info({name})").fetchall()
    keys = [row[1] for row in sorted(rows, key=lambda row: row[5]) if row[5]]
    kinds = {row[1]: row[2] for row in rows}
    is_numbered = len(keys) == 1 and kinds[keys[0]] == "INTEGER"
    return Table(name, tuple(row[1] for row in rows), tuple(keys), is_numbered)
