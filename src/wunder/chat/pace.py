"""How often somebody may do something: bounded token buckets, on this node."""

import math


class Pace:
    """Buckets by name, each filled at a rate a minute; the longest unused is forgotten first.

    Args:
        most: how many names are remembered.
    """

    def __init__(self, most: int = 10_000) -> None:
        self._most = most
        self._buckets: dict[str, tuple[float, float]] = {}  # level, and when it was that

    def wait_s(self, name: str, per_minute: int, now: float) -> int:
        """Take one; 0 when it may be, else after how many seconds.

        Args:
            name: whose bucket.
            per_minute: its rate; half of it, at least 3, may come at once.
            now: monotonic seconds.
        """
        at_once = max(3.0, per_minute / 2)
        level, seen = self._buckets.pop(name, (at_once, now))
        level = min(at_once, level + (now - seen) * per_minute / 60)
        if len(self._buckets) >= self._most:
            del self._buckets[next(iter(self._buckets))]
        is_there = level >= 1
        self._buckets[name] = (level - 1 if is_there else level, now)
        return 0 if is_there else max(1, math.ceil((1 - level) * 60 / per_minute))
