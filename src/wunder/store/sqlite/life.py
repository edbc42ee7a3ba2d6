"""One writer, one life: the epoch that each start raises."""

import sqlite3

from wunder.errors import DataDirRefused, StoreBroken
from wunder.model.ids import At, new_id


class Life:
    """This start of this store. The epoch is checked in each commit."""

    def __init__(self, epoch: int, incarnation: str) -> None:
        self.epoch = epoch
        self.incarnation = incarnation

    def check(self, conn: sqlite3.Connection) -> None:
        """Raise StoreBroken when another start has taken over."""
        row = conn.execute("SELECT value FROM meta WHERE key = 'epoch'").fetchone()
        if row is None or int(row[0]) != self.epoch:
            raise StoreBroken("Another gateway has opened this store meanwhile; this one must end.")


def begin(conn: sqlite3.Connection, now: At) -> Life:
    """Raise the epoch, inside the caller's transaction; a new store gets its incarnation.

    Raises:
        DataDirRefused: this store was moved to another engine and must not live on.
    """
    facts = dict(
        conn.execute("SELECT key, value FROM meta WHERE key NOT GLOB 'count.*'").fetchall()
    )
    if facts.get("migrated_to"):
        raise DataDirRefused(
            f"This store was moved to {facts['migrated_to']}; `wunder export --undo` takes that back."
        )
    epoch = int(facts.get("epoch", "0")) + 1
    incarnation = facts.get("incarnation") or new_id()
    _put(conn, "epoch", str(epoch))
    _put(conn, "incarnation", incarnation)
    if "created_at" not in facts:
        _put(conn, "created_at", str(now))
    return Life(epoch, incarnation)


def _put(conn: sqlite3.Connection, key: str, value: str) -> None:
    conn.execute(
        "INSERT INTO meta (key, value) VALUES (?, ?)"
        " ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        (key, value),
    )
