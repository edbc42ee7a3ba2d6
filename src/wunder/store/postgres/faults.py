"""What PostgreSQL's errors mean to the gateway: away, again, full, broken, or one unit's own fault."""

import socket
from enum import Enum

import asyncpg
import msgspec

from wunder.errors import StoreBroken, StoreFull, StoreUnavailable, WunderError


class Blame(Enum):
    """Who has to bear an error."""

    UNIT = "unit"  # this unit alone: its row is wrong
    FULL = "full"  # nobody's: the server's disk is full
    AGAIN = "again"  # nobody's: two nodes met; the same work may be done anew at once
    AWAY = "away"  # nobody's: the connection or the server is gone
    FATAL = "fatal"  # everybody's: damaged data


#: What one row's content may raise on its way into a statement.
ROW_FAULTS = (
    asyncpg.DataError,
    asyncpg.IntegrityConstraintViolationError,
    asyncpg.ProgramLimitExceededError,
    msgspec.MsgspecError,
    ValueError,
    TypeError,
    OverflowError,
)
_AGAIN = {"40001", "40P01", "55P03", "57014"}
_AWAY = {"57P01", "57P02", "57P03", "57P05", "25006", "25P03", "3D000", "28000", "28P01"}
#: Connections, resources, and what the server's own system fails at: its disk, an I/O error.
_AWAY_CLASSES = ("08", "53", "58")
_FATAL = {"XX001", "XX002"}
#: Who reads these has to do something, and what differs.
_WHY_AWAY = {
    "25006": "the database takes no writes: it is a replica, or set to read only",
    "28000": "the database refuses this role, or a connection of it from here (pg_hba.conf)",
    "28P01": "the database refuses this role or its password",
    "3D000": "the server has no database of this name",
    "53300": "the database has no connection left (max_connections)",
    "57P03": "the database is starting or shutting down",
}
#: What a unit of work meets that no other row would have cured.
_WHY_REFUSED = {
    "42501": "the database gives this role too few rights: it has to own the database and its tables",
    "42P07": "the database holds tables of another program: name one of its own",
}


def blame(error: BaseException) -> Blame:
    """Say who bears an error raised by a statement, a savepoint, a commit or a connection.

    Source: postgresql.org/docs/15/errcodes-appendix.html, read 2026-11-23.
    """
    if isinstance(error, StoreBroken):
        return Blame.FATAL
    if isinstance(error, StoreUnavailable | asyncpg.InvalidCachedStatementError):
        # The latter: a newer node changed a table, and this connection's plans are of before.
        return Blame.AWAY
    state = getattr(error, "sqlstate", None)
    if not state:
        # A lost connection is an OSError, or InterfaceError once asyncpg has noticed.
        is_client = isinstance(error, asyncpg.InterfaceError | asyncpg.InternalClientError)
        return Blame.AWAY if is_client or isinstance(error, OSError) else Blame.UNIT
    return _of_state(str(state))


def _of_state(state: str) -> Blame:
    if state == "53100":
        return Blame.FULL
    if state in _AGAIN:
        return Blame.AGAIN
    if state in _AWAY or state[:2] in _AWAY_CLASSES:
        return Blame.AWAY
    return Blame.FATAL if state in _FATAL else Blame.UNIT


def translate(error: BaseException) -> WunderError:
    """Return our error for one of PostgreSQL's; no values of rows, no address."""
    if isinstance(error, WunderError):
        return error
    kind = type(error).__name__
    match blame(error):
        case Blame.FULL:
            return StoreFull("the database server's disk is full")
        case Blame.AGAIN:
            return StoreUnavailable(f"the database is held up by another node ({kind})")
        case Blame.AWAY:
            return StoreUnavailable(_why_away(error))
        case Blame.FATAL:
            return StoreBroken(f"the database reports damaged data ({kind})")
        case Blame.UNIT:
            known = _WHY_REFUSED.get(str(getattr(error, "sqlstate", "")))
            return WunderError(known or f"the store refused this unit of work: {kind}")


def _why_away(error: BaseException) -> str:
    known = _WHY_AWAY.get(str(getattr(error, "sqlstate", "")))
    if known:
        return known
    if isinstance(error, TimeoutError):
        return "the database does not answer in time"
    if isinstance(error, ConnectionRefusedError | FileNotFoundError):
        return "nothing listens where the database should be"
    if isinstance(error, socket.gaierror):
        return "the name of the database's host is not known here"
    return f"the database does not answer ({type(error).__name__})"
