"""What the audience sees: scenes, commands, chat lines and tables; colours only on a terminal."""

import os
import re
import sys
import unicodedata
from collections.abc import Iterable, Sequence

BOLD, DIM, RED, GREEN, YELLOW, BLUE, CYAN = "1", "2", "31", "32", "33", "34", "36"
#: What would act on a terminal, should a platform or a plugin ever say it.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")
WIDTH = 92


class Screen:
    """Standard output, scene after scene."""

    def __init__(self) -> None:
        is_terminal = sys.stdout.isatty() and os.environ.get("TERM") != "dumb"
        self._is_coloured = is_terminal and "NO_COLOR" not in os.environ
        self._scenes = 0
        sys.stdout.reconfigure(errors="replace", line_buffering=True)

    def title(self, text: str, below: str) -> None:
        print(f"\n  {self._in(BOLD, text)}\n  {self._in(DIM, below)}")

    def scene(self, title: str) -> None:
        self._scenes += 1
        rule = "─" * max(3, WIDTH - width_of(title) - 6)
        print(f"\n{self._in(BOLD + ';' + BLUE, f' {self._scenes}  {title}')} {self._in(DIM, rule)}")

    def say(self, text: str) -> None:
        print(f"    {plain(text)}")

    def command(self, line: str) -> None:
        print(f"    {self._in(CYAN, '$ ' + plain(line))}")

    def call(self, method: str, path: str, status: object) -> None:
        print(f"    {self._in(CYAN, f'{method} {plain(path)}')} {self._in(DIM, f'-> {status}')}")

    def output(self, text: str) -> None:
        for line in text.splitlines():
            print(f"      {self._in(DIM, plain(line.rstrip()))}")

    def person(self, who: str, text: str, after: str = "") -> None:
        print(f"    {self._in(YELLOW, f'{who} ▸')} {plain(text)}  {self._in(DIM, plain(after))}")

    def bot(self, text: str, after: str) -> None:
        print(f"    {self._in(GREEN, 'bot ◂')} {plain(text)}  {self._in(DIM, plain(after))}")

    def table(self, head: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        lines = [[plain(cell) for cell in row] for row in rows]
        widths = [max(map(width_of, column)) for column in zip(head, *lines, strict=True)]
        print(f"      {self._in(DIM, _aligned(head, widths))}")
        for line in lines:
            print(f"      {_aligned(line, widths)}")

    def verdicts(self, rows: Sequence[tuple[str, str, str]]) -> None:
        """Print what was promised, the evidence, and whether it was seen: `ok`, `missing`, `wrong`."""
        widest = max(width_of(promised) for _, promised, _ in rows)
        marks = {"ok": (GREEN, "✔"), "missing": (YELLOW, "·"), "wrong": (RED, "✘")}
        for verdict, promised, evidence in rows:
            colour, mark = marks[verdict]
            print(
                f"  {self._in(colour, mark)} {_padded(promised, widest)}  {self._in(DIM, plain(evidence))}"
            )

    def end(self, text: str, *, is_well: bool) -> None:
        print(f"\n  {self._in(BOLD + ';' + (GREEN if is_well else RED), plain(text))}\n")

    def _in(self, colour: str, text: str) -> str:
        return f"\x1b[{colour}m{text}\x1b[0m" if self._is_coloured else text


def plain(text: object) -> str:
    """Return text that only shows, and never acts on a terminal."""
    return _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", str(text))


def width_of(text: str) -> int:
    """Return how many columns a terminal gives the text: Chinese characters take two."""
    return sum(2 if unicodedata.east_asian_width(one) in "WF" else 1 for one in text)


def _padded(text: str, columns: int) -> str:
    return text + " " * (columns - width_of(text))


def _aligned(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = (_padded(cell, columns) for cell, columns in zip(cells, widths, strict=True))
    return "  ".join(padded).rstrip()
