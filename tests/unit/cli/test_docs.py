"""The pages on the command line name every command and option, in both languages, and no other."""

import importlib
import re
from pathlib import Path

import pytest
import typer

from wunder.cli.global_options import GLOBAL_OPTIONS
from wunder.cli.run import COMMANDS

ROOT = Path(__file__).resolve().parents[3]
PAGES = ["docs/cli.md", "docs/命令行.md"]
SERVE = {"--host", "--port"}


def options_of_commands() -> dict[str, set[str]]:
    """Every command with the options it takes."""
    found: dict[str, set[str]] = {"wunder serve": SERVE}
    for name, entry in COMMANDS.items():
        module = importlib.import_module(f"wunder.cli.commands.{entry.module}")
        app = module.app if entry.is_group else typer.Typer()
        if not entry.is_group:
            app.command(name)(module.command)
            app.callback()(lambda: None)
        group = typer.main.get_group(app)
        for command_name, command in group.commands.items():
            path = f"wunder {name} {command_name}" if entry.is_group else f"wunder {name}"
            found[path] = {
                option
                for parameter in command.params
                for option in (*parameter.opts, *parameter.secondary_opts)
                if option.startswith("--") and option != "--help"
            }
    return found


@pytest.fixture(params=PAGES)
def table(request) -> list[str]:
    return [
        line
        for line in (ROOT / request.param).read_text("utf-8").splitlines()
        if line.startswith("| `wunder ")
    ]


def test_every_command_is_named_with_each_of_its_options(table):
    for command, options in options_of_commands().items():
        (row, *_) = [line for line in table if f"`{command}`" in line] or [""]
        named = set(re.findall(r"`(--[a-z0-9-]+)", row))
        assert options <= named, (command, options - named)


def test_no_option_is_named_that_does_not_exist(table):
    known = set(GLOBAL_OPTIONS).union(*options_of_commands().values())
    assert set(re.findall(r"`(--[a-z0-9-]+)", "\n".join(table))) <= known


def test_the_two_pages_have_the_same_rows():
    english, chinese = (
        [re.findall(r"`[^`]+`", line) for line in (ROOT / page).read_text("utf-8").splitlines()]
        for page in PAGES
    )
    commands = [
        [code for row in rows for code in row if code.startswith("`wunder ")]
        for rows in (english, chinese)
    ]
    assert commands[0] == commands[1]
