"""A clock that stands still until a test moves it."""

import asyncio
import heapq
import itertools

from wunder.model.ids import At

#: Turns of the event loop that `run_for` grants woken tasks before it moves on.
LOOP_TURNS = 20


class FakeClock:
    """Clock whose time is what the test says.

    `advance` is synchronous and wakes sleepers that are due; they run when the test next awaits.
    `run_for` moves sleeper by sleeper and lets each run, so that a sleep inside a woken task counts.
    """

    def __init__(self, now_ms: int = 1_700_000_000_000) -> None:
        self._now_ms = float(now_ms)
        self._monotonic_s = 0.0
        self._order = itertools.count()
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []

    def now(self) -> At:
        return At(int(self._now_ms))

    def monotonic(self) -> float:
        return self._monotonic_s

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        woken = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._monotonic_s + seconds, next(self._order), woken))
        await woken

    @property
    def sleepers(self) -> int:
        """How many tasks sleep now."""
        return sum(not future.done() for _, _, future in self._sleepers)

    def advance(self, seconds: float) -> None:
        """Move both clocks and wake who is due."""
        self._monotonic_s += seconds
        self._now_ms += seconds * 1000
        while self._sleepers and self._sleepers[0][0] <= self._monotonic_s:
            woken = heapq.heappop(self._sleepers)[2]
            if not woken.done():
                woken.set_result(None)

    def step_wall(self, seconds: float) -> None:
        """Move wall time only, as when somebody sets the machine's clock."""
        self._now_ms += seconds * 1000

    async def run_for(self, seconds: float) -> None:
        """Advance from one due sleeper to the next, letting tasks run after each."""
        end = self._monotonic_s + seconds
        await self._settle()
        while self._sleepers and self._sleepers[0][0] <= end:
            self.advance(max(0.0, self._sleepers[0][0] - self._monotonic_s))
            await self._settle()
        self.advance(max(0.0, end - self._monotonic_s))
        await self._settle()

    async def _settle(self) -> None:
        for _ in range(LOOP_TURNS):
            await asyncio.sleep(0)
