"""The doctor's look at PostgreSQL: does it answer, keep what it acknowledged, and keep sessions apart."""

import asyncio
import re
from pathlib import Path
from typing import TypeAlias

import asyncpg

from wunder.cli.doctor.finding import Finding, failed, ok, warning
from wunder.errors import ConfigInvalid, WunderError
from wunder.store.policy import StorePolicy
from wunder.store.postgres.address import Address, address_of
from wunder.store.postgres.faults import translate
from wunder.store.postgres.migrations import schema_version
from wunder.store.schema import migrations

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"
OLDEST = 130_000  # older servers get no fixes any more
#: Connections of one node: one writes, two read, one listens, one moves large bytes.
A_NODE = 5
_FACTS = """
SELECT current_setting('server_version_num')::int, current_setting('fsync') = 'on',
  current_setting('synchronous_commit') <> 'off', current_setting('full_page_writes') = 'on',
  current_setting('max_connections')::int - (SELECT count(*) FROM pg_stat_activity
    WHERE backend_type = 'client backend'),
  (SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'async'), pg_is_in_recovery(),
  current_setting('transaction_read_only') = 'on'
"""
#: Any number that nothing else locks.
_PROBE = 0x77646F6374
_MADE = re.compile(r"CREATE TABLE (\w+)")
_ROOM_FOR_TABLES = """
SELECT (SELECT min(relname::text) FROM pg_class
        WHERE relnamespace = current_schema()::regnamespace AND relname::text = ANY($1::text[])),
  coalesce(has_schema_privilege(current_schema(), 'CREATE'), false)
"""
_POOLED = "every node speaks to the server itself: name it, not the pooler"


def check_database(policy: StorePolicy, credentials_dir: Path | None) -> list[Finding]:
    """Look at the database that the settings name."""
    try:
        address = address_of(policy, credentials_dir)
    except ConfigInvalid as error:
        return [failed("database", error.detail, "correct store.database_url_file")]
    if address is None:
        return []
    try:
        return asyncio.run(_look(address))
    except (WunderError, OSError, TimeoutError) as error:
        if "startup parameter" in str(error):
            return [failed("database", f"{address.shown}: {error}", _POOLED)]
        words = translate(error).detail
        advice = "is it running, and may this machine and this role connect?"
        return [failed("database", f"{address.shown}: {words}", advice)]


async def _look(address: Address) -> list[Finding]:
    try:
        conn = await address.connect("doctor")
        try:
            found = await _findings(address, conn)
            other = await address.connect("doctor")
            try:
                found.append(await _sessions(conn, other))
            finally:
                await other.close()
        finally:
            await conn.close()
    except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        if "startup parameter" in str(error):
            raise OSError(str(error)) from error
        raise translate(error) from error
    return found


async def _findings(address: Address, conn: Connection) -> list[Finding]:
    version, syncs, waits, whole_pages, free, async_replicas, is_replica, is_shut = tuple(
        await conn.fetchrow(_FACTS) or ()
    )
    shown = f"{address.shown}, PostgreSQL {version // 10_000}.{version % 10_000}"
    if version < OLDEST:
        return [failed("database", shown, "13 is the oldest that works")]
    if is_replica:
        return [failed("database", f"{shown} is a replica", "name the server that is written to")]
    if is_shut:
        advice = "set default_transaction_read_only = off, on the server, the database and the role"
        return [failed("database", f"{shown} takes no writes", advice)]
    found = [ok("database", shown), await _schema(conn)]
    if syncs and waits and whole_pages:
        found.append(ok("commits", "last over a power cut"))
    else:
        named = "fsync" if not syncs else "synchronous_commit" if not waits else "full_page_writes"
        words = "messages that were acknowledged may be lost"
        found.append(failed("commits", f"{named} is off: {words}", f"set {named} = on"))
    if async_replicas:
        words = f"{async_replicas} replicate asynchronously"
        advice = "whoever takes over from one of them loses the last messages: make it synchronous"
        found.append(warning("replicas", words, advice))
    if free < A_NODE:
        words = f"{free} connections are left, a node takes {A_NODE}"
        found.append(warning("connections", words, "raise max_connections"))
    return found


async def _schema(conn: Connection) -> Finding:
    found, known = await schema_version(conn), migrations()[-1].number
    if not found:
        return await _before_the_first_start(conn)
    if found > known:
        words = f"schema {found}, this program knows {known}"
        return failed("schema", words, "run the newer program")
    if found < known:
        return ok("schema", f"{found}, a start brings it to {known}")
    return ok("schema", str(found))


async def _before_the_first_start(conn: Connection) -> Finding:
    """Whether a start can make its tables: names that are taken, and a role that may not, end it."""
    ours = {name for step in migrations() for name in _MADE.findall(step.sql)}
    taken, may_create = tuple(await conn.fetchrow(_ROOM_FOR_TABLES, sorted(ours)) or ())
    if taken:
        words = f"none yet, and {taken} is a table of another program"
        return failed("schema", words, "name a database of its own")
    if not may_create:
        return failed("schema", "none yet, and this role may make none", "have it own the database")
    return ok("schema", "none yet")


async def _sessions(conn: Connection, other: Connection) -> Finding:
    """A lock of one session must hold against another one: a pooler may make them the same."""
    await conn.fetchval("SELECT pg_advisory_lock($1)", _PROBE)
    got = await other.fetchval("SELECT pg_try_advisory_lock($1)", _PROBE)
    if got:
        return failed("sessions", "a pooler shares sessions between connections", _POOLED)
    return ok("sessions", "each connection has its own")
