"""Whether it is worth looking for waiting rows: the kept figures say so, without a thread's turn."""

from collections.abc import Callable

from wunder.model.ids import At

#: Figures save work and decide nothing: without any waiting row it is looked at least so often.
_LOOKS_AFTER_MS = 1_000


class Lookout:
    """Counts the rows that wait; asked from the event loop, before a unit or a query is made.

    Args:
        waiting: how many rows wait, exact once a commit of this process has returned. Where other
            nodes write as well, and nobody knows what, it says more than none.
    """

    def __init__(self, waiting: Callable[[], int]) -> None:
        self._waiting = waiting
        self._looked_at = At(0)

    def is_quiet(self, now: At) -> bool:
        """True while nothing waits and it was looked a moment ago."""
        if abs(now - self._looked_at) < _LOOKS_AFTER_MS and not self._waiting():
            return True
        self._looked_at = now
        return False
