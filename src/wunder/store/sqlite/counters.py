"""Kept counters: how many rows of a table are in a state, without ever counting them."""

import sqlite3

PREFIX = "count."


class Counters:
    """The committed figures in memory; changes are written with the transaction that makes them."""

    def __init__(self, conn: sqlite3.Connection) -> None:
        rows = conn.execute("SELECT key, value FROM meta WHERE key GLOB ?", (PREFIX + "*",))
        self._values = {key.removeprefix(PREFIX): int(value) for key, value in rows}

    def write(self, conn: sqlite3.Connection, changes: dict[str, int]) -> None:
        """Write the figures that a transaction changes, inside it."""
        conn.executemany(
            "INSERT INTO meta (key, value) VALUES (?, ?)"
            " ON CONFLICT (key) DO UPDATE SET value = excluded.value",
            [
                (PREFIX + name, str(self._values.get(name, 0) + delta))
                for name, delta in changes.items()
                if delta
            ],
        )

    def committed(self, changes: dict[str, int]) -> None:
        """Take over the changes of a transaction that was committed."""
        for name, delta in changes.items():
            self._values[name] = self._values.get(name, 0) + delta

    def value(self, name: str) -> int:
        """One figure; 0 where nothing was counted."""
        return self._values.get(name, 0)

    def snapshot(self) -> dict[str, float]:
        """All figures."""
        # A copy first: the writer's thread may add a name at any moment.
        return {name: float(value) for name, value in self._values.copy().items()}
