"""From the terminal: let a stranger in, watch events, replay an outage, look into the quarantine."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.journeys.new_channel import package
from wunder.cli.client import Client
from wunder.cli.failure import BAD_USAGE, FAILED, OK
from wunder.cli.main import main

pytestmark = pytest.mark.process


@pytest.fixture(autouse=True)
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("WUNDER_STORE_FREE_FLOOR_BYTES", "1048576")
    monkeypatch.setenv("WUNDER_STORE_BALLAST_BYTES", "0")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "data"


@pytest.fixture
def ran(capsys: pytest.CaptureFixture[str]):
    """Run a command that succeeds and return what it printed under --json."""

    def run(*line: str) -> Any:
        capsys.readouterr()
        code = main([*line, "--json"])
        shown = capsys.readouterr()
        assert code == OK, shown
        return json.loads(shown.out)

    return run


@pytest.fixture
def account(ran, tmp_path: Path) -> str:
    bottle = tmp_path / "bottle.zip"
    bottle.write_bytes(package("bottle_post"))
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"shore": str(tmp_path / "shore"), "key": "k" * 16}))
    ran("plugin", "install", str(bottle), "--yes")
    ran("plugin", "enable", "bottle_post")
    ran("account", "add", "bottle_post/main", "--config-file", str(config))
    return "bottle_post/main"


def test_who_may_talk_is_set_from_the_terminal(ran, account: str) -> None:
    view = ran("account", "set", account, "--direct", "pairing", "--deny", "pest", "--allow", "ann")
    assert view["access"]["direct"] == "pairing"
    assert view["access"]["allow_peers"] == ["*", "ann"]
    view = ran("account", "set", account, "--groups", "off")
    assert (view["access"]["direct"], view["access"]["deny_peers"]) == ("pairing", ["pest"])
    assert main(["account", "set", account, "--direct", "maybe"]) == BAD_USAGE


def test_peers_are_never_added_to_rules_that_somebody_changed_meanwhile(
    ran, account: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    get = Client.get

    def seen(client: Client, path: str, *more: Any) -> Any:
        """Somebody else keeps a peer out as soon as the rules have been read."""
        monkeypatch.setattr(Client, "get", get)
        view = get(client, path, *more)
        client.patch(path, {"access": {**view["access"], "deny_peers": ["pest"]}}, view["rev"])
        return view

    monkeypatch.setattr(Client, "get", seen)
    assert main(["account", "set", account, "--allow", "ann"]) == FAILED
    assert "changed" in capsys.readouterr().err
    (view,) = ran("account", "list")
    assert view["access"]["deny_peers"] == ["pest"]


def test_events_are_shown_the_latest_last(ran, account: str) -> None:
    ran("account", "disable", account)
    events = ran("events", "--account", account)
    names = [event["name"] for event in events]
    assert names == ["account_created", "account_changed"]
    assert [one["name"] for one in ran("events", "--account", account, "--limit", "1")] == names[1:]
    assert ran("events", "--level", "error") == []
    assert ran("events", "--plugin", "nobody") == []
    assert ran("events", "--since", "2100-01-01") == []
    assert main(["events", "--level", "loud"]) == BAD_USAGE


def test_empty_lists_say_so_and_unknown_names_are_refused(
    ran, account: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for line in (["pairing", "list"], ["quarantine", "list"], ["job", "list"]):
        assert ran(*line) == []
    for line in (
        ["pairing", "approve", "ACDEFGHJ"],
        ["quarantine", "show", "nothing"],
        ["job", "show", "nothing"],
        ["job", "cancel", "nothing"],
    ):
        assert main(line) == 1, line
    assert "no such pairing" in capsys.readouterr().err.lower()


def test_a_replay_of_what_is_not_there_is_no_job(ran, account: str) -> None:
    assert ran("outbox", "replay", "--since", "2h", "--dry-run") == {"total": 0, "groups": []}
    assert ran("outbox", "replay", "--account", account, "--yes") == {"total": 0, "groups": []}
    assert ran("job", "list") == []
