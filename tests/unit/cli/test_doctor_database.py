"""The doctor looks at PostgreSQL as a node would, and says what would lose messages."""

import asyncio

import asyncpg
import pytest

from tests.postgres_server import postgres
from wunder.cli.doctor import database
from wunder.cli.doctor.database import check_database
from wunder.store.policy import StorePolicy
from wunder.store.postgres.address import Address


def found(url: str) -> dict[str, tuple[str, str]]:
    looked = check_database(StorePolicy(database_url=url, database_connect_s=2), None)
    return {one.name: (one.verdict, one.found) for one in looked}


def execute(url: str, sql: str) -> None:
    async def run() -> None:
        conn = await asyncpg.connect(url)
        await conn.execute(sql)
        await conn.close()

    asyncio.run(run())


@pytest.fixture
def url() -> str:
    return asyncio.run(postgres().new_database())


def test_a_sound_database_is_fine_in_every_respect(url: str) -> None:
    looked = found(url)
    assert {verdict for verdict, _ in looked.values()} == {"ok"}
    assert set(looked) == {"database", "schema", "commits", "sessions"}


def test_an_empty_database_is_fine() -> None:
    assert found(asyncio.run(postgres().empty_database()))["schema"] == ("ok", "none yet")


def test_tables_of_another_program_are_told_before_the_first_start() -> None:
    url = asyncio.run(postgres().empty_database())
    execute(url, "CREATE TABLE users (x int)")
    words = "none yet, and users is a table of another program"
    assert found(url)["schema"] == ("failed", words)


def test_a_role_that_may_make_no_tables_is_told_before_the_first_start() -> None:
    url = asyncio.run(postgres().empty_database())
    execute(url, "DROP SCHEMA public")
    assert found(url)["schema"] == ("failed", "none yet, and this role may make none")


def test_a_gateway_with_a_file_has_no_database() -> None:
    assert check_database(StorePolicy(), None) == []


def test_commits_that_do_not_last_are_told(url: str) -> None:
    name = url.partition("/wunder@/")[2] or url.rpartition("/")[2]
    name = name.partition("?")[0]
    execute(url, f'ALTER DATABASE "{name}" SET synchronous_commit = off')
    verdict, words = found(url)["commits"]
    assert verdict == "failed"
    assert "synchronous_commit" in words


def test_a_newer_schema_is_told(url: str) -> None:
    execute(url, "UPDATE meta SET value = '999' WHERE key = 'schema_version'")
    assert found(url)["schema"][0] == "failed"


def test_a_server_that_is_away_is_told_without_the_password() -> None:
    looked = found("postgresql://me:s3cret@127.0.0.1:1/wunder")
    assert looked["database"][0] == "failed"
    assert "s3cret" not in str(looked)


def test_a_credential_that_only_the_unit_has_is_told_with_the_way_round() -> None:
    policy = StorePolicy(database_url_file="wunder-database-url")
    (looked,) = check_database(policy, None)
    assert "outside systemd's unit" in looked.found
    assert "WUNDER_STORE_DATABASE_URL_FILE" in looked.found


def test_a_url_that_is_none_is_told() -> None:
    assert found("mysql://x/y")["database"][0] == "failed"


def test_too_few_connections_are_told(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "A_NODE", 10_000)
    assert found(url)["connections"][0] == "warning"


def test_sessions_that_a_pooler_shares_are_told(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As behind a pooler: both connections turn out to be the same session."""
    shared: list[asyncpg.Connection[asyncpg.Record]] = []
    closed: list[object] = []
    connect = Address.connect

    class Lent:
        """A connection that is not ended by who borrowed it."""

        def __init__(self, conn: "asyncpg.Connection[asyncpg.Record]") -> None:
            self.fetchval, self.fetchrow = conn.fetchval, conn.fetchrow

        async def close(self) -> None:
            closed.append(self)
            if len(closed) == 2:
                await shared[0].close()

    async def pooled(self: Address, role: str, *, is_writer: bool = False) -> Lent:
        if not shared:
            shared.append(await connect(self, role, is_writer=is_writer))
        return Lent(shared[0])

    monkeypatch.setattr(Address, "connect", pooled)
    assert found(url)["sessions"][0] == "failed"


def test_a_pooler_that_refuses_our_limits_is_named(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(self: object, role: str, *, is_writer: bool = False) -> None:
        raise asyncpg.ProtocolViolationError("unsupported startup parameter: lock_timeout")

    monkeypatch.setattr(Address, "connect", refuse)
    (looked,) = check_database(StorePolicy(database_url=url), None)
    assert (looked.verdict, "pooler" in looked.advice) == ("failed", True)


def test_a_server_that_takes_no_writes_is_told(url: str) -> None:
    name = url.partition("@/")[2].partition("?")[0]
    execute(url, f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
    verdict, words = found(url)["database"]
    assert verdict == "failed"
    assert "takes no writes" in words


@pytest.mark.parametrize(
    ("url", "place", "why"),
    [
        ("postgresql://me@127.0.0.1:1/w", "postgresql://127.0.0.1:1/w", "nothing listens"),
        ("postgresql://me@/w?host=/nowhere", "postgresql:///w?host=/nowhere", "nothing listens"),
        ("postgresql://me@no.invalid/w", "postgresql://no.invalid/w", "not known here"),
        ("postgresql://me@[::1]:1/w", "postgresql://[::1]:1/w", ""),
    ],
)
def test_where_the_database_was_looked_for_is_told_in_full(url: str, place: str, why: str) -> None:
    words = found(url)["database"][1]
    assert words.startswith(f"{place}: ")
    assert why in words
    assert "Errno" not in words
