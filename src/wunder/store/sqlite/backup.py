"""Backups: a consistent copy while serving, with its files, and a restore that begins a new life."""

import os
import re
import shutil
import sqlite3
import tarfile
from pathlib import Path

import msgspec

from wunder.errors import Conflict, DataDirRefused, StoreBroken, StoreFull
from wunder.model.ids import At
from wunder.store import new_life
from wunder.store.backups import (
    Manifest,
    files_path,
    sha256_of,
    sync,
    verified,
    write_manifest,
)
from wunder.store.data_dir import DirLock, file_system_of, prepare_dir
from wunder.store.disk import free_bytes
from wunder.store.policy import StorePolicy
from wunder.store.sqlite.connection import open_reader, open_writer
from wunder.store.sqlite.counters import PREFIX
from wunder.store.sqlite.migrations import migrate, schema_version

DB_FILE = "wunder.db"
#: Whose rows speak of files below the data directory, and where those lie.
_FILES = (
    (
        "SELECT 'attachments/' || substr(blob_id, -2) || '/' || blob_id FROM attachments"
        " WHERE state = 'stored' ORDER BY 1"
    ),
    "SELECT 'shelf/package/' || package_sha256 FROM channel_plugin_versions ORDER BY 1",
)
_PLACES = re.compile(r"attachments/[0-9a-f]{2}/[0-9a-f]{32}|shelf/package/[0-9a-f]{64}")


def write_backup(
    db_file: Path, target: Path, now: At, policy: StorePolicy, *, with_files: bool = True
) -> Manifest:
    """Copy the database as it is at one instant, and the files it speaks of.

    Blocks this thread, not the writer.

    Raises:
        Conflict: `backup_exists`, there is a file with this name.
        StoreFull: no room for the copy.
    """
    if target.exists():
        raise Conflict(f"{target} exists; give another name.", reason="backup_exists")
    target.parent.mkdir(parents=True, exist_ok=True)
    if free_bytes(target.parent) < db_file.stat().st_size:
        raise StoreFull(f"There is no room for a backup in {target.parent}.")
    partial = target.with_name(target.name + ".partial")
    partial.unlink(missing_ok=True)
    os.close(os.open(partial, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600))
    source, copy = open_reader(db_file, policy), sqlite3.connect(partial, isolation_level=None)
    try:
        # All pages in one step: one snapshot. In smaller steps each commit would begin it anew.
        source.backup(copy, pages=-1)
        copy.execute("PRAGMA journal_mode = DELETE")
        facts = dict(copy.execute("SELECT key, value FROM meta").fetchall())
        version = schema_version(copy)
        wanted = [row[0] for sql in _FILES for row in copy.execute(sql)] if with_files else []
    finally:
        source.close()
        copy.close()
    sync(partial)
    manifest = Manifest(
        at=now,
        incarnation=facts.get("incarnation", ""),
        epoch=int(facts.get("epoch", "0")),
        schema_version=version,
        size_bytes=partial.stat().st_size,
        sha256=sha256_of(partial),
    )
    if with_files:
        manifest = _with_files(manifest, db_file.parent, wanted, files_path(target))
    write_manifest(target, manifest)
    os.replace(partial, target)
    sync(target.parent)
    return manifest


def restore(backup: Path, data_dir: Path, now: At) -> Manifest:
    """Put a backup in the place of a data directory's missing store; blocks.

    The new life has another incarnation, and nothing leaves in it by itself; see new_life.

    Raises:
        DataDirRefused: the directory is in use, or holds a store already.
        StoreBroken: the backup does not match its manifest, is damaged, or is newer than this program.
    """
    prepare_dir(data_dir, file_system_of)
    lock = DirLock(data_dir)
    lock.take()
    try:
        place = data_dir / DB_FILE
        if place.exists():
            raise DataDirRefused(f"{place} exists; move it and its -wal file away first.")
        manifest = verified(backup, "sqlite")
        partial = place.with_name(place.name + ".partial")
        shutil.copyfile(backup, partial)
        os.chmod(partial, 0o600)
        _begin_anew(partial, now)
        sync(partial)
        if manifest.files_sha256:
            _put_files_back(files_path(backup), data_dir)
        for leftover in ("-wal", "-shm"):
            place.with_name(place.name + leftover).unlink(missing_ok=True)
        os.replace(partial, place)
        sync(data_dir)
        return manifest
    finally:
        lock.release()


def version_of(db_file: Path) -> int:
    """The schema of a store, 0 where there is none; a gateway may run on it. Raises: StoreBroken."""
    if not db_file.is_file():
        return 0
    try:
        conn = open_reader(db_file, StorePolicy())
        try:
            return schema_version(conn)
        finally:
            conn.close()
    except sqlite3.DatabaseError as error:
        raise StoreBroken(f"{db_file} cannot be read: {error}.") from error


def migrate_alone(data_dir: Path) -> int:
    """Bring the schema of a stopped gateway's store up to date; the version reached.

    Raises: DataDirRefused, while a gateway runs on it; StoreBroken, when it is newer.
    """
    prepare_dir(data_dir, file_system_of)
    lock = DirLock(data_dir)
    lock.take()
    try:
        conn = open_writer(data_dir / DB_FILE, StorePolicy())
        try:
            return migrate(conn)
        finally:
            conn.close()
    finally:
        lock.release()


def _with_files(manifest: Manifest, data_dir: Path, wanted: list[str], target: Path) -> Manifest:
    """Put packages and attachments beside the copy; what went meanwhile is named as missing."""
    missing: list[str] = []
    partial = target.with_name(target.name + ".partial")
    partial.unlink(missing_ok=True)
    fd = os.open(partial, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600)
    with open(fd, "w+b") as file, tarfile.open(fileobj=file, mode="w") as tar:
        for name in wanted:
            try:
                with (data_dir / name).open("rb") as source:
                    entry = tarfile.TarInfo(name)
                    entry.size, entry.mode = os.fstat(source.fileno()).st_size, 0o600
                    if free_bytes(target.parent) < entry.size:
                        raise StoreFull(f"There is no room for a backup in {target.parent}.")
                    tar.addfile(entry, source)
            except FileNotFoundError:
                missing.append(name)
    sync(partial)
    os.replace(partial, target)
    return msgspec.structs.replace(
        manifest,
        files_sha256=sha256_of(target),
        files_bytes=target.stat().st_size,
        files=len(wanted) - len(missing),
        missing=tuple(missing),
    )


def _put_files_back(source: Path, data_dir: Path) -> None:
    """Unpack packages and attachments where they were; nothing else becomes a path."""
    with tarfile.open(source, "r:") as tar:
        for entry in tar:
            content = tar.extractfile(entry)
            if content is None or not _PLACES.fullmatch(entry.name):
                raise StoreBroken(
                    f"{source} holds something that is no file of ours; take another."
                )
            place = data_dir / entry.name
            place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            partial = place.with_name(place.name + ".partial")
            flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW
            with open(os.open(partial, flags, 0o600), "wb") as file:
                shutil.copyfileobj(content, file)
                file.flush()
                os.fsync(file.fileno())
            os.replace(partial, place)


def _begin_anew(db_file: Path, now: At) -> None:
    conn = sqlite3.connect(db_file, isolation_level=None)
    try:
        if conn.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
            raise StoreBroken(f"{db_file} is damaged; take another backup.")
        migrate(conn)
        conn.execute("BEGIN IMMEDIATE")
        for sql, values in new_life.statements(now):
            conn.execute(sql, values)
        _count_again(conn)
        conn.execute("COMMIT")
    except sqlite3.DatabaseError as error:
        raise StoreBroken(f"The backup cannot be used: {error}.") from error
    finally:
        conn.close()


def _count_again(conn: sqlite3.Connection) -> None:
    """Make the figures of what a new life changed, from the rows."""
    for table, where in new_life.BY_STATE:
        conn.execute(
            "DELETE FROM meta WHERE key GLOB ? AND key <> ?",
            (f"{PREFIX}{table}_*", PREFIX + new_life.NO_STATE),
        )
        conn.execute(
            f"INSERT INTO meta (key, value) SELECT ? || state, count(*) FROM {table}"  # noqa: S608 - constants
            f" WHERE {where} GROUP BY state",
            (f"{PREFIX}{table}_",),
        )
    for table in new_life.WHOLE:
        conn.execute(
            f"INSERT OR REPLACE INTO meta (key, value) SELECT ?, count(*) FROM {table}",  # noqa: S608 - constants
            (PREFIX + table,),
        )
