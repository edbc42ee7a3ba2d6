"""What SQLite's errors mean to the gateway: full, busy, broken, or one unit's own fault."""

import errno
import sqlite3
from enum import Enum

import msgspec

from wunder.errors import StoreBroken, StoreFull, StoreUnavailable, WunderError


class Blame(Enum):
    """Who has to bear an error."""

    UNIT = "unit"  # this unit alone: its row is wrong
    FULL = "full"  # nobody's: roll back, free the ballast
    BUSY = "busy"  # nobody's: safe to try again
    FATAL = "fatal"  # everybody's: never write through this handle again


_FULL = {sqlite3.SQLITE_FULL}
_BUSY = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_INTERRUPT,
}
_FATAL = {
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_NOTADB,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_INTERNAL,
    sqlite3.SQLITE_PROTOCOL,
}


#: What one row's content may raise on its way into a statement.
ROW_FAULTS = (
    sqlite3.IntegrityError,
    sqlite3.InterfaceError,
    sqlite3.DataError,
    sqlite3.ProgrammingError,
    msgspec.MsgspecError,
    ValueError,
    TypeError,
    OverflowError,
)


def blame(error: BaseException) -> Blame:
    """Say who bears an error raised by a statement, a savepoint or a commit.

    An I/O error, a failed fsync among them, leaves unknown what reached the disk: fatal.
    """
    if isinstance(error, StoreBroken):
        return Blame.FATAL
    if isinstance(error, OSError):
        return Blame.FULL if error.errno in (errno.ENOSPC, errno.EDQUOT) else Blame.FATAL
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:
        return Blame.UNIT
    primary = code & 0xFF
    # SHMSIZE: the log's index could not grow on a full disk, and nothing of it needs to last.
    if primary in _FULL or code == sqlite3.SQLITE_IOERR_SHMSIZE:
        return Blame.FULL
    if primary in _BUSY:
        return Blame.BUSY
    return Blame.FATAL if primary in _FATAL else Blame.UNIT


def translate(error: BaseException) -> WunderError:
    """Return our error for one of SQLite's; words for people, no values of rows."""
    words = str(error)
    match blame(error):
        case Blame.FULL:
            return StoreFull(f"the disk is full: {words}")
        case Blame.BUSY:
            return StoreUnavailable(f"the database is locked by another program: {words}")
        case Blame.FATAL:
            return StoreBroken(f"the database failed and is not written to any more: {words}")
        case Blame.UNIT:
            return WunderError(f"the store refused this unit of work: {words}")
