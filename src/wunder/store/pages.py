"""Lists by cursor: a page is read one row too long, and the last row's number is where the next begins."""

from typing import Any

from wunder.errors import Invalid

_NO_CURSOR = 2**62


def parse_cursor(cursor: str) -> int:
    """Read a cursor; "" is the beginning. Raises: Invalid."""
    if not cursor:
        return _NO_CURSOR
    if not cursor.isdecimal() or len(cursor) > 18:
        raise Invalid("This cursor is none of ours: leave it out to begin anew.")
    return int(cursor)


def cut(rows: list[tuple[Any, ...]], limit: int) -> tuple[list[tuple[Any, ...]], str]:
    """Cut a page that was read one row too long; the first column is the cursor."""
    if len(rows) <= limit:
        return rows, ""
    return rows[:limit], str(rows[limit - 1][0])
