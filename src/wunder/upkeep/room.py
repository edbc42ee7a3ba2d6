"""The whole room, put together: what the composition root asks for, and what the API speaks to."""

from collections.abc import Callable
from typing import NamedTuple, Protocol

from wunder.ports import Clock, EventLog
from wunder.upkeep.pairing import PairingDesk, PairingTable


class Tables(Protocol):
    """The store's tables of upkeep."""

    @property
    def pairings(self) -> PairingTable:
        """`channel_pairings`."""


class Doors(NamedTuple):
    """What upkeep stands on besides its tables; `wake` tells rooms 2 and 3 that rows wait."""

    events: EventLog
    clock: Clock
    wake: Callable[[], None]


class Upkeep:
    """What administrators do beside the traffic."""

    def __init__(self, tables: Tables, doors: Doors) -> None:
        events, clock, wake = doors
        self.pairings = PairingDesk(tables.pairings, events, clock, wake)
