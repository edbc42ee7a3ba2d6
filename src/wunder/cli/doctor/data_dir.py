"""The doctor's look at the data directory: place, rights, room, store, key."""

import os
import sqlite3
import stat
from pathlib import Path

from wunder.cli.doctor.finding import Finding, failed, ok, warning
from wunder.cli.output import size
from wunder.store.data_dir import NETWORK_FILE_SYSTEMS, file_system_of
from wunder.store.disk import free_bytes
from wunder.store.sqlite.backup import DB_FILE

_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def check_place(data_dir: Path) -> Finding:
    """Look whether the gateway can keep anything there."""
    place = data_dir if data_dir.exists() else _existing_parent(data_dir)
    if not place.is_dir():
        return failed("data dir", f"{place} is no directory", "name another with --data-dir")
    kind = file_system_of(place)
    if kind in NETWORK_FILE_SYSTEMS:
        advice = "use a local disk: locks do not hold over a network"
        return failed("data dir", f"{data_dir} lies on {kind}", advice)
    if not os.access(place, os.W_OK | os.X_OK):
        return failed("data dir", f"{place} is not writable", "chown it to the gateway's user")
    if place != data_dir:
        return ok("data dir", f"{data_dir} will be made at the first start")
    if stat.S_IMODE(data_dir.stat().st_mode) & _OTHERS:
        return warning("data dir", f"others may enter {data_dir}", f"chmod 700 {data_dir}")
    return ok("data dir", f"{data_dir}{' on ' + kind if kind else ''}")


def check_room(data_dir: Path, least_bytes: int) -> Finding:
    """Look how much may still be written."""
    free = free_bytes(_existing_parent(data_dir))
    shown = f"{size(free)} free"
    if free < least_bytes:
        advice = f"free space: below {size(least_bytes)} nothing is accepted any more"
        return failed("disk", shown, advice)
    if free < 4 * least_bytes:
        return warning("disk", shown, f"messages are refused below {size(least_bytes)}")
    return ok("disk", shown)


def check_store(data_dir: Path) -> Finding:
    """Read the whole store without changing it."""
    path = data_dir / DB_FILE
    if not path.exists():
        return ok("store", "none yet")
    try:
        connection = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=5)
        try:
            found = [row[0] for row in connection.execute("PRAGMA quick_check(5)")]
            moved = _moved_to(connection)
        finally:
            connection.close()
    except sqlite3.Error as error:
        return failed("store", f"{path} cannot be read: {error}", "wunder restore a backup")
    if found != ["ok"]:
        return failed("store", f"{path} is damaged: {'; '.join(found)}", "wunder restore a backup")
    if moved:
        advice = "start the gateway that has it now, or take it back: wunder export --undo"
        return failed("store", f"was moved to {moved}: no gateway starts on it", advice)
    return ok("store", f"{size(path.stat().st_size)}, whole")


def _moved_to(connection: sqlite3.Connection) -> str:
    if not connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'meta'").fetchone():
        return ""
    row = connection.execute("SELECT value FROM meta WHERE key = 'migrated_to'").fetchone()
    return str(row[0]) if row else ""


def _existing_parent(path: Path) -> Path:
    return next((parent for parent in (path, *path.parents) if parent.exists()), Path("/"))
