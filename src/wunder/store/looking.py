"""Looks through a large table newest first, in pieces, and stops before anybody has waited long.

Most filters of a list have no index: keeping one would cost every message something, for a list that is
opened now and then. Instead a call looks at what it can within its budget and says where to go on: a page
may be short, even empty, while there is more.
"""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from wunder.store.pages import cut, parse_cursor
from wunder.store.reads import Reads

#: Of the 50 ms that a list call may take (issue 5), the rest is for a last piece, decoding and the way.
BUDGET_S = 0.015
#: Rows of the first piece; the next is twice as long where one took next to nothing.
PIECE = 2_000
QUICK_S = BUDGET_S / 8
#: Numbers follow time, but for clocks of nodes that differ and transactions that end out of order.
SKEW_MS = 600_000
_NEAR = 2_000
#: A list of numbers is filled up to the next of these sizes: each text is prepared and kept for good.
_SIZES = (4, 32, 256, 1_024)
_NO_NUMBER = -1

Rows = list[tuple[Any, ...]]


class Search(msgspec.Struct, frozen=True):
    """What is looked for: a table with `seq` and `created_at`, its columns, a condition, times in ms."""

    table: str
    columns: str
    condition: str
    values: tuple[Any, ...]
    since: int | None = None
    until: int | None = None


def only(search: Search, numbers: Sequence[int]) -> Search:
    """Return the search among a few rows whose numbers are known."""
    size = next((size for size in _SIZES if size >= len(numbers)), len(numbers))
    marks = ", ".join("?" * size)
    return msgspec.structs.replace(
        search,
        condition=f"{search.condition} AND seq IN ({marks})",
        values=(*search.values, *numbers, *[_NO_NUMBER] * (size - len(numbers))),
    )


class Looking:
    """One way to look, for every such table of a store."""

    def __init__(self, reader: Reads, monotonic: Callable[[], float]) -> None:
        self._reader = reader
        self._monotonic = monotonic

    async def page(self, search: Search, limit: int, cursor: str) -> tuple[Rows, str]:
        """Return rows that match, `seq` first, and the cursor of what was not looked at; "" at the end."""
        top, floor = await self._span(search, parse_cursor(cursor))
        sql = f"""
          SELECT seq, {search.columns} FROM {search.table}
          WHERE {search.condition} AND seq < ? AND seq >= ? ORDER BY seq DESC LIMIT ?"""  # noqa: S608 - made of constants
        found: Rows = []
        piece, began = PIECE, self._monotonic()
        while top > floor:
            bottom = max(top - piece, floor)
            started = self._monotonic()
            wanted = limit + 1 - len(found)
            found += await self._reader.rows(sql, *search.values, top, bottom, wanted)
            if len(found) > limit:
                return cut(found, limit)
            top, now = bottom, self._monotonic()
            if now - began >= BUDGET_S and top > floor:
                return found, str(top)
            if now - started < QUICK_S:
                piece *= 2
        return found, ""

    async def _span(self, search: Search, cursor: int) -> tuple[int, int]:
        """Return the numbers between which to look: below the first, from the second on."""
        # Two questions: together they would be answered by reading the whole table (SQLite).
        lowest, highest = (f"(SELECT {end}(seq) FROM {search.table})" for end in ("min", "max"))  # noqa: S608 - constants
        ends = f"SELECT {lowest}, {highest}"
        [(oldest, newest)] = await self._reader.rows(ends)
        if oldest is None:
            return 0, 0
        top, floor = min(cursor, newest + 1), oldest
        if search.until is not None:
            until = search.until + SKEW_MS
            top = min(top, await self._first_at(search.table, until, oldest, newest + 1) + _NEAR)
        if search.since is not None:
            since = search.since - SKEW_MS
            floor = max(floor, await self._first_at(search.table, since, oldest, newest) - _NEAR)
        return top, floor

    async def _first_at(self, table: str, at: int, low: int, high: int) -> int:
        """Return about the number of the first row of a time or later, by halving."""
        sql = f"SELECT created_at FROM {table} WHERE seq <= ? ORDER BY seq DESC LIMIT 1"  # noqa: S608 - a constant
        while high - low > _NEAR:
            middle = (low + high) // 2
            rows = await self._reader.rows(sql, middle)
            if rows and rows[0][0] >= at:
                high = middle
            else:
                low = middle
        return high
