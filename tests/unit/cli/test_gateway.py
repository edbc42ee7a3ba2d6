"""Which gateway a command means, and whom it does not trust."""

import json
import os
from pathlib import Path

import pytest

from wunder.cli.commands.tokens import hand_over
from wunder.cli.failure import BAD_USAGE, FAILED, CommandFailed
from wunder.cli.gateway import RUN_FILE, connect, data_dir, running_gateway
from wunder.cli.global_options import GlobalOptions
from wunder.cli.main import main
from wunder.cli.output import Output
from wunder.store.data_dir import DirLock
from wunder.store.sqlite.backup import DB_FILE


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch) -> Path:
    for name in list(os.environ):
        if name.startswith("WUNDER_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run_file(place: Path, content: str, mode: int = 0o600) -> GlobalOptions:
    path = place / RUN_FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    path.chmod(mode)
    return GlobalOptions(data_dir=str(place))


def test_the_line_comes_before_the_environment_before_the_file(here, monkeypatch):
    assert data_dir(GlobalOptions()) == here / "data"
    (here / "w.toml").write_text('[gateway]\ndata_dir = "from-file"\n')
    assert data_dir(GlobalOptions(config="w.toml")) == here / "from-file"
    monkeypatch.setenv("WUNDER_CONFIG", "w.toml")
    assert data_dir(GlobalOptions()) == here / "from-file"
    monkeypatch.setenv("WUNDER_DATA_DIR", "from-env")
    assert data_dir(GlobalOptions()) == here / "from-env"
    assert data_dir(GlobalOptions(data_dir="from-line")) == here / "from-line"


def test_a_wrong_config_file_is_bad_usage_that_names_the_setting(here):
    (here / "w.toml").write_text("[gateway]\ncolour = 1\n")
    with pytest.raises(CommandFailed, match=r"gateway\.colour") as failure:
        data_dir(GlobalOptions(config="w.toml"))
    assert failure.value.exit_code == BAD_USAGE


def test_no_run_file_means_that_none_runs(here):
    assert running_gateway(GlobalOptions(data_dir=str(here))) is None


def test_an_address_where_nobody_answers_means_that_none_runs(here):
    document = json.dumps({"url": "http://127.0.0.1:1", "token": "t"})
    assert running_gateway(run_file(here, document)) is None


def test_a_run_file_that_a_killed_gateway_left_is_not_taken_for_one_that_hangs(here):
    options = run_file(here, json.dumps({"url": "http://127.0.0.1:1", "token": "t"}))
    (here / DB_FILE).write_bytes(b"no store" * 999)
    with pytest.raises(CommandFailed) as failure:
        connect(options)
    assert failure.value.advice == ()
    lock = DirLock(here)
    lock.take()
    with pytest.raises(CommandFailed) as failure:
        connect(options)
    lock.release()
    assert "look at its log" in failure.value.advice[0]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o666])
def test_a_run_file_that_others_may_touch_is_not_trusted(here, mode):
    with pytest.raises(CommandFailed, match="not trusted") as failure:
        running_gateway(run_file(here, "{}", mode))
    assert failure.value.exit_code == FAILED


@pytest.mark.parametrize("content", ["", "[]", "{"])
def test_a_damaged_run_file_is_told(here, content):
    with pytest.raises(CommandFailed, match="damaged"):
        running_gateway(run_file(here, content))


@pytest.mark.parametrize("content", ["", "  \n", "two words", "a\x1bb"])
def test_a_token_file_without_a_token_is_bad_usage(here, content):
    (here / "token").write_text(content)
    options = GlobalOptions(url="http://127.0.0.1:1", token_file=str(here / "token"))
    with pytest.raises(CommandFailed, match="holds no token") as failure:
        connect(options)
    assert failure.value.exit_code == BAD_USAGE


@pytest.mark.parametrize("url", ["http://10.0.0.1:80", "http://localhost.evil.example"])
def test_a_token_does_not_cross_a_network_in_the_clear(here, url):
    (here / "token").write_text("wndr_x")
    with pytest.raises(CommandFailed, match="in the clear"):
        connect(GlobalOptions(url=url, token_file=str(here / "token")))


def test_the_first_run_token_does_not_cross_a_network_in_the_clear_either(here, capsys):
    (here / "first").write_text('{"token": "setup-secret"}')
    line = ["setup", "--url", "http://10.0.0.1:80", "--setup-file", str(here / "first")]
    assert main(line) == BAD_USAGE
    assert "in the clear" in capsys.readouterr().err


def test_a_token_that_cannot_be_kept_is_said_and_how_to_end_it(here, monkeypatch):
    monkeypatch.setattr("wunder.cli.commands.tokens.os.open", lambda *_: os.dup(full.fileno()))
    with (
        Path("/dev/full").open("wb") as full,
        pytest.raises(CommandFailed, match="cannot be written"),
    ):
        hand_over(Output(is_json=False), {"token": "wndr_x"}, here / "new")
