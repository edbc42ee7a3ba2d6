"""What a session keeps on the server between statements."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from tests.postgres_server import postgres
from wunder.errors import StoreUnavailable
from wunder.store.policy import StorePolicy
from wunder.store.postgres.address import Address
from wunder.store.postgres.faults import Blame, blame, translate
from wunder.store.postgres.session import Session
from wunder.store.postgres.statements import Many

_KEPT = "SELECT statement, generic_plans FROM pg_prepared_statements WHERE statement LIKE ?"
_ONE = Many(
    "UPDATE meta m SET value = v.value FROM {v} WHERE m.key = v.key", "key text, value text"
)
_OTHER = Many("INSERT INTO meta (key, value) SELECT key, value FROM {v}", "key text, value text")


@pytest.fixture
async def writer() -> AsyncIterator[Session]:
    address = Address(await postgres().new_database(), StorePolicy())
    conn = await address.connect("writer", is_writer=True)
    yield Session(conn, keeps_plans=True)
    await conn.close()


async def test_a_statement_of_the_writer_is_parsed_and_planned_once(writer: Session) -> None:
    for number in range(3):
        assert await writer.fetch("SELECT ?::int8 + 41", number) == [(41 + number,)]
    assert await writer.fetch(_KEPT, "SELECT $1::int8%") == [("SELECT $1::int8 + 41", 3)]


async def test_the_same_writes_in_another_order_are_the_same_statement(writer: Session) -> None:
    await writer.ask([(_ONE, [("a", "1")]), (_OTHER, [("b", "2")])])
    await writer.ask([(_OTHER, [("c", "3")]), (_ONE, [("b", "4")])])
    kept = await writer.fetch(_KEPT, "WITH%")
    assert [plans for _, plans in kept] == [2]
    assert await writer.fetch("SELECT key, value FROM meta WHERE key < 'd' ORDER BY key") == [
        ("b", "4"),
        ("c", "3"),
    ]


async def test_plans_of_before_a_newer_node_migrated_end_with_their_connection(
    writer: Session,
) -> None:
    await writer.fetch("SELECT * FROM meta")
    await writer.plain("ALTER TABLE meta ADD COLUMN later TEXT")
    with pytest.raises(asyncpg.PostgresError) as caught:
        await writer.fetch("SELECT * FROM meta")
    assert blame(caught.value) is Blame.AWAY


@pytest.mark.parametrize(
    "error", [asyncpg.PostgresIOError, asyncpg.PostgresSystemError, asyncpg.OutOfMemoryError]
)
def test_no_message_is_to_blame_for_what_the_servers_machine_cannot_do(
    error: type[asyncpg.PostgresError],
) -> None:
    """A webhook is told to come again; refused, what it brought would be set aside."""
    told = error("could not read block 7")
    assert blame(told) is Blame.AWAY
    assert isinstance(translate(told), StoreUnavailable)


async def test_statements_of_one_round_are_one_and_each_row_gets_its_own(writer: Session) -> None:
    found = Many("SELECT v.n, m.value FROM {v} JOIN meta m ON m.key = v.key", "key text")
    made = Many(
        "INSERT INTO meta AS m (key, value) SELECT key, value FROM {v} RETURNING m.key, m.value",
        "key text, value text",
        by="key",
    )
    await writer.ask([(_OTHER, [("a", "1"), ("b", "2")])])
    rows = await writer.ask(
        [(made, [("d", "4"), ("c", "3")]), (_ONE, [("a", "5")]), (found, [("b",), ("x",), ("a",)])]
    )
    assert rows == [[[("4",)], [("3",)]], [[]], [[("2",)], [], [("1",)]]]
    assert len(await writer.fetch(_KEPT, "WITH%")) == 1
    assert await writer.ask([(found, [("a",)])]) == [[[("5",)]]]


async def test_what_leads_runs_before_what_was_asked_for_first(writer: Session) -> None:
    number = "SELECT v.n, nextval('channel_trail_steps') FROM {v}"
    follows, leads = Many(number, "key text"), Many(number, "key text", leads=True)
    ((second,),), ((first,),) = await writer.ask([(follows, [("a",)]), (leads, [("a",)])])
    assert first < second
