"""What the command line says when a copy cannot be made, or the database is not there: what, where, what to do."""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

import asyncpg
import pytest

from tests.chaos.small_disk import fill, small_disk
from tests.postgres_server import postgres
from wunder.cli.failure import BAD_USAGE, FAILED, OK
from wunder.cli.main import main

pytestmark = pytest.mark.process


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    url = asyncio.run(postgres().new_database())
    monkeypatch.setenv("WUNDER_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("WUNDER_STORE_DATABASE_URL", url)
    return url


@pytest.mark.parametrize("command", [["migrate"], ["backup", "copy.tar"], ["serve"]])
@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda url: url.replace("@/w", "@/no_such_"), "the server has no database of this name"),
        (lambda url: url.replace("wunder@", "nobody@"), "refuses this role"),
        (lambda _: "postgresql://me:s3cret@127.0.0.1:1/wunder", "nothing listens"),
        (lambda _: "postgresql://me:s3cret@no.such.host.invalid/wunder", "host is not known"),
    ],
)
def test_why_the_database_is_away_is_said_with_its_address_and_without_the_password(
    database: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    command: list[str],
    change: Callable[[str], str],
    says: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WUNDER_STORE_DATABASE_URL", change(database))
    assert main(command) == FAILED
    said = capsys.readouterr().err
    assert says in said
    assert "postgresql://" in said
    assert "s3cret" not in said
    assert not list(tmp_path.glob("copy*"))


@pytest.mark.parametrize(
    ("prepared", "says"),
    [
        ("REVOKE CREATE ON SCHEMA public FROM public", "has to own the database"),
        ("CREATE TABLE agents (x int)", "tables of another program"),
        ("ALTER ROLE guest SET default_transaction_read_only = on", "takes no writes"),
    ],
)
@pytest.mark.parametrize("command", [["migrate"], ["serve"]])
def test_a_database_that_cannot_be_used_as_it_is_says_what_it_lacks(
    database: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    command: list[str],
    prepared: str,
    says: str,
) -> None:
    url = asyncio.run(_prepared(prepared))
    monkeypatch.setenv("WUNDER_STORE_DATABASE_URL", url)
    try:
        assert main(command) == FAILED
    finally:
        asyncio.run(_without_guest(url))
    assert says in capsys.readouterr().err


async def _prepared(sql: str) -> str:
    """An empty database after `sql`, as a role that does not own it and has no other rights."""
    url = await postgres().empty_database()
    conn = await asyncpg.connect(url)
    await conn.execute(f"CREATE ROLE guest LOGIN; GRANT CREATE ON SCHEMA public TO public; {sql}")
    await conn.close()
    return url.replace("wunder@", "guest@")


async def _without_guest(url: str) -> None:
    conn = await asyncpg.connect(url.replace("guest@", "wunder@"))
    await conn.execute("DROP OWNED BY guest; DROP ROLE guest")
    await conn.close()


def test_wrong_settings_end_it_as_badly_used_so_that_a_service_manager_does_not_start_it_again(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("WUNDER_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("WUNDER_STORE_DATABASE_URL_FILE", str(tmp_path / "none"))
    assert main(["serve"]) == BAD_USAGE
    assert str(tmp_path / "none") in capsys.readouterr().err


def test_a_copy_that_finds_no_room_blames_the_disk_and_leaves_nothing(
    database: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    with small_disk(tmp_path / "small", 256 * 1024) as disk:
        fill(disk)
        assert main(["backup", str(disk / "copy.tar")]) == FAILED
        said = capsys.readouterr().err
        assert "no room" in said.lower()
        assert str(disk / "copy.tar") in said
        assert os.listdir(disk) == ["filler"]


def test_a_copy_into_a_folder_that_cannot_be_made_names_it(
    database: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    assert main(["backup", str(tmp_path / "file" / "copy.tar")]) in (FAILED, BAD_USAGE)
    said = capsys.readouterr().err
    assert str(tmp_path / "file") in said
    assert "database" not in said


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == OK
    assert capsys.readouterr().out.startswith("wunder ")
