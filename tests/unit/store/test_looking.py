"""Looking through a large table: nothing is missed, and nobody waits long."""

import sqlite3
from typing import Any

import pytest

from wunder.store.looking import BUDGET_S, PIECE, Looking, Search, only

ROWS = 30_000


class Table:
    """A table in memory; each statement takes as long as the test says."""

    def __init__(self, rows: int = ROWS, gap: int = 1) -> None:
        self.conn = sqlite3.connect(":memory:")
        self.conn.execute("CREATE TABLE things (seq INTEGER PRIMARY KEY, created_at, word)")
        words = (
            (at * gap, at * 1_000, "rare" if at % 9_999 == 1 else "") for at in range(1, rows + 1)
        )
        self.conn.executemany("INSERT INTO things VALUES (?, ?, ?)", words)
        self.takes_s = 0.0
        self.now = 0.0
        self.looked_at: list[int] = []

    def monotonic(self) -> float:
        return self.now

    async def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        if "seq >= ?" in sql:
            self.looked_at.append(values[-3] - values[-2])
            self.now += self.takes_s
        return self.conn.execute(sql, values).fetchall()


def search(condition: str = "word = ?", values: tuple[Any, ...] = ("rare",), **span: Any) -> Search:
    return Search("things", "word", condition, values, **span)


async def whole(table: Table, what: Search, limit: int = 2) -> tuple[list[int], int]:
    """Every match by following the cursors, and how many pages that took."""
    looking, found, cursor, pages = Looking(table, table.monotonic), [], "", 0
    while True:
        rows, cursor = await looking.page(what, limit, cursor)
        found += [row[0] for row in rows]
        pages += 1
        if not cursor:
            return found, pages


RARE = [29_998, 19_999, 10_000, 1]


@pytest.mark.parametrize("takes_s", [0.0, 0.004, BUDGET_S, 1.0])
async def test_every_match_is_found_however_slow_the_store_is(takes_s: float) -> None:
    table = Table()
    table.takes_s = takes_s
    found, _ = await whole(table, search())
    assert found == RARE


async def test_a_slow_store_is_asked_once_and_the_page_says_where_to_go_on() -> None:
    table = Table()
    table.takes_s = BUDGET_S
    rows, cursor = await Looking(table, table.monotonic).page(search("word = 'no'", ()), 50, "")
    assert (rows, cursor) == ([], str(ROWS + 1 - PIECE))
    assert table.looked_at == [PIECE]


async def test_a_quick_store_is_asked_for_more_at_once() -> None:
    table = Table()
    rows, cursor = await Looking(table, table.monotonic).page(search("word = 'no'", ()), 50, "")
    assert (rows, cursor) == ([], "")
    assert table.looked_at[:3] == [PIECE, 2 * PIECE, 4 * PIECE]


async def test_rows_that_are_gone_are_no_end() -> None:
    table = Table(rows=3_000, gap=50)
    found, _ = await whole(table, search("word = ''", ()), limit=200)
    assert len(found) == 3_000 - 1
    assert found == sorted(found, reverse=True)


async def test_a_span_of_time_is_jumped_to() -> None:
    table = Table()
    span = {"since": 9_000_000, "until": 11_000_000}
    inside = search("created_at >= 9000000 AND created_at < 11000000", (), **span)
    found, _ = await whole(table, inside, limit=5_000)
    assert (found[0], found[-1], len(found)) == (10_999, 9_000, 2_000)
    assert sum(table.looked_at) < ROWS


async def test_an_empty_table_has_no_page() -> None:
    table = Table(rows=0)
    assert await whole(table, search()) == ([], 1)


async def test_a_search_among_known_rows_finds_these_and_no_others() -> None:
    for numbers in ([], [10_000], RARE, [*range(1, 40), 29_998]):
        found, _ = await whole(Table(), only(search(), numbers))
        assert found == [number for number in RARE if number in numbers]


def test_searches_among_known_rows_are_few_statements_however_many_rows_there_are() -> None:
    """A connection keeps what it has prepared: a text for each length would fill the server's memory."""
    texts = {only(search(), range(many)).condition for many in range(1_001)}
    assert len(texts) == 4
