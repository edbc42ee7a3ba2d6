"""Statements for PostgreSQL: one row at a time, or one array a column for the rows of a whole batch."""

import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import count
from typing import Any

from wunder.store.unit import Rows

_MARK = re.compile(r"\?(\d*)")
_ARGUMENT = re.compile(r"\$(\d+)")
_numbers = count()
_NOTHING = Rows((), 0)


@lru_cache(maxsize=512)
def numbered(sql: str) -> str:
    """Turn `?` and `?2` into `$1` and `$2`."""
    count = 0

    def number(match: re.Match[str]) -> str:
        nonlocal count
        count += 1
        return f"${match[1] or count}"

    return _MARK.sub(number, sql)


class Many:
    """A statement that runs once for all rows of a batch: `{v}` is the rows, as arrays.

    A state beside a key is compared as `state || ''`: bare, it would be proof enough for a partial
    index of that state, which the planner takes for smaller than it is.

    Results are matched to rows by what names them, never by position: by the column `v.n` that the
    statement returns first, or, where an INSERT cannot return it, by the columns `by`.
    """

    __slots__ = ("_by", "_latest", "_names", "is_read", "number", "returns", "sql")

    def __init__(
        self, sql: str, columns: str, by: str = "", *, leads: bool = False, latest: str = ""
    ) -> None:
        """Take the text and its columns.

        Args:
            sql: the statement; `{v}` has one column for each of `columns`, and `n`.
            columns: `name type, name type`, in the order of the rows' values.
            by: names of columns that the statement returns first; "" for `n`.
            leads: run before others where several are one statement.
            latest: a column; of rows that are alike in it the last one counts. An UPDATE that joins
                two rows takes any of them. Such a statement returns nothing.
        """
        self.number = -1 if leads else next(_numbers)
        self.is_read = sql.lstrip().startswith("SELECT")
        self.returns = self.is_read or "RETURNING" in sql
        pairs = [pair.split() for pair in columns.split(",")]
        self._names = [name for name, _ in pairs]
        self._latest = self._names.index(latest) if latest else None
        arrays = ", ".join(f"${n}::{kind}[]" for n, (_, kind) in enumerate(pairs, 1))
        names = ", ".join(self._names)
        v = f"unnest({arrays}) WITH ORDINALITY AS v({names}, n)"
        self.sql = sql.replace("{v}", v)
        self._by = [self._names.index(name) for name in by.split()]

    @property
    def width(self) -> int:
        """How many arrays it takes."""
        return len(self._names)

    def shifted(self, by: int) -> str:
        """The text with its arguments numbered from `by` + 1."""
        return _ARGUMENT.sub(lambda match: f"${int(match[1]) + by}", self.sql)

    def arrays(self, rows: Sequence[tuple[Any, ...]]) -> list[list[Any]]:
        """The arguments for these rows: by key, so that nodes lock index entries in one order."""
        if self._latest is not None:
            rows = list({row[self._latest]: row for row in rows}.values())
        if self._by:
            rows = sorted(rows, key=self._key)
        return [list(column) for column in zip(*rows, strict=True)]

    def matched(
        self, rows: Sequence[tuple[Any, ...]], found: Sequence[Sequence[Any]]
    ) -> list[Rows]:
        """What was found, for each row, without what it was matched by."""
        if not found:
            return [_NOTHING] * len(rows)
        results: list[list[tuple[Any, ...]]] = [[] for _ in rows]
        if not self._by:
            for record in found:
                values = tuple(record)
                results[values[0] - 1].append(values[1:])
        else:
            width = len(self._by)
            place = {self._key(row): at for at, row in reversed(list(enumerate(rows)))}
            for record in found:
                values = tuple(record)
                results[place[values[:width]]].append(values[width:])
        return [Rows(one, len(one)) for one in results]

    def _key(self, row: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(row[at] for at in self._by)


Statement = str | Many
#: Statements and the rows each is run for.
Parts = Sequence[tuple[Many, Sequence[tuple[Any, ...]]]]


@lru_cache(maxsize=512)
def as_one(parts: tuple[Many, ...]) -> str:
    """Several statements over arrays as one: a column, an array of rows, for each that returns any.

    They see the same snapshot: none may read or change what another one writes. Each is there once.
    """
    if len(parts) == 1:
        return parts[0].sql
    named, found, shift = [], [], 0
    for number, part in enumerate(parts):
        named.append(f"w{number} AS ({part.shifted(shift)})")
        if part.returns:
            found.append(f"ARRAY(SELECT w{number} FROM w{number})")  # noqa: S608 - numbers
        shift += part.width
    return f"WITH {', '.join(named)} SELECT {', '.join(found) or '1'}"


def inserting(table: str, columns: str, end: str = "") -> Many:
    """An INSERT of rows; `columns` as for Many, `end` such as ON CONFLICT DO NOTHING."""
    names = ", ".join(pair.split()[0] for pair in columns.split(","))
    sql = f"INSERT INTO {table} ({names}) SELECT {names} FROM {{v}} ORDER BY n {end}"  # noqa: S608 - constants
    return Many(sql, columns)
