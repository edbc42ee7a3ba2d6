"""From a laptop's SQLite to nodes on PostgreSQL, and back from a backup: with the commands people use."""

import asyncio
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.journeys.gateway_process import GatewayProcess
from tests.journeys.test_acceptance_1 import CHANNEL, install, throw, washed_ashore
from tests.postgres_server import postgres
from tests.waiting import wait_for
from wunder.cli.failure import BAD_USAGE, FAILED, OK
from wunder.cli.main import main

pytestmark = pytest.mark.process
Run = Callable[..., Any]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command on a data directory and a database ("" for none); its JSON, or its exit code."""

    def run(place: Path, url: str, *line: str) -> Any:
        monkeypatch.setenv("WUNDER_DATA_DIR", str(place))
        if url:
            monkeypatch.setenv("WUNDER_STORE_DATABASE_URL", url)
        else:
            monkeypatch.delenv("WUNDER_STORE_DATABASE_URL", raising=False)
        capsys.readouterr()
        code = main([*line, "--json"])
        shown = capsys.readouterr()
        return json.loads(shown.out) if code == OK else (code, shown.out + shown.err)

    return run


def new_database() -> str:
    return asyncio.run(postgres().empty_database())


def on(place: Path, url: str) -> GatewayProcess:
    return GatewayProcess(place, **({"WUNDER_STORE_DATABASE_URL": url} if url else {}))


def say(gateway: GatewayProcess, number: int) -> None:
    wait_for(
        lambda: (
            throw(gateway, "main", {"id": str(number), "from": "ann", "say": f"n{number}"})[0]
            == 200
        )
    )


def take_key(old: Path, new: Path) -> None:
    (new / "keys").mkdir(parents=True, mode=0o700)
    new.chmod(0o700)
    shutil.copy2(old / "keys/master.key", new / "keys/master.key")


def test_a_gateway_moves_from_sqlite_to_postgresql_with_plugin_account_and_messages(
    tmp_path: Path, run: Run
) -> None:
    old, new, shore = tmp_path / "old", tmp_path / "new", tmp_path / "shore.jsonl"
    url = new_database()
    with on(old, "") as gateway:
        install(gateway, shore)
        say(gateway, 1)
        wait_for(lambda: len(washed_ashore(shore)) == 1)
        assert run(old, "", "export", str(tmp_path / "x.tar"), "--yes")[0] == FAILED, "it runs"

    made = run(old, "", "export", str(tmp_path / "moved.tar"), "--yes")
    assert made["tables"]["channel_messages"] == 2
    assert (made["files"], made["missing"]) == (1, [])
    assert "export --undo" in run(old, "", "agent", "list")[1]

    take_key(old, new)
    brought = run(new, url, "import", str(tmp_path / "moved.tar"))
    assert (brought["rows"], brought["key"]) == (made["rows"], "same")
    assert "empty database" in run(new, url, "import", str(tmp_path / "moved.tar"))[1]
    with on(new, url) as gateway:
        say(gateway, 2)
        wait_for(lambda: [note["text"] for note in washed_ashore(shore)] == ["n1", "n2"])
        say(gateway, 1)  # a repeat of what the old store had taken in
        states = {one["state"] for one in gateway.get("channels/outbox")["items"]}
        assert states == {"sent"}
        (node,) = gateway.get("nodes")["items"]
        assert (node["state"], node["is_this"], node["url"]) == ("serving", True, gateway.url)
        assert [one["plugin_id"] for one in node["plugins"]] == [CHANNEL]
        assert run(new, url, "nodes")[0]["node_id"] == node["node_id"]
    assert len(washed_ashore(shore)) == 2


def test_an_import_with_another_key_is_refused_before_anything_is_written(
    tmp_path: Path, run: Run
) -> None:
    url = new_database()
    for place in ("old", "other"):
        run(tmp_path / place, "", "agent", "list")
    run(tmp_path / "old", "", "export", str(tmp_path / "moved.tar"), "--yes")
    code, words = run(tmp_path / "other", url, "import", str(tmp_path / "moved.tar"))
    assert (code, "is not the one" in words) == (FAILED, True)
    assert run(tmp_path / "none", url, "import", str(tmp_path / "moved.tar"))["key"] == "absent"


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_yesterdays_backup_is_restored_with_plugin_and_nothing_leaves_by_itself(
    engine: str, tmp_path: Path, run: Run
) -> None:
    on_postgres = engine == "postgresql"
    url = new_database() if on_postgres else ""
    old, new, shore = tmp_path / "old", tmp_path / "new", tmp_path / "shore.jsonl"
    backup = tmp_path / "yesterday"
    with on(old, url) as gateway:
        install(gateway, shore)
        say(gateway, 1)
        wait_for(lambda: len(washed_ashore(shore)) == 1)
        gateway.call("POST", f"channel_plugins/{CHANNEL}/disable")
        body = {"channel": CHANNEL, "account_id": "main", "peer": {"kind": "user", "id": "bob"}}
        gateway.call(
            "POST", "channels/messages", {**body, "text": "waits"}, **{"Idempotency-Key": "k"}
        )
        made = run(old, url, "backup", str(backup))
        assert (made["engine"], made["missing"]) == (engine, [])
        assert made["files"] == 1
        assert run(old, url, "backup", str(backup))[0] == BAD_USAGE
        if on_postgres:
            code, words = run(old, url, "backup", "--no-files", str(tmp_path / "small"))
            assert (code, "--no-files" in words) == (BAD_USAGE, True)
        gateway.call("POST", f"channel_plugins/{CHANNEL}/enable", {})
        wait_for(lambda: len(washed_ashore(shore)) == 2)

    if not on_postgres:
        alone = run(tmp_path / "keyless", "", "restore", str(backup), "--yes")
        assert alone["key"] == "absent"
    take_key(old, new)
    empty = new_database() if on_postgres else ""
    if on_postgres:  # brought in like an export, all that waited would go out once more
        code, words = run(new, empty, "import", str(backup))
        assert (code, "wunder restore" in words) == (BAD_USAGE, True)
    restored = run(new, empty, "restore", str(backup), "--yes")
    assert (restored["sha256"], restored["key"]) == (made["sha256"], "found")
    with on(new, empty) as gateway:
        gateway.call("POST", f"channel_plugins/{CHANNEL}/enable", {})
        say(gateway, 3)
        wait_for(lambda: len(washed_ashore(shore)) == 3)
        (held,) = gateway.get("channels/outbox", state="held")["items"]
        assert held["peer_id"] == "bob"
        gateway.call("POST", "channels/outbox/release", {})
        wait_for(lambda: len(washed_ashore(shore)) == 4)
    assert [note["text"] for note in washed_ashore(shore)] == ["n1", "waits", "n3", "waits"]


def test_the_schema_is_shown_and_brought_up_to_date(tmp_path: Path, run: Run) -> None:
    for url in ("", new_database()):
        place = tmp_path / ("pg" if url else "lite")
        standing = run(place, url, "migrate", "--dry-run")
        assert (standing["schema_version"], standing["reached"]) == (0, 0)
        assert [step["number"] for step in standing["missing"]] == list(
            range(1, standing["known"] + 1)
        )
        assert run(place, url, "migrate")["reached"] == standing["known"]
        again = run(place, url, "migrate")
        assert (again["missing"], again["schema_version"]) == ([], standing["known"])
