"""What a command shows: tables and sentences for a person, one JSON document for a machine."""

import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Protocol

from wunder.cli.failure import CommandFailed, bad_usage
from wunder.cli.plain_text import plain

#: JSON escapes what lies below U+0020; these would still act on a terminal.
_ACTS_ON_TERMINAL = re.compile("[\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")
#: A table on a pipe is never folded: whoever greps it wants whole lines.
PIPE_COLUMNS = 4_000
#: Anything shorter is over before a bar is drawn (choice).
PROGRESS_FROM_BYTES = 1_048_576

Row = Mapping[str, Any]
#: Title, and how to find the cell in a row: a key, or a function.
Column = tuple[str, str | Callable[[Row], object]]


class Step(Protocol):
    """Tells a progress bar how far the work is."""

    def __call__(self, amount: int) -> None:
        """Move on by `amount`."""
        ...


class Output:
    """The terminal, or the JSON reader, of one command."""

    def __init__(self, *, is_json: bool) -> None:
        self.is_json = is_json

    @property
    def is_interactive(self) -> bool:
        """Whether somebody can be asked: a person at both ends, and no machine reading."""
        return not self.is_json and sys.stdin.isatty() and sys.stderr.isatty()

    def document(self, value: Any) -> None:
        """Print a JSON document; only what `--json` asked for goes to stdout then."""
        text = json.dumps(value, ensure_ascii=False, indent=2 if sys.stdout.isatty() else None)
        print(_ACTS_ON_TERMINAL.sub(lambda found: f"\\u{ord(found[0]):04x}", text))

    def document_line(self, value: Any) -> None:
        """Print a JSON document on one line and let it go at once: for what never ends."""
        text = json.dumps(value, ensure_ascii=False)
        print(_ACTS_ON_TERMINAL.sub(lambda found: f"\\u{ord(found[0]):04x}", text), flush=True)

    def line(self, text: str) -> None:
        """Print a sentence for a person; nothing under `--json`."""
        if not self.is_json:
            print(plain(text, keep="\n"))

    def note(self, text: str) -> None:
        """Print a sentence beside the result, on stderr; also under `--json`."""
        print(plain(text, keep="\n"), file=sys.stderr)

    def listing(self, rows: Sequence[Row], columns: Sequence[Column], empty: str) -> None:
        """Print a list: as it came under `--json`, else as a table."""
        if self.is_json:
            self.document(rows)
        else:
            self.table(rows, columns, empty)

    def table(self, rows: Iterable[Row], columns: Sequence[Column], empty: str) -> None:
        """Print rows as a table; `empty` where there are none."""
        lines = [[_cell(row, where) for _, where in columns] for row in rows]
        if not lines:
            self.line(empty)
            return
        from rich.table import Table
        from rich.text import Text

        # Text, never markup: rich takes `[/red]` in a peer's name for an instruction and fails.
        table = Table(box=None, pad_edge=False, header_style="bold")
        for title, _ in columns:
            table.add_column(Text(title), overflow="fold")
        for line in lines:
            table.add_row(*(Text(cell) for cell in line))
        _console().print(table, highlight=False)

    def facts(self, pairs: Iterable[tuple[str, object]]) -> None:
        """Print names and values, one pair a line; what is empty is left out."""
        kept = [
            (plain(name), value) for name, value in pairs if value not in (None, "", (), [], {})
        ]
        width = max((len(name) for name, _ in kept), default=0)
        for name, value in kept:
            print(f"{name:<{width}}  {_words(value)}")

    def failed(self, failure: CommandFailed) -> None:
        """Say why a command failed: what, where, what to do."""
        if self.is_json:
            self.document(failure.as_document())
            return
        print(f"wunder: {plain(failure.what)}", file=sys.stderr)
        if failure.where:
            print(f"  at: {plain(failure.where)}", file=sys.stderr)
        for advice in failure.advice:
            print(f"  -> {plain(advice)}", file=sys.stderr)

    @contextmanager
    def progress(
        self, title: str, total: int | None = None, *, is_slow: bool = False
    ) -> Iterator[Step]:
        """Show a bar on stderr while the block runs, where a person watches.

        Args:
            title: What is being done.
            total: How much there is to do, in what `step` counts; None where nobody knows.
            is_slow: what `step` counts takes its time; else short work gets no bar.
        """
        is_short = total is not None and total < PROGRESS_FROM_BYTES and not is_slow
        if self.is_json or not sys.stderr.isatty() or is_short:
            yield lambda amount: None
            return
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
        from rich.text import Text

        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
            task = progress.add_task(Text(plain(title)).plain, total=total)
            yield lambda amount: progress.advance(task, amount)

    def ask(self, question: str, instead: str) -> str:
        """Ask a person for a line.

        Raises: CommandFailed where nobody can be asked; `instead` is the option to give.
        """
        self._need_a_person(question, instead)
        print(f"{plain(question)} ", end="", file=sys.stderr, flush=True)
        return sys.stdin.readline().strip()

    def ask_secret(self, question: str, instead: str) -> str:
        """Ask a person for a line that is not shown. Raises: CommandFailed, as `ask`."""
        self._need_a_person(question, instead)
        import getpass

        return getpass.getpass(f"{plain(question)} ", stream=sys.stderr)

    def confirm(self, question: str, instead: str) -> bool:
        """Ask yes or no. Raises: CommandFailed, as `ask`."""
        return self.ask(f"{question} [y/N]", instead).lower() in {"y", "yes", "是"}

    def _need_a_person(self, question: str, instead: str) -> None:
        if not self.is_interactive:
            words = f"there is no terminal, so nobody can be asked: {question}"
            raise bad_usage(words, f"say it with {instead}")


def when(at_ms: int | None) -> str:
    """Return Unix milliseconds as a UTC date and time; "" for None."""
    if not at_ms:
        return ""
    return f"{datetime.fromtimestamp(at_ms / 1000, UTC):%Y-%m-%d %H:%M:%S}Z"


def size(size_bytes: int) -> str:
    """Return a number of bytes for people."""
    if size_bytes < 1024:
        return f"{size_bytes} B"
    amount, unit = size_bytes / 1024, "KiB"
    if amount >= 1024:
        amount, unit = amount / 1024, "MiB"
    return f"{amount:.1f} {unit}"


def _cell(row: Row, where: str | Callable[[Row], object]) -> str:
    return _words(row.get(where) if isinstance(where, str) else where(row))


def _words(value: object) -> str:
    match value:
        case None:
            return ""
        case True | False:
            return "yes" if value else "no"
        case list() | tuple():
            return plain(", ".join(str(item) for item in value))
        case _:
            return plain(value)


def _console() -> Any:
    from rich.console import Console

    is_terminal = sys.stdout.isatty()
    return Console(
        file=sys.stdout, markup=False, emoji=False, width=None if is_terminal else PIPE_COLUMNS
    )
