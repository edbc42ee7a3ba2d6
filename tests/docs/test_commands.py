"""Rule 35: what a page tells a reader to type is something that `wunder` and `make` take."""

import re

import pytest
import typer.main
from typer.exceptions import Exit, TyperException

from tests.docs.pages import ROOT, Command, commands, lines_of, name_of, pages, shell_blocks
from wunder.cli.failure import CommandFailed
from wunder.cli.global_options import split_global_options
from wunder.cli.run import COMMANDS, _app
from wunder.cli.serve import _parsed


def fault_of(command: Command) -> str:
    """Say what is wrong with a command; "" where nothing is."""
    try:
        _, words = split_global_options(command.words)
    except CommandFailed as failure:
        return failure.what
    words = [word for word in words if word != "--help"]
    if not words or words[0].startswith("<"):
        return ""
    if words[0] == "serve":
        return _parsed(words[1:])[1]
    if words[0] not in COMMANDS:
        return f"there is no command {words[0]}"
    return parse_fault(words, command.is_line)


def parse_fault(words: list[str], is_line: bool) -> str:
    found = typer.main.get_command(_app(words[0]))
    while hasattr(found, "commands") and words:
        if words[0] not in found.commands:
            return f"{found.name or 'wunder'} has no {words[0]}"
        found, words = found.commands[words[0]], words[1:]
    if hasattr(found, "commands"):
        return "" if not is_line else "a group alone does nothing"
    try:
        found.make_context(found.name, words)
    except Exit:
        return ""
    except TyperException as wrong:
        # Running text may name a command without what it needs.
        is_short = type(wrong).__name__ == "MissingParameter" and not is_line
        return "" if is_short else wrong.format_message()
    return ""


def test_every_wunder_command_of_every_page_is_one_that_wunder_takes() -> None:
    faults = [f"{one} ({fault})" for one in commands() if (fault := fault_of(one))]
    assert not faults, "\n".join(faults)


def test_the_check_finds_commands_at_all_and_tells_right_from_wrong() -> None:
    found = {one.words[0] for one in commands() if one.page == "README.md"}
    assert {"serve", "plugin", "account", "binding", "trace", "doctor"} <= found
    assert fault_of(Command("", ("plugin", "pak", "x"), True))
    assert fault_of(Command("", ("plugin", "pack", "x", "--too", "y"), True))
    assert fault_of(Command("", ("trace",), True))
    assert not fault_of(Command("", ("trace",), False))
    assert not fault_of(Command("", ("--json", "plugin", "list"), True))


def test_every_make_target_of_every_page_is_in_the_makefile() -> None:
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text("utf-8"), re.M))
    unknown = [
        f"{name_of(page)}: {line}"
        for page in pages()
        for block in shell_blocks(page)
        for line in lines_of(block)
        if (said := re.match(r"make (\w+)", line)) and said[1] not in targets
    ]
    assert not unknown, unknown


@pytest.mark.parametrize("page", [page for page in pages() if shell_blocks(page)], ids=name_of)
def test_no_page_tells_to_type_a_secret_on_the_command_line(page) -> None:
    typed = [
        line
        for block in shell_blocks(page)
        for line in lines_of(block)
        if line.startswith("wunder") and re.search(r"--(secret|password|token)[= ]", line)
    ]
    assert not typed, typed
