"""Leave SQLite: the whole store into an archive for another engine, and a mark that it has gone."""

import sqlite3
from collections.abc import Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from wunder.errors import Conflict, DataDirRefused, StoreBroken
from wunder.model.ids import At
from wunder.store.archive import Archive, ArchiveWriter, Contents, Progress, copy_text
from wunder.store.columns import Table, tables_of
from wunder.store.data_dir import DirLock, file_system_of, prepare_dir
from wunder.store.policy import StorePolicy
from wunder.store.sqlite.backup import DB_FILE
from wunder.store.sqlite.connection import open_writer
from wunder.store.sqlite.counters import PREFIX
from wunder.store.sqlite.migrations import migrate

_ROWS_AT_ONCE = 1_000
_TELL_EVERY = 100_000
_MARK = "INSERT OR REPLACE INTO meta (key, value) VALUES ('migrated_to', ?)"
_UNMARK = "DELETE FROM meta WHERE key = 'migrated_to'"
_BLOBS = "SELECT blob_id FROM attachments WHERE state = 'stored' ORDER BY blob_id"
_PACKAGES = "SELECT package_sha256 FROM channel_plugin_versions ORDER BY package_sha256"


def export(data_dir: Path, target: Path, now: At, tell: Progress) -> Contents:
    """Write the store of a stopped gateway into an archive, verify it, and mark the store as moved.

    From the mark on no gateway starts on it; `undo` takes the mark away.

    Raises:
        DataDirRefused: a gateway runs on it, or there is no store.
        Conflict: `backup_exists`; `moved_already`.
        StoreFull, StoreBroken.
    """
    lock, conn = _held(data_dir)
    try:
        facts = _facts(conn)
        if moved := facts.get("migrated_to"):
            words = (
                f"This store was moved to {moved} already; `wunder export --undo` takes that back."
            )
            raise Conflict(words, reason="moved_already")
        writer = ArchiveWriter(target, tell)
        try:
            contents = _write(conn, data_dir, writer, now)
            writer.finish(contents)
        finally:
            writer.abandon()
        with Archive(target) as archive:
            archive.verify()
        tell("the archive reads back as it was written")
        with conn:
            conn.execute(_MARK, (str(target),))
        return contents
    except sqlite3.DatabaseError as error:
        raise StoreBroken(f"The store cannot be read: {error}.") from error
    finally:
        conn.close()
        lock.release()


def undo(data_dir: Path) -> str:
    """Let a gateway start on a moved store again; where it had gone, "" where it had not."""
    lock, conn = _held(data_dir)
    try:
        with conn:
            moved = _facts(conn).get("migrated_to", "")
            conn.execute(_UNMARK)
        return moved
    finally:
        conn.close()
        lock.release()


def _held(data_dir: Path) -> tuple[DirLock, sqlite3.Connection]:
    if not (data_dir / DB_FILE).is_file():
        raise DataDirRefused(f"There is no store of SQLite in {data_dir}.")
    prepare_dir(data_dir, file_system_of)
    lock = DirLock(data_dir)
    lock.take()
    try:
        conn = open_writer(data_dir / DB_FILE, StorePolicy())
        migrate(conn)
    except BaseException:
        lock.release()
        raise
    return lock, conn


def _facts(conn: sqlite3.Connection) -> dict[str, str]:
    return dict(conn.execute("SELECT key, value FROM meta").fetchall())


def _write(conn: sqlite3.Connection, data_dir: Path, writer: ArchiveWriter, now: At) -> Contents:
    version = int(conn.execute("PRAGMA user_version").fetchone()[0])
    for table in tables_of(version):
        with writer.table(table.name, table.columns) as text:
            for batch in _batches(conn, table):
                text.write(b"".join(map(copy_text, batch)))
                text.rows += len(batch)
                if text.rows % _TELL_EVERY == 0:
                    writer.tell(f"{table.name}: {text.rows} rows so far")
    _write_files(conn, data_dir, writer)
    facts = _facts(conn)
    figures = {
        key.removeprefix(PREFIX): int(value)
        for key, value in facts.items()
        if key.startswith(PREFIX)
    }
    kept = {key: value for key, value in facts.items() if not key.startswith((PREFIX, "probed_at"))}
    return writer.contents("sqlite", now, version, kept, figures)


def _batches(conn: sqlite3.Connection, table: Table) -> Iterator[list[tuple[Any, ...]]]:
    columns, order = ", ".join(table.columns), ", ".join(table.order)
    rows = conn.execute(f"SELECT {columns} FROM {table.name} ORDER BY {order}")  # noqa: S608 - names of ours
    while batch := list(islice(rows, _ROWS_AT_ONCE)):
        yield batch


def _write_files(conn: sqlite3.Connection, data_dir: Path, writer: ArchiveWriter) -> None:
    blobs = [row[0] for row in conn.execute(_BLOBS)]
    packages = [row[0] for row in conn.execute(_PACKAGES)]
    places = [("attachment", name, data_dir / "attachments" / name[-2:] / name) for name in blobs]
    places += [("package", name, data_dir / "shelf" / "package" / name) for name in packages]
    for kind, name, path in places:
        with writer.bytes_coming(kind, name) as text:
            if path.is_file():
                with path.open("rb") as file:
                    for piece in iter(partial(file.read, 262_144), b""):
                        text.write(piece)
    if places:
        writer.tell(f"packages and attachments: {len(writer.shelf)} of {len(places)}")
