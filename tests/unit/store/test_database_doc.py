"""The pages about the database say what the database is."""

import sqlite3
from pathlib import Path

import pytest

from tools import database_doc
from wunder.store.sqlite.migrations import migrate


def test_the_pages_are_fresh() -> None:
    assert database_doc.stale() == [], "run python tools/database_doc.py"


def test_every_table_column_and_index_is_described() -> None:
    conn = sqlite3.connect(":memory:", isolation_level=None)
    migrate(conn)
    tables = {table.name: table for table in database_doc.read()}
    names = {r[0] for r in conn.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    assert set(tables) == names
    for name, table in tables.items():
        columns = [row[1] for row in conn.execute(f"PRAGMA table_info({name})")]
        assert [column.name for column in table.columns] == columns
        for column in table.columns:
            assert all(column.said.values()), (name, column.name)
        own = conn.execute(
            "SELECT count(*) FROM sqlite_master WHERE type = 'index' AND tbl_name = ? AND sql <> ''",
            (name,),
        ).fetchone()
        assert len(table.indexes) == own[0], name


def test_a_column_without_words_is_refused(tmp_path: Path) -> None:
    text = "-- table t: a | b\nCREATE TABLE t (\n  x TEXT NOT NULL\n);\n"
    (tmp_path / "0001_x.sql").write_text(text)
    with pytest.raises(ValueError, match="x TEXT"):
        database_doc.read(tmp_path)
