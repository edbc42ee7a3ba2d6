"""Events in the order of their ids, although many nodes write them (pure).

A database gives numbers before it commits: for a moment 8 may be there and 7 not. Whoever has read up to
8 would never see 7, so 8 waits for 7, but not for long: a number may belong to nobody.
"""

from collections.abc import Iterable

from wunder.model.trail import Event

#: Seconds. Choice: longer than a commit takes, shorter than anybody minds.
PATIENCE_S = 2.0


class InOrder:
    """What may be told now, given what was read."""

    def __init__(self, told_to: int) -> None:
        self.told_to = told_to
        self._held: dict[int, Event] = {}
        self._gap_since: float | None = None

    def take(self, events: Iterable[Event], now: float) -> list[Event]:
        """Return the events that are next; later ones wait for the numbers between, within patience.

        Args:
            events: what is stored above `told_to`; those that were read before may come again.
            now: monotonic seconds.
        """
        for event in events:
            if event.event_id > self.told_to:
                self._held[event.event_id] = event
        ready = self._next_ones()
        if not self._held:
            self._gap_since = None
        elif ready or self._gap_since is None:
            self._gap_since = now
        elif now - self._gap_since >= PATIENCE_S:
            self.told_to = min(self._held) - 1
            self._gap_since = None
            ready = self._next_ones()
        return ready

    def _next_ones(self) -> list[Event]:
        ready = []
        while (event := self._held.pop(self.told_to + 1, None)) is not None:
            ready.append(event)
            self.told_to += 1
        return ready
