"""Backups: a consistent copy while serving, and a restore that begins a new life."""

import hashlib
import os
import shutil
import sqlite3
from pathlib import Path

import msgspec

from wunder.errors import Conflict, DataDirRefused, StoreBroken, StoreFull
from wunder.model.ids import At, new_id
from wunder.store.data_dir import DirLock, file_system_of, prepare_dir
from wunder.store.disk import free_bytes
from wunder.store.policy import StorePolicy
from wunder.store.schema import migrations
from wunder.store.sqlite.connection import open_reader
from wunder.store.sqlite.counters import PREFIX
from wunder.store.sqlite.desk import RESTORED
from wunder.store.sqlite.migrations import schema_version

DB_FILE = "wunder.db"
_CHUNK_BYTES = 1_048_576
_HOLD = """
UPDATE channel_outbox SET state = 'held', retry_at = NULL, had_unknown = had_unknown OR state <> 'pending'
WHERE state IN ('pending', 'claimed', 'sending')
"""
#: A reply that was being shown has no text of its own, and its turn stands still.
_HAS_SESSIONS = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'user_sessions'"
_LEAVE_STREAMS = """
UPDATE channel_lanes SET waiting = waiting - 1
WHERE lane_id IN (SELECT lane_id FROM channel_outbox WHERE state = 'streaming')
"""
_END_STREAMS = """
UPDATE channel_outbox SET state = 'failed', settled_at = ?, error_kind = 'internal', error = ?
WHERE state = 'streaming'
"""
_STAND_STILL = """
UPDATE channel_messages SET state = 'failed', reason = ?, finished_at = ?
WHERE state IN ('received', 'answering')
"""
#: Turn lanes are empty then; delivery lanes are held by their heads.
_SHUT_LANES = """
UPDATE channel_lanes SET ready_at = NULL, is_suspect = 0, rests_until = NULL, fence = fence + 1,
  waiting = CASE WHEN kind = 'turn' THEN 0 ELSE waiting END
"""


class Manifest(msgspec.Struct, frozen=True):
    """What a backup says of itself, in a JSON file beside it."""

    at: At
    incarnation: str
    epoch: int
    schema_version: int
    size_bytes: int
    sha256: str


def manifest_path(backup: Path) -> Path:
    """Where the manifest of a backup lies."""
    return backup.with_name(backup.name + ".json")


def write_backup(db_file: Path, target: Path, now: At, policy: StorePolicy) -> Manifest:
    """Copy the database as it is at one instant; blocks this thread, not the writer.

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
    finally:
        source.close()
        copy.close()
    _sync(partial)
    manifest = Manifest(
        at=now,
        incarnation=facts.get("incarnation", ""),
        epoch=int(facts.get("epoch", "0")),
        schema_version=version,
        size_bytes=partial.stat().st_size,
        sha256=_sha256(partial),
    )
    manifest_path(target).write_bytes(msgspec.json.format(msgspec.json.encode(manifest)))
    os.replace(partial, target)
    _sync(target.parent)
    return manifest


def restore(backup: Path, data_dir: Path, now: At) -> Manifest:
    """Put a backup in the place of a data directory's missing store; blocks.

    The new life has another incarnation. Deliveries that waited or were under way are held, messages
    that were not answered stand still as failed (`restored`), until a person lets them go: what
    happened between backup and loss is not known. API tokens and sessions of people end.

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
        manifest = _verified(backup)
        partial = place.with_name(place.name + ".partial")
        shutil.copyfile(backup, partial)
        os.chmod(partial, 0o600)
        _begin_anew(partial, now)
        _sync(partial)
        for leftover in ("-wal", "-shm"):
            place.with_name(place.name + leftover).unlink(missing_ok=True)
        os.replace(partial, place)
        _sync(data_dir)
        return manifest
    finally:
        lock.release()


def _verified(backup: Path) -> Manifest:
    try:
        manifest = msgspec.json.decode(manifest_path(backup).read_bytes(), type=Manifest)
        found = _sha256(backup)
    except (OSError, msgspec.MsgspecError) as error:
        raise StoreBroken(f"{backup} or its manifest cannot be read: {error}.") from error
    if found != manifest.sha256:
        raise StoreBroken(f"{backup} does not have the hash that its manifest names.")
    known = migrations()[-1].number
    if manifest.schema_version > known:
        raise StoreBroken(
            f"The backup has schema {manifest.schema_version} and this program knows {known}:"
            " restore it with the newer program."
        )
    return manifest


def _begin_anew(db_file: Path, now: At) -> None:
    conn = sqlite3.connect(db_file, isolation_level=None)
    try:
        if conn.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
            raise StoreBroken(f"{db_file} is damaged; take another backup.")
        conn.execute("BEGIN IMMEDIATE")
        conn.execute(_LEAVE_STREAMS)
        conn.execute(_END_STREAMS, (now, RESTORED))
        conn.execute(_HOLD)
        conn.execute(_STAND_STILL, (RESTORED, now))
        conn.execute(_SHUT_LANES)
        conn.execute("UPDATE api_tokens SET revoked_at = coalesce(revoked_at, ?)", (now,))
        if conn.execute(_HAS_SESSIONS).fetchone():  # a backup may be older than they are
            conn.execute("DELETE FROM user_sessions")
        conn.execute("DELETE FROM channel_leases")
        for key, value in (("incarnation", new_id()), ("restored_at", str(now))):
            conn.execute("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)", (key, value))
        _count_again(conn)
        conn.execute("COMMIT")
    except sqlite3.DatabaseError as error:
        raise StoreBroken(f"The backup cannot be used: {error}.") from error
    finally:
        conn.close()


def _count_again(conn: sqlite3.Connection) -> None:
    """Counters by state, from the rows: nobody waits for a restore."""
    for table, where in (("channel_outbox", "1"), ("channel_messages", "direction = 'in'")):
        conn.execute(
            f"DELETE FROM meta WHERE key GLOB ? AND key <> '{PREFIX}channel_messages_out'",  # noqa: S608 - constants
            (f"{PREFIX}{table}_*",),
        )
        conn.execute(
            f"INSERT INTO meta (key, value) SELECT ? || state, count(*) FROM {table}"  # noqa: S608 - constants
            f" WHERE {where} GROUP BY state",
            (f"{PREFIX}{table}_",),
        )


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def _sync(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
