"""The schema says what the model says, and every hot statement finds its way by an index."""

import re
import sqlite3
from pathlib import Path

import pytest

from wunder.model.delivery import RECEIPT_ORDER, DeliveryState
from wunder.model.message import MessageState
from wunder.model.plugin import PluginStatus
from wunder.store import (
    again,
    attachments,
    desk,
    evidence,
    expiry,
    inline,
    quarantine,
    readiness,
    receipts,
    recovery,
    sent_first,
    settled,
    shown,
    spool,
    sweep,
)
from wunder.store import (
    delivery_rows as of_both,
)
from wunder.store.schema import migrations
from wunder.store.sqlite import (
    claims,
    delivery_rows,
    fair_turns,
    intake,
    lanes,
    outbox,
    sessions,
    settling,
    standing,
    turns,
)
from wunder.store.sqlite import (
    recovery as found_by_sqlite,
)
from wunder.store.sqlite.migrations import migrate

#: Spec "Tables": exactly these, and what many nodes share (ADR 0017), who was let in (ADR 0077),
#: work in steps (ADR 0078), what people need (ADR 0080), how much there was (ADR 0089) and answers that come later (ADR 0068).
TABLES = frozenset(
    "channel_accounts channel_bindings channel_user_bindings channel_sessions channel_messages"  # noqa: SIM905 - a list this long is for reading
    " channel_outbox channel_attempts channel_dedupe channel_lanes channel_spool channel_quarantine"
    " channel_receipts channel_trail channel_state channel_leases attachments channel_events"
    " channel_plugins channel_plugin_versions channel_plugin_runtime agents users api_tokens audit"
    " meta shelf nodes user_sessions channel_visibility channel_pairings jobs tallies agent_replies".split()
)


@pytest.fixture
def conn() -> sqlite3.Connection:
    conn = sqlite3.connect(":memory:", isolation_level=None)
    migrate(conn)
    return conn


def checked(conn: sqlite3.Connection, table: str, column: str) -> set[str]:
    (sql,) = conn.execute("SELECT sql FROM sqlite_master WHERE name = ?", (table,)).fetchone()
    line = next(x for x in sql.splitlines() if x.strip().startswith(f"{column} "))
    return set(re.findall(rf"{column} = '([a-z_]*)'", line))


def test_there_are_exactly_the_tables_of_the_design(conn: sqlite3.Connection) -> None:
    rows = conn.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    assert {row[0] for row in rows} == TABLES


def test_the_states_in_the_tables_are_those_of_the_model(conn: sqlite3.Connection) -> None:
    assert checked(conn, "channel_outbox", "state") == set(DeliveryState)
    assert checked(conn, "channel_messages", "state") == {*MessageState, ""}
    assert checked(conn, "channel_outbox", "receipt") == set(RECEIPT_ORDER)
    assert set(PluginStatus) == {"enabled", "disabled", "error"}


def test_a_conversation_is_four_columns_that_are_never_null(conn: sqlite3.Connection) -> None:
    for table in ("channel_lanes", "channel_messages", "channel_outbox", "channel_sessions"):
        columns = {row[1]: row for row in conn.execute(f"PRAGMA table_info({table})")}
        for name in ("account_uid", "peer_kind", "peer_id", "thread_id"):
            assert (columns[name][3], columns[name][4]) == (1, "''"), (table, name)


def test_times_are_integers(conn: sqlite3.Connection) -> None:
    for table in TABLES:
        for row in conn.execute(f"PRAGMA table_info({table})"):
            if row[1].endswith(("_at", "_until")) or row[1] == "at":
                assert row[2] == "INTEGER", (table, row[1])


def test_migrating_again_changes_nothing(conn: sqlite3.Connection) -> None:
    assert migrate(conn) == migrations()[-1].number


def test_every_migration_is_numbered_without_gap() -> None:
    assert [step.number for step in migrations()] == list(range(1, len(migrations()) + 1))


#: Statements on the way of a message, and those that run for ever beside it.
HOT = {
    name: sql
    for module in (
        again,
        attachments,
        inline,
        of_both,
        readiness,
        sent_first,
        settled,
        shown,
        claims,
        delivery_rows,
        evidence,
        fair_turns,
        expiry,
        sweep,
        intake,
        lanes,
        outbox,
        quarantine,
        receipts,
        recovery,
        found_by_sqlite,
        sessions,
        settling,
        spool,
        standing,
        turns,
        desk,
    )
    for key, sql in vars(module).items()
    if isinstance(sql, str) and re.match(r"\s*(SELECT|UPDATE|DELETE|WITH)\b", sql)
    for name in [f"{module.__name__.rpartition('.')[2]}.{key}"]
}


@pytest.mark.parametrize("name", sorted(HOT))
def test_no_hot_statement_scans_a_table(conn: sqlite3.Connection, name: str) -> None:
    sql = HOT[name]
    highest = max((int(n) for n in re.findall(r"\?(\d+)", sql)), default=0)
    values = (None,) * (highest or sql.count("?"))
    plan = [row[3] for row in conn.execute(f"EXPLAIN QUERY PLAN {sql}", values)]
    # A whole partial index is all that waits: only who opens a store after a crash goes through it.
    scans = [step for step in plan if re.match(r"SCAN (channel_\w+|\w)( USING .*)?$", step)]
    assert not scans or name.startswith("recovery."), plan
    sorts = [step for step in plan if "USE TEMP B-TREE FOR ORDER BY" in step]
    assert not sorts or name.startswith(("recovery.", "spool.", "desk.")), plan


def test_no_state_is_bound_where_a_partial_index_compares_it() -> None:
    """SQLite would prepare such a statement anew for each value (60 us instead of 15)."""
    for name, sql in HOT.items():
        where = sql.partition("WHERE")[2]
        assert not re.search(r"\b(state|status|is_current|is_default) = \?", where), name


def test_the_migrations_are_plain_files_of_the_package() -> None:
    folder = Path(migrations.__code__.co_filename).parent / "migrations"
    assert sorted(path.name for path in folder.glob("*.sql"))[0] == "0001_tables.sql"
