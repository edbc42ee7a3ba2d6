"""Every command: wrong arguments end with 2, one helpful line and the usage; nothing is touched."""

import importlib
import json
from collections.abc import Iterator

import pytest

from wunder.cli.failure import BAD_USAGE, OK
from wunder.cli.main import main
from wunder.cli.run import COMMANDS


def every_command() -> Iterator[tuple[str, ...]]:
    for name, entry in COMMANDS.items():
        module = importlib.import_module(f"wunder.cli.commands.{entry.module}")
        if not entry.is_group:
            yield (name,)
            continue
        for command in module.app.registered_commands:
            yield (name, command.name)


EVERY = list(every_command())
#: Those that know what is meant; `export` takes a file or --undo.
NEEDS_NONE = frozenset(
    "list setup doctor events providers replay release migrate nodes export".split()  # noqa: SIM905 - for reading
)
NEEDS_ARGUMENTS = [command for command in EVERY if command[-1] not in NEEDS_NONE]


@pytest.fixture(autouse=True)
def nowhere(tmp_path, monkeypatch):
    """A command that went on in spite of its arguments would leave something here."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WUNDER_DATA_DIR", str(tmp_path / "data"))
    yield
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("command", EVERY, ids=" ".join)
def test_an_unknown_option_is_named_beside_the_usage(capsys, command):
    assert main([*command, "--no-such-option"]) == BAD_USAGE
    first, usage, hint = capsys.readouterr().err.splitlines()
    assert first.startswith("wunder: No such option")
    assert usage.startswith(f"Usage: wunder {' '.join(command)}")
    assert hint == f"help: wunder {' '.join(command)} --help"


@pytest.mark.parametrize("command", NEEDS_ARGUMENTS, ids=" ".join)
def test_a_missing_argument_is_named(capsys, command):
    assert main([*command]) == BAD_USAGE
    assert capsys.readouterr().err.startswith("wunder: Missing argument ")


@pytest.mark.parametrize("command", EVERY, ids=" ".join)
def test_help_says_what_a_command_does(capsys, command):
    assert main([*command, "--help"]) == OK
    shown = capsys.readouterr().out
    assert shown.startswith(f"Usage: wunder {' '.join(command)}")
    assert "..." not in shown.splitlines()[2]


@pytest.mark.parametrize("group", [name for name, entry in COMMANDS.items() if entry.is_group])
def test_the_list_of_a_groups_commands_fits(capsys, group):
    assert main([group, "--help"]) == OK
    lines = capsys.readouterr().out.partition("Commands:")[2].splitlines()[1:]
    assert lines
    assert not [line for line in lines if line.rstrip().endswith("...")]


@pytest.mark.parametrize(
    ("line", "suggested"),
    [(["plugn"], "plugin"), (["plugin", "instal"], "install"), (["account", "lst"], "list")],
)
def test_a_misspelt_command_is_answered_with_the_right_one(capsys, line, suggested):
    assert main(line) == BAD_USAGE
    assert f"Did you mean '{suggested}'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (["message", "send", "main", "user:u1", "hi"], "CHANNEL/ACCOUNT"),
        (["message", "send", "qq/main", "u1", "hi"], "user:ID"),
        (["message", "send", "qq/main", "robot:u1", "hi"], "user:ID"),
        (["account", "show", "main"], "CHANNEL/ACCOUNT"),
        (["account", "show", "qq/main/x"], "CHANNEL/ACCOUNT"),
        (["account", "set", "qq/main", "--direct", "everyone"], "it takes: all, off, pairing"),
        (["account", "set", "qq/main", "--groups", "some"], "it takes: mention, all, off"),
        (["message", "list", "--state", "lost"], "it takes: received, answering, answered"),
        (["outbox", "list", "--state", "lost"], "it takes: pending, claimed, sending, sent"),
        (["pairing", "list", "--state", "lost"], "it takes: pending, approved, rejected, all"),
        (["account", "add", "qq/", "--config-file", "x"], "CHANNEL/ACCOUNT"),
        (["account", "set", "qq/main"], "nothing to change"),
        (["agent", "add", "a", "robot"], "no kind robot"),
        (["agent", "set", "a"], "nothing to change"),
        (["binding", "add", "a", "--peer", "robot:1"], "a peer is written"),
        (["binding", "test", "qq/main", "u1"], "a peer is written"),
        (["outbox", "correct", "d1", "-"], "nobody can be asked"),
        (["outbox", "replay"], "name deliveries"),
        (["outbox", "replay", "d1", "--state", "failed"], "name deliveries"),
        (["outbox", "replay", "--state", "failed", "--force"], "--force goes with"),
        (["outbox", "replay", "--state", "sending"], "are replayed"),
        (["outbox", "replay", "--since", "soon"], "is no time"),
        (["outbox", "list", "--limit", "0"], "--limit"),
        (["outbox", "release"], "nobody can be asked"),
        (["plugin", "source", "qq", "nobody"], "builtin"),
        (["plugin", "pack", "no/such/folder"], "no such folder"),
        (["plugin", "install", "no-such.zip"], "no package"),
        (["plugin", "remove", "qq", "1.0.0"], "nobody can be asked"),
        (["plugin", "call", "builtin:qqbot", "--now", "soon"], "--now"),
        (["token", "create", "x", "--scope", "everything"], "no scope everything"),
        (["token", "create", "x", "--days", "0"], "--days"),
        (["restore", "no-such.db", "--yes"], "no such file"),
        (["import", "no-such.archive"], "no such file"),
        (["backup", "x.db"], "no store"),
        (["account", "list", "--url", "http://203.0.113.1", "--token-file", "x"], "in the clear"),
        (["account", "list", "--url", "http://127.0.0.1:1"], "--token-file"),
        (
            ["account", "list", "--url", "http://127.0.0.1:1", "--token-file", "no"],
            "cannot be read",
        ),
        (["account", "list", "--config", "no-such.toml"], "cannot be read"),
        (["account", "list", "--lang", "fr"], "--lang takes"),
        (["account", "list", "--data-dir"], "needs a value"),
        (["serve", "--prot", "1"], "does not take '--prot'"),
        (["serve", "--port"], "needs a value"),
        (["serve", "--port", "many"], "--port takes a number"),
        (["serve", "--port", "99999"], "from 0 to 65535"),
        (["serve", "now"], "does not take 'now'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_makes_no_sense_is_said_before_anything_happens(capsys, line, words):
    assert main(line) == BAD_USAGE
    shown = capsys.readouterr().err
    assert shown.startswith("wunder: ")
    assert words in shown
    assert "Traceback" not in shown


def test_a_wrong_line_is_one_document_for_a_machine(capsys):
    assert main(["plugin", "install", "--json"]) == BAD_USAGE
    shown = capsys.readouterr()
    assert "Missing argument" in json.loads(shown.out)["error"]["what"]
    assert shown.err == ""


def test_without_a_command_the_commands_are_listed(capsys):
    assert main([]) == BAD_USAGE
    shown = capsys.readouterr().out
    assert all(name in shown for name in [*COMMANDS, "serve"])


def test_an_export_names_a_file_or_takes_one_back(capsys):
    assert main(["export"]) == BAD_USAGE
    assert "name a file to export to" in capsys.readouterr().err
