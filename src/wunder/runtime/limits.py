"""Slots for calls: how many at once, how many of one account, how many may wait."""

import asyncio
from collections import deque


class Full(Exception):
    """The waiting room is full as well."""


class Pool:
    """Slots of one kind of call to one plugin, first come first served among those who may go."""

    def __init__(self, slots: int, waiting: int, per_account: int | None = None) -> None:
        self.resize(slots, per_account)
        self._waiting_max = waiting
        self._taken: dict[str, int] = {}
        self._waiting: deque[tuple[str, asyncio.Future[None]]] = deque()
        self.in_use = 0

    def resize(self, slots: int, per_account: int | None = None) -> None:
        """Set the sizes; one account never has more than half a pool (protocol 1, Concurrency)."""
        self.slots = max(1, slots)
        half = max(1, self.slots // 2)
        self.per_account = self.slots if per_account is None else min(per_account, half)

    @property
    def is_idle(self) -> bool:
        """Nobody has a slot, nobody waits for one."""
        return not self.in_use and not self._waiting

    def try_take(self, account: str) -> bool:
        """Take a slot if one is free and nobody waits."""
        taken = self._taken.get(account, 0)
        if self._waiting or self.in_use >= self.slots or taken >= self.per_account:
            return False
        self.in_use += 1
        self._taken[account] = taken + 1
        return True

    async def take(self, account: str) -> None:
        """Take a slot, waiting for one if need be; the caller bounds the wait.

        Raises: Full.
        """
        if self.try_take(account):
            return
        if len(self._waiting) >= self._waiting_max:
            raise Full
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((account, turn))
        self._call_waiting()  # an account that is at its limit must not keep another waiting
        try:
            await turn
        except asyncio.CancelledError:
            if turn.cancelled() or not turn.done():
                self._waiting = deque(one for one in self._waiting if one[1] is not turn)
            else:
                self.give(account)
            raise

    def give(self, account: str) -> None:
        """Return a slot."""
        self.in_use -= 1
        self._taken[account] -= 1
        if self._waiting:
            self._call_waiting()

    def _may_go(self, account: str) -> bool:
        return self.in_use < self.slots and self._taken.get(account, 0) < self.per_account

    def _grant(self, account: str) -> None:
        self.in_use += 1
        self._taken[account] = self._taken.get(account, 0) + 1

    def _call_waiting(self) -> None:
        stay: deque[tuple[str, asyncio.Future[None]]] = deque()
        while self._waiting and self.in_use < self.slots:
            account, turn = self._waiting.popleft()
            if turn.done():
                continue
            if self._may_go(account):
                self._grant(account)
                turn.set_result(None)
            else:
                stay.append((account, turn))
        self._waiting.extendleft(reversed(stay))


class Turnstile:
    """Lets calls through together, or one alone: the one that is suspected of crashing the plugin."""

    def __init__(self) -> None:
        self._inside = 0
        self._alone = asyncio.Lock()
        self._is_open = asyncio.Event()
        self._is_empty = asyncio.Event()
        self._is_open.set()

    def try_enter(self) -> bool:
        """Enter with others, if nobody is alone inside or about to be."""
        if not self._is_open.is_set():
            return False
        self._inside += 1
        return True

    async def enter(self, *, alone: bool) -> None:
        """Enter, waiting for the turn; the caller bounds the wait."""
        if not alone:
            while not self.try_enter():
                await self._is_open.wait()
            return
        await self._alone.acquire()
        self._is_open.clear()
        try:
            while self._inside:
                self._is_empty.clear()
                await self._is_empty.wait()
        except asyncio.CancelledError:
            self._let_others_in()
            raise

    def leave(self, *, alone: bool) -> None:
        """Leave again."""
        if alone:
            self._let_others_in()
            return
        self._inside -= 1
        if not self._inside:
            self._is_empty.set()

    def _let_others_in(self) -> None:
        self._alone.release()
        if not self._alone.locked():
            self._is_open.set()
