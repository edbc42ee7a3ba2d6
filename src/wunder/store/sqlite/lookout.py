"""Whether it is worth looking for waiting rows: the kept figures say so, without a thread's turn."""

from wunder.model.ids import At
from wunder.store.sqlite.writer import Writer

#: Figures save work and decide nothing: without any waiting row it is looked at least so often.
_LOOKS_AFTER_MS = 1_000


class Lookout:
    """Counts the rows of one state; asked from the event loop, before a unit or a query is made.

    One process writes this store and its figures are exact once a commit has returned.
    """

    def __init__(self, writer: Writer, figure: str) -> None:
        self._writer = writer
        self._figure = figure
        self._looked_at = At(0)

    def is_quiet(self, now: At) -> bool:
        """True while nothing waits and it was looked a moment ago."""
        is_fresh = abs(now - self._looked_at) < _LOOKS_AFTER_MS
        if is_fresh and not self._writer.counters.value(self._figure):
            return True
        self._looked_at = now
        return False
