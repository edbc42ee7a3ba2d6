"""What the command line says when a copy cannot be made, or the database is not there: what, where, what to do."""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

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
