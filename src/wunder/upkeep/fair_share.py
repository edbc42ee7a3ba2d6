"""Fair shares of a bounded room: nobody is turned away below their own share, whoever floods (pure).

Half of the room is divided among the members: each may always use its part. The other half is shared:
one may take as much of it as is still free beside it, so that a single flood leaves half of it, two
leave a third, and so on (dynamic thresholds: Choudhury and Hahne, IEEE/ACM ToN 6(2), 1998).
"""

from collections.abc import Mapping

#: An answer to "when again" is between these.
MIN_WAIT_S, MAX_WAIT_S = 1, 3_600
#: Said while nothing was measured yet.
UNKNOWN_WAIT_S = 30
_HALVINGS = 20


class FairRoom:
    """Who holds how much of a bounded room."""

    def __init__(self, capacity: float, members: int = 0) -> None:
        """Make an empty room.

        Args:
            capacity: what all may hold together.
            members: how many have a share of their own; 0: nobody, all of it is shared.
        """
        self._measure(capacity, members)
        self._held: dict[str, float] = {}
        self._total = 0.0
        self._borrowed = 0.0
        self._parts: dict[str, float] = {}

    @property
    def total(self) -> float:
        """What all hold together."""
        return self._total

    def held(self, name: str) -> float:
        """What one holds."""
        return self._held.get(name, 0.0)

    def resize(self, capacity: float, members: int) -> None:
        """Give the room another size."""
        if (capacity, members) != (self.capacity, self.members):
            self._measure(capacity, members)
            self.replace(self._held)

    def replace(self, held: Mapping[str, float]) -> None:
        """Take over what was counted elsewhere."""
        self._parts.clear()
        self._held = {name: amount for name, amount in held.items() if amount > 0}
        self._total = sum(self._held.values())
        self._borrowed = sum(self._over(amount) for amount in self._held.values())

    def admits(self, name: str, amount: float = 1) -> bool:
        """Whether there is room for `amount` more of one."""
        return self._excess(name, amount) <= 0

    def take(self, name: str, amount: float = 1) -> None:
        """Note that one holds `amount` more, or less."""
        before = self._held.get(name, 0.0)
        after = max(0.0, before + amount)
        self._total += after - before
        if amount < 0:
            self._parts.clear()
        self._borrowed += max(0.0, after - self.share) - max(0.0, before - self.share)
        if after:
            self._held[name] = after
        else:
            self._held.pop(name, None)

    def wait_s(self, name: str, amount: float, drain_per_s: float) -> int:
        """After how many seconds there will be room, if what is held drains evenly at this rate.

        Worked out once for each name and count of the room: a flood asks very often.
        """
        if self._excess(name, amount) <= 0:
            return MIN_WAIT_S
        if drain_per_s <= 0:
            return UNKNOWN_WAIT_S
        part = self._parts.get(name)
        if part is None:
            part = self._parts[name] = self._part_to_drain(name, amount)
        seconds = part * self._total / drain_per_s
        return int(min(MAX_WAIT_S, max(MIN_WAIT_S, seconds + 0.999)))

    def _measure(self, capacity: float, members: int) -> None:
        self.capacity, self.members = capacity, members
        part = 1 if members == 1 else 1 / 2
        self.share = capacity * part / members if members else 0.0  # what each may always hold

    def _part_to_drain(self, name: str, amount: float) -> float:
        """Which part of everything has to end before there is room: 0 to 1, by halving."""
        over = [held for held in self._held.values() if held > self.share]
        shared, own = self.capacity - self.share * self.members, self.held(name)
        low, high = 0.0, 1.0
        for _ in range(_HALVINGS):
            part = (low + high) / 2
            borrowed = sum(self._over(held * (1 - part)) for held in over)
            if self._over(own * (1 - part) + amount) <= shared - borrowed:
                high = part
            else:
                low = part
        return high

    def _excess(self, name: str, amount: float) -> float:
        """By how much it is too much; at most 0 where there is room."""
        wanted = self._over(self.held(name) + amount)
        if not wanted:
            return 0.0
        shared = self.capacity - self.share * self.members
        return wanted - (shared - self._borrowed)

    def _over(self, amount: float) -> float:
        return max(0.0, amount - self.share)


class HeldBytes:
    """The bytes of requests that are in memory now: bounded, and fair between those who send them."""

    def __init__(self, capacity: int) -> None:
        self._room = FairRoom(capacity)
        self._drain = Drain()
        self._let_go = 0.0

    def wait_s(self, name: str, size_bytes: int, now_s: float) -> int:
        """Take a request's bytes in; 0, or after how many seconds to come again."""
        self._drain.look(now_s, self._let_go, self._room.total)
        if not self._room.admits(name, size_bytes):
            return self._room.wait_s(name, size_bytes, self._drain.per_s)
        self._room.take(name, size_bytes)
        return 0

    def let_go(self, name: str, size_bytes: int) -> None:
        """Learn that a request is answered."""
        self._room.take(name, -size_bytes)
        self._let_go += size_bytes


class Drain:
    """How fast something ends, as far as can be told: while work waits, what ends is all that can end."""

    def __init__(self, settle_s: float = 30.0) -> None:
        """`settle_s`: how long the past counts."""
        self._settle_s = settle_s
        self._at_s: float | None = None
        self._ended = 0.0
        self._waited = 0.0
        self.per_s = 0.0

    def look(self, at_s: float, ended: float, waiting: float) -> None:
        """Take down how much ended so far, and how much waits now; `at_s` is monotonic."""
        if self._at_s is not None and at_s > self._at_s:
            passed_s = at_s - self._at_s
            rate = max(0.0, ended - self._ended) / passed_s
            if self._waited > 0 and waiting > 0:
                weight = min(1.0, passed_s / self._settle_s) if self.per_s else 1.0
                self.per_s += (rate - self.per_s) * weight
            else:
                # Nothing waited: more could have ended, had there been more.
                self.per_s = max(self.per_s, rate)
        self._at_s, self._ended, self._waited = at_s, ended, waiting
