"""Free hands that only count, and keep what they were given."""

from typing import Generic, TypeVar

Work = TypeVar("Work")


class FakeHands(Generic[Work]):
    """`free` slots; what is given is kept in `given`, wake-ups are counted."""

    def __init__(self, free: int = 0) -> None:
        self.free = free
        self.given: list[Work] = []
        self.wakes = 0

    def reserve(self, wanted: int) -> int:
        granted = min(wanted, self.free)
        self.free -= granted
        return granted

    def release(self, count: int) -> None:
        self.free += count

    def give(self, work: Work) -> None:
        self.given.append(work)

    def wake(self) -> None:
        self.wakes += 1
