"""The doctor finds what keeps a gateway from working, says what to do, and changes nothing."""

import socket
import sqlite3
from contextlib import closing

import pytest

from wunder.accounts.keyring import CREDENTIAL, KEY_FILE, Keyring
from wunder.cli.doctor import data_dir, machine
from wunder.cli.doctor.gateway_health import check_gateway
from wunder.cli.doctor.key import check_key
from wunder.cli.failure import CommandFailed
from wunder.store.sqlite.backup import DB_FILE

GIB = 1024**3


class Gateway:
    """A gateway that answers what the test says."""

    place = "http://gw"

    def __init__(self, ready=None, plugins=(), refusal=None) -> None:
        self.ready = ready
        self.plugins = list(plugins)
        self.refusal = refusal

    def get(self, path):
        if self.refusal is not None:
            raise CommandFailed("not ready", document=self.refusal)
        return self.ready

    def whole(self, path):
        return self.plugins


def make_store(place) -> None:
    place.mkdir(mode=0o700, exist_ok=True)
    connection = sqlite3.connect(place / DB_FILE)
    connection.execute("CREATE TABLE t (x)")
    connection.executemany("INSERT INTO t VALUES (?)", [("y" * 500,)] * 200)
    connection.commit()
    connection.close()


def test_a_machine_that_runs_these_tests_has_a_good_enough_python_and_sqlite():
    assert machine.check_python().verdict == "ok"
    assert machine.check_sqlite().verdict == "ok"
    assert machine.check_clock().verdict in {"ok", "warning"}


def test_a_port_that_is_taken_is_told_unless_the_gateway_has_it():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        found = machine.check_port("127.0.0.1", port)
        assert (found.verdict, "--port" in found.advice) == ("failed", True)
        here = f"http://127.0.0.1:{port}"
        assert machine.check_port("127.0.0.1", port, running_at=here).verdict == "ok"
        elsewhere = machine.check_port("127.0.0.1", 8080, running_at=here)
        assert str(port) in elsewhere.found, "the real port, not that of the settings"
        assert "127.0.0.1:8080" in elsewhere.found
    assert machine.check_port("127.0.0.1", port).verdict == "ok"


def test_a_data_directory_is_looked_at_and_not_made(tmp_path):
    place = tmp_path / "a" / "data"
    assert "will be made" in data_dir.check_place(place).found
    assert data_dir.check_room(place, 1).verdict == "ok"
    assert data_dir.check_store(place).found == "none yet"
    assert not (tmp_path / "a").exists()


def test_a_data_directory_that_others_may_enter_is_a_warning(tmp_path):
    tmp_path.chmod(0o755)
    assert data_dir.check_place(tmp_path).verdict == "warning"
    tmp_path.chmod(0o700)
    assert data_dir.check_place(tmp_path).verdict == "ok"


def test_a_file_in_the_place_of_the_data_directory_is_told(tmp_path):
    (tmp_path / "data").write_text("")
    assert data_dir.check_place(tmp_path / "data").verdict == "failed"


def test_too_little_room_is_told_before_messages_are_refused(tmp_path):
    free = data_dir.free_bytes(tmp_path)
    assert data_dir.check_room(tmp_path, free * 2).verdict == "failed"
    assert data_dir.check_room(tmp_path, free // 2).verdict == "warning"
    assert data_dir.check_room(tmp_path, 1).verdict == "ok"


def test_a_whole_store_is_ok_and_a_damaged_one_is_told(tmp_path):
    make_store(tmp_path)
    assert data_dir.check_store(tmp_path).verdict == "ok"
    path = tmp_path / DB_FILE
    content = bytearray(path.read_bytes())
    content[8_192:12_288] = b"\xff" * 4_096
    path.write_bytes(content)
    found = data_dir.check_store(tmp_path)
    assert found.verdict == "failed"
    assert "restore" in found.advice
    path.write_bytes(b"not a database" * 100)
    assert data_dir.check_store(tmp_path).verdict == "failed"


def sealed_store(place, keyring) -> None:
    make_store(place)
    with closing(sqlite3.connect(place / DB_FILE)) as connection:
        connection.execute("CREATE TABLE meta (key TEXT, value TEXT)")
        value = keyring.check_value().hex()
        connection.execute("INSERT INTO meta VALUES ('key_check', ?)", (value,))
        connection.commit()


def put_key(path, byte: str = "00") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(byte * 32)
    path.chmod(0o600)


@pytest.fixture
def nowhere(tmp_path, monkeypatch):
    """No credential of systemd, neither ours nor anybody's."""
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    return tmp_path / "run"


def test_a_key_is_missing_open_or_fine(tmp_path, nowhere):
    place = tmp_path / "data"
    place.mkdir()
    assert check_key(place, credentials=nowhere).verdict == "ok"
    make_store(place)
    missing = check_key(place, credentials=nowhere)
    assert (missing.verdict, "LoadCredential" in missing.advice) == ("failed", True)
    put_key(place / KEY_FILE)
    (place / KEY_FILE).chmod(0o640)
    assert "chmod 600" in check_key(place, credentials=nowhere).found
    (place / KEY_FILE).chmod(0o600)
    assert check_key(place, credentials=nowhere).verdict == "ok"


def test_a_key_is_compared_with_the_store_that_it_sealed(tmp_path, nowhere):
    sealed_store(tmp_path, Keyring(bytes(32)))
    put_key(tmp_path / KEY_FILE)
    right = check_key(tmp_path, credentials=nowhere)
    assert (right.verdict, "sealed this store" in right.found) == ("ok", True)
    put_key(tmp_path / KEY_FILE, "ab")
    assert check_key(tmp_path, credentials=nowhere).verdict == "failed"


def test_a_credential_of_systemd_is_the_key_inside_its_unit(tmp_path, nowhere, monkeypatch):
    sealed_store(tmp_path, Keyring(bytes(32)))
    own = tmp_path / "credentials"
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(own))
    assert check_key(tmp_path, credentials=nowhere).verdict == "failed", "a directory is no key"
    put_key(own / CREDENTIAL)
    found = check_key(tmp_path, credentials=nowhere)
    assert (found.verdict, str(own) in found.found) == ("ok", True)
    put_key(own / CREDENTIAL, "ab")
    assert check_key(tmp_path, credentials=nowhere).verdict == "failed"
    put_key(tmp_path / KEY_FILE)
    assert check_key(tmp_path, credentials=nowhere).verdict == "failed", "the unit takes its own"


def test_a_credential_is_found_beside_the_unit_that_runs(tmp_path, nowhere):
    sealed_store(tmp_path, Keyring(bytes(32)))
    put_key(nowhere / "wunder.service" / CREDENTIAL)
    assert check_key(tmp_path, credentials=nowhere).verdict == "ok"


def test_the_credential_of_another_gateway_on_this_machine_is_not_this_ones_key(tmp_path, nowhere):
    sealed_store(tmp_path, Keyring(bytes(32)))
    put_key(nowhere / "another.service" / CREDENTIAL, "ab")
    assert check_key(tmp_path, credentials=nowhere).verdict == "failed"
    assert check_key(tmp_path, "ok", nowhere).verdict == "ok", "the one that runs has another"
    put_key(tmp_path / KEY_FILE)
    found = check_key(tmp_path, credentials=nowhere)
    assert (found.verdict, str(KEY_FILE) in found.found) == ("ok", True)


def test_a_key_that_only_the_running_gateway_can_read_is_fine(tmp_path, nowhere):
    sealed_store(tmp_path, Keyring(bytes(32)))
    assert check_key(tmp_path, "ok", nowhere).verdict == "ok"
    assert check_key(tmp_path, "missing", nowhere).verdict == "failed"


@pytest.mark.parametrize(
    ("checks", "status", "verdicts"),
    [
        ({"store": "ok", "key": "ok", "stop": "ok"}, "ready", {"gateway": "ok", "plugins": "ok"}),
        (
            {"store": "full", "key": "ok"},
            "not_ready",
            {"gateway store": "failed", "plugins": "ok"},
        ),
    ],
)
def test_a_gateway_says_which_part_is_not_ready(checks, status, verdicts):
    document = {"status": status, "checks": checks}
    gateway = Gateway(ready=document) if status == "ready" else Gateway(refusal=document)
    assert {one.name: one.verdict for one in check_gateway(gateway)} == verdicts


def test_a_broken_plugin_and_one_that_is_not_held_to_its_permissions_are_told():
    ready = {"status": "ready", "checks": {}}
    common = {"health": "ok", "sandbox_level": "L1", "sandbox_note": "no sandbox here"}
    broken = {"plugin_id": "a", "status": "error", "last_error": "hash", **common}
    loose = {"plugin_id": "b", "status": "enabled", "is_sandbox_enforced": False, **common}
    found = {one.name: one for one in check_gateway(Gateway(ready, [broken, loose]))}
    assert (found["plugin a"].verdict, found["plugin a"].found) == ("failed", "hash")
    assert (found["plugin b"].verdict, found["plugin b"].advice) == ("warning", "no sandbox here")


def test_a_store_that_was_moved_is_told_for_no_gateway_starts_on_it(tmp_path):
    conn = sqlite3.connect(tmp_path / DB_FILE)
    with closing(conn), conn:
        conn.execute("CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT)")
        conn.execute("INSERT INTO meta VALUES ('migrated_to', '/backups/moved.tar')")
    found = data_dir.check_store(tmp_path)
    assert found.verdict == "failed"
    assert "/backups/moved.tar" in found.found
    assert "--undo" in found.advice


def test_a_gateway_that_cannot_list_its_plugins_does_not_end_the_look():
    class Away(Gateway):
        def whole(self, path):
            raise CommandFailed("nothing listens where the database should be")

    refusal = {"status": "not_ready", "checks": {"store": "unavailable"}}
    found = {one.name: one for one in check_gateway(Away(refusal=refusal))}
    assert found["gateway store"].verdict == "failed"
    assert found["plugins"].found == "nothing listens where the database should be"
