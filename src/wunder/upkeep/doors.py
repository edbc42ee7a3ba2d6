"""What every part of upkeep stands on besides its tables."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from wunder.ports import Clock, EventLog


class Doors(NamedTuple):
    """`wake` tells rooms 2 and 3 that rows wait; `figures` are the store's kept counters."""

    events: EventLog
    clock: Clock
    wake: Callable[[], None]
    figures: Callable[[], Mapping[str, float]]
