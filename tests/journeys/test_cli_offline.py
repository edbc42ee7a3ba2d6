"""Without a gateway the command line opens the store itself, under the data directory's lock."""

import io
import json
import stat
from pathlib import Path
from typing import Any

import pytest

from tests.journeys.new_channel import package
from wunder.cli.failure import BAD_USAGE, FAILED, OK
from wunder.cli.gateway import DEFAULT_DATA_DIR
from wunder.cli.main import main
from wunder.config import Config
from wunder.store.data_dir import DirLock

LISTS = [
    ["account", "list"],
    ["agent", "list"],
    ["binding", "list"],
    ["message", "list"],
    ["outbox", "list"],
    ["plugin", "list"],
    ["providers"],
    ["token", "list"],
    ["user", "list"],
    ["doctor"],
]


@pytest.fixture(autouse=True)
def data_dir(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("WUNDER_STORE_FREE_FLOOR_BYTES", "1048576")
    monkeypatch.setenv("WUNDER_STORE_BALLAST_BYTES", "0")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "data"


@pytest.fixture
def ran(capsys):
    """Run a command that succeeds and return what it printed under --json."""

    def run(*line: str) -> Any:
        capsys.readouterr()
        code = main([*line, "--json"])
        shown = capsys.readouterr()
        assert code == OK, shown
        return json.loads(shown.out)

    return run


@pytest.fixture
def parrot(tmp_path) -> str:
    path = tmp_path / "bottle.zip"
    path.write_bytes(package("bottle_post"))
    return str(path)


def config_file(tmp_path: Path, **config: str) -> str:
    path = tmp_path / "account.json"
    path.write_text(json.dumps(config))
    path.chmod(0o600)
    return str(path)


def test_the_default_data_directory_is_the_settings_own():
    assert Config().gateway.data_dir == DEFAULT_DATA_DIR


@pytest.mark.parametrize("line", LISTS, ids=" ".join)
def test_every_list_is_a_table_for_people_and_one_document_for_machines(capsys, line):
    assert main(line) == OK
    assert capsys.readouterr().out.strip()
    assert main(["--json", *line]) == OK
    assert isinstance(json.loads(capsys.readouterr().out), list)


def test_the_lock_is_free_again_after_each_command_and_the_store_private(ran, data_dir):
    ran("agent", "list")
    ran("agent", "list")
    assert stat.S_IMODE(data_dir.stat().st_mode) == 0o700
    DirLock(data_dir).take()


def test_a_held_data_directory_is_refused_with_the_holder(capsys, data_dir, ran):
    ran("agent", "list")
    lock = DirLock(data_dir)
    lock.take()
    try:
        assert main(["agent", "list"]) == FAILED
    finally:
        lock.release()
    assert "in use by process" in capsys.readouterr().err


def test_agents_are_made_tried_changed_and_removed(ran, capsys):
    assert ran("agent", "add", "helper", "echo", "--for-users")["is_visible_to_users"] is True
    assert ran("agent", "try", "helper", "早上好")["replies"][0]["text"] == "早上好"
    assert ran("agent", "set", "helper", "--no-for-users")["is_visible_to_users"] is False
    assert ran("agent", "show", "helper")["kind"] == "echo"
    assert ran("agent", "remove", "helper", "--yes")["removed"] is True
    assert main(["agent", "show", "helper"]) == FAILED
    assert "GET /wunder/admin/agents/helper at " in capsys.readouterr().err


def test_a_plugin_is_reviewed_installed_approved_shown_and_removed(ran, parrot, capsys):
    assert main(["plugin", "install", parrot]) == BAD_USAGE
    shown = capsys.readouterr()
    assert "PERMISSION" in shown.out
    assert "say it with --yes" in shown.err
    assert ran("plugin", "list") == []

    assert ran("plugin", "install", parrot, "--dry-run")["plugin_id"] == "bottle_post"
    assert ran("plugin", "list") == []

    installed = ran("plugin", "install", parrot, "--yes")
    (release,) = installed["releases"]
    assert (release["version"], release["is_approved"]) == ("1.0.0", True)
    assert ran("plugin", "show", "bottle_post")["plugin_id"] == "bottle_post"
    assert ran("plugin", "approve", "bottle_post", "1.0.0", "--yes")["plugin_id"] == "bottle_post"
    assert ran("plugin", "logs", "bottle_post") == {"lines": []}
    assert ran("plugin", "remove", "bottle_post", "1.0.0", "--yes") == {"is_uninstalled": True}


def test_a_package_with_another_hash_than_told_is_not_sent(capsys, parrot):
    assert main(["plugin", "install", parrot, "--yes", "--sha256", "00"]) == FAILED
    assert "not to what --sha256 says" in capsys.readouterr().err


def test_a_refused_package_is_told_with_each_fault_and_its_place(capsys, tmp_path):
    bad = tmp_path / "bad.zip"
    bad.write_bytes(package("bottle_post", api_version=99, capabilities={"fly": "high"}))
    assert main(["plugin", "install", str(bad), "--yes"]) == FAILED
    shown = capsys.readouterr().err
    assert "/api_version: " in shown
    assert "/capabilities/fly: " in shown
    assert main(["plugin", "install", str(bad), "--yes", "--json"]) == FAILED
    error = json.loads(capsys.readouterr().out)["error"]
    assert error["code"] == "manifest_invalid"
    assert {fault["pointer"] for fault in error["errors"]} >= {"/api_version", "/capabilities/fly"}


@pytest.mark.process
def test_accounts_take_their_secrets_from_a_file_and_never_show_them(ran, parrot, tmp_path, capsys):
    ran("plugin", "install", parrot, "--yes")
    ran("plugin", "enable", "bottle_post")
    given = config_file(tmp_path, shore="/tmp/shore", key="salt-and-wind")
    made = ran("account", "add", "bottle_post/main", "--config-file", given, "--name", "Main")
    assert made["provider_config"] == {"shore": "/tmp/shore", "key": {"set": True}}

    assert ran("account", "set", "bottle_post/main", "--name", "Other")["display_name"] == "Other"
    assert ran("account", "disable", "bottle_post/main")["status"] != "enabled"
    assert main(["account", "show", "bottle_post/main"]) == OK
    shown = capsys.readouterr().out
    assert "provider_config.key" in shown
    assert "(set)" in shown
    assert "salt-and-wind" not in shown
    ran("binding", "add", "echo", "--account", "bottle_post/main", "--peer", "user:ann")
    route = ran("binding", "test", "bottle_post/main", "user:ann")
    assert route["binding"]["agent_id"] == "echo"
    assert ran("account", "remove", "bottle_post/main", "--yes") == {"cancelled": 0}


def test_a_configuration_that_is_no_json_is_told_by_line_and_never_shown(capsys, tmp_path):
    wrong = tmp_path / "wrong.json"
    wrong.write_text('{"key": "salt-and-wind"\n"x"}')
    assert main(["account", "add", "qqbot/main", "--config-file", str(wrong)]) == BAD_USAGE
    shown = capsys.readouterr().err
    assert "line 2" in shown
    assert "salt-and-wind" not in shown


def test_fields_that_a_schema_refuses_are_named_by_pointer(capsys, tmp_path):
    given = config_file(tmp_path, app_id="not digits")
    assert main(["account", "add", "qqbot/main", "--config-file", given]) == FAILED
    shown = capsys.readouterr().err
    assert "/provider_config/app_id: " in shown or "/app_id: " in shown
    assert "not digits" not in shown


def test_a_token_goes_into_a_new_file_of_its_owner(ran, tmp_path):
    target = tmp_path / "token"
    made = ran("token", "create", "ci", "--scope", "send", "--days", "7", "--to", str(target))
    assert "token" not in made
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert target.read_text().startswith("wndr_")
    (token,) = ran("token", "list")
    assert (token["name"], token["scopes"], token["is_valid"]) == ("ci", ["send"], True)
    assert ran("token", "revoke", token["token_id"])["revoked"] is True
    assert ran("token", "list")[0]["is_valid"] is False


def test_a_token_never_overwrites_a_file(capsys, tmp_path, data_dir):
    (tmp_path / "token").write_text("keep me")
    assert main(["token", "create", "ci", "--to", str(tmp_path / "token")]) == BAD_USAGE
    assert (tmp_path / "token").read_text() == "keep me"
    assert not data_dir.exists()


def test_a_backup_says_where_the_key_is_that_is_not_in_it(ran, capsys, tmp_path, data_dir):
    ran("agent", "add", "helper", "echo")
    assert main(["backup", str(tmp_path / "1.db")]) == OK
    assert f"Keep {data_dir / 'keys/master.key'} apart from it" in capsys.readouterr().out
    (data_dir / "keys/master.key").rename(tmp_path / "wunder-master-key")
    assert main(["backup", str(tmp_path / "2.db")]) == OK
    assert "Keep the key (credential wunder-master-key) apart from it" in capsys.readouterr().out


def test_a_backup_is_restored_into_a_new_life(ran, capsys, tmp_path, data_dir):
    ran("agent", "add", "helper", "echo")
    ran("token", "create", "ci", "--to", str(tmp_path / "token"))
    copy = tmp_path / "copy.db"
    made = ran("backup", str(copy))
    assert made["size_bytes"] == copy.stat().st_size
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert main(["backup", str(copy)]) == BAD_USAGE
    assert main(["restore", str(copy), "--yes"]) == FAILED
    assert "move it" in capsys.readouterr().err

    (data_dir / "wunder.db").unlink()
    assert ran("restore", str(copy), "--yes")["path"] == str(data_dir / "wunder.db")
    assert [agent["agent_id"] for agent in ran("agent", "list")] == ["echo", "helper"]
    assert [token["is_valid"] for token in ran("token", "list")] == [False]
    assert ran("outbox", "release", "--yes") == {"count": 0}
    assert ran("outbox", "release", "--channel", "qqbot", "--yes") == {"count": 0}
    assert main(["outbox", "release", "--channel", "qqbto", "--yes"]) == FAILED
    assert "wunder providers" in capsys.readouterr().err


def test_setup_without_a_gateway_says_what_to_do(capsys):
    assert main(["setup"]) == FAILED
    assert "wunder token create" in capsys.readouterr().err


def test_trace_of_what_is_not_there_says_how_to_find_it(capsys):
    assert main(["trace", "nothing"]) == FAILED
    assert "wunder message list" in capsys.readouterr().err


def test_people_are_made_changed_and_removed(ran, tmp_path, monkeypatch) -> None:
    secret = tmp_path / "password"
    secret.write_text("purple giraffe umbrella\n", "utf-8")
    made = ran("user", "create", "Ann", "--role", "admin", "--password-file", str(secret))
    assert (made["name"], made["role"], made["has_password"]) == ("ann", "admin", True)
    ran("user", "create", "bob", "--role", "admin", "--no-password")
    monkeypatch.setattr("sys.stdin", io.StringIO("green tortoise ladder\n"))
    ran("user", "password", "bob", "--password-file", "-")
    assert ran("user", "role", "bob", "viewer")["role"] == "viewer"
    assert ran("user", "disable", "bob")["is_disabled"] is True
    assert ran("user", "enable", "bob")["is_disabled"] is False
    assert main(["user", "disable", "ann"]) == FAILED  # the last administrator
    ran("user", "remove", "bob")
    assert [user["name"] for user in ran("user", "list")] == ["ann"]


def test_a_weak_password_and_an_unknown_role_are_refused(tmp_path, capsys) -> None:
    secret = tmp_path / "password"
    secret.write_text("short", "utf-8")
    line = ["user", "create", "ann", "--role", "admin", "--password-file", str(secret)]
    assert main(line) == FAILED
    assert "10 characters" in capsys.readouterr().err
    assert main(["user", "create", "ann", "--role", "king"]) == BAD_USAGE
    assert main(["user", "password", "ghost", "--password-file", str(secret)]) == FAILED
