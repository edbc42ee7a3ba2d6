"""What doors that only read ask of an engine."""

from typing import Any, Protocol


class Reads(Protocol):
    """A connection that reads."""

    async def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """The rows of one statement, `?` or `?1` in it; whatever is asked with is cleaned first.

        Raises: StoreUnavailable, StoreBroken.
        """
