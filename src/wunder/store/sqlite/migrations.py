"""Bring the schema to the version this program knows: forward only, each step in one transaction."""

import sqlite3

from wunder.errors import StoreBroken
from wunder.store.schema import Migration, migrations


def schema_version(conn: sqlite3.Connection) -> int:
    """Return the version of an open database; 0 for an empty one."""
    return int(conn.execute("PRAGMA user_version").fetchone()[0])


def migrate(conn: sqlite3.Connection) -> int:
    """Apply what is missing; returns the version reached.

    Raises:
        StoreBroken: the database is newer than this program; it is not touched.
    """
    steps = migrations()
    known = steps[-1].number
    found = schema_version(conn)
    if found > known:
        raise StoreBroken(
            f"The database has schema {found} and this program knows {known}: run the newer program."
        )
    for step in steps:
        if step.number > found:
            _apply(conn, step)
    return known


def _apply(conn: sqlite3.Connection, step: Migration) -> None:
    conn.execute("BEGIN IMMEDIATE")
    try:
        for statement in _statements(step.sql):
            conn.execute(statement)
        conn.execute(f"PRAGMA user_version = {step.number:d}")
        conn.execute("COMMIT")
    except sqlite3.Error:
        if conn.in_transaction:
            conn.execute("ROLLBACK")
        raise


def _statements(sql: str) -> list[str]:
    """Split a script; `executescript` would commit what was begun."""
    found: list[str] = []
    lines: list[str] = []
    for line in sql.splitlines():
        lines.append(line)
        statement = "\n".join(lines)
        if sqlite3.complete_statement(statement):
            found.append(statement)
            lines = []
    return found
