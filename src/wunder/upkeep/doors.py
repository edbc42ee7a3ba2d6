"""What every part of upkeep stands on besides its tables."""

from collections.abc import Callable, Mapping
from typing import NamedTuple, Protocol

from wunder.ports import Clock, EventLog


class Doors(NamedTuple):
    """`wake` tells rooms 2 and 3 that rows wait; `figures` are the store's kept counters."""

    events: EventLog
    clock: Clock
    wake: Callable[[], None]
    figures: Callable[[], Mapping[str, float]]


class StoreHealth(Protocol):
    """What readiness, doctor and metrics ask of a store."""

    async def probe(self) -> None:
        """Write and commit one row. Raises: StoreUnavailable, StoreFull."""

    def figures(self) -> dict[str, float]:
        """Kept counters: `<table>_<state>`, `commits`, `rows`, `queue`; never `count(*)`."""

    async def backup(self, target: str) -> None:
        """Write a consistent copy while serving."""
