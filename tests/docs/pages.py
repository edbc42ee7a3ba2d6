"""The pages that people read: their shell blocks, their commands, their links."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
#: Where pages lie; what others bring along (.venv, node_modules) is none of ours.
FOLDERS = ("docs", "src", "plugins", "tests", "changes", "demo", "benchmarks", "tools")
#: Templates, and heads that a tool puts on top of a page elsewhere: their links hold there.
_IS_PART = re.compile(r"_head\b|^template\.md$")
_FENCE = re.compile(r"^(?P<indent> *)```(?P<kind>[\w-]*)[^\n]*\n(?P<text>.*?)^ *```", re.M | re.S)
_HEREDOC = re.compile(r"<<'(\w+)'[^\n]*\n.*?^\1$", re.M | re.S)
#: `text`, and ``text with ` in it``.
_CODE = re.compile(r"(`+)(?P<text>[^`\n].*?)\1")
_SHELL = frozenset({"sh", "bash", "console", "shell"})


class Command(NamedTuple):
    """A `wunder` command as a page shows it. `is_line`: in a shell block, so it must be whole."""

    page: str
    words: tuple[str, ...]
    is_line: bool

    def __str__(self) -> str:
        return f"{self.page}: wunder {shlex.join(self.words)}"


def pages() -> list[Path]:
    """Every page of the repository."""
    inside = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*.md")]
    return [
        page for page in sorted([*ROOT.glob("*.md"), *inside]) if not _IS_PART.search(page.name)
    ]


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def shell_blocks(page: Path) -> list[str]:
    """The text of each block that a reader would type, top to bottom."""
    found = _FENCE.finditer(page.read_text("utf-8"))
    return [block["text"] for block in found if block["kind"] in _SHELL]


def lines_of(block: str) -> list[str]:
    """The command lines of a block: joined where `\\` continues one, without heredocs and comments."""
    joined = _HEREDOC.sub("", block).replace("\\\n", " ")
    lines = (line.strip().removeprefix("$ ") for line in joined.splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def commands() -> Iterator[Command]:
    """Every `wunder ..` of every page, in blocks and in running text."""
    for page in pages():
        for block in shell_blocks(page):
            for line in lines_of(block):
                yield from (
                    Command(name_of(page), words, True) for words in _simple(line, is_line=True)
                )
        prose = _FENCE.sub("", page.read_text("utf-8"))
        for code in _CODE.finditer(prose):
            text = code["text"].strip()
            if text.startswith("wunder ") and "|" not in text:
                yield from (
                    Command(name_of(page), words, False) for words in _simple(text, is_line=False)
                )


def _simple(line: str, *, is_line: bool) -> Iterator[tuple[str, ...]]:
    """The `wunder` commands of a line, each as its words; pipes, lists and assignments taken apart."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars="();&|<>" if is_line else "")
    lexer.whitespace_split = True
    words = list(lexer)
    command: list[str] = []
    for word in [*words, ";"]:
        if word and set(word) <= set("();&|<>"):
            yield from _if_ours(command)
            command = []
        else:
            command.append(word)


def _if_ours(command: list[str]) -> Iterator[tuple[str, ...]]:
    while command and re.match(r"[A-Za-z_]\w*=|sudo$|exec$", command[0]):
        command = command[1:]
    if command and command[0].rpartition("/")[2] == "wunder" and len(command) > 1:
        yield tuple(command[1:])
