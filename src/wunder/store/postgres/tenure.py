"""How long this node may act on what it claimed, and what time it is, by the database's clock."""

from collections.abc import Callable

from wunder.model.ids import At

#: Told what the database's clock showed at some moment since the monotonic clock showed `asked_s`.
Heard = Callable[[At, float], None]


class Tenure:
    """A lease as its holder sees it: it ends no later here than in the database.

    Who was paused, or cut off, past the end of its lease must write no frame for what it had marked
    before: another node has put that right.
    """

    def __init__(self, lease_s: float, monotonic: Callable[[], float]) -> None:
        self._lease_s = lease_s
        self.monotonic = monotonic
        self.heard: Heard = unheard
        self._epoch = 0
        self._until_s = float("-inf")

    def granted(self, epoch: int, asked_s: float) -> None:
        """Note a lease that was asked for when the monotonic clock showed `asked_s`."""
        self._epoch = epoch
        self._until_s = asked_s + self._lease_s

    def left_s(self) -> float:
        """How much of the lease is left."""
        return self._until_s - self.monotonic()

    def holds(self, epoch: int) -> bool:
        """True while what was claimed in this life is certainly nobody else's."""
        return epoch == self._epoch and self.monotonic() < self._until_s


def unheard(_at: At, _asked_s: float) -> None:
    """Leave this machine's clock alone."""
    return
