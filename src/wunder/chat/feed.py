"""Notices that a conversation on somebody's page changed, whichever node changed it."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from wunder.chat.doors import ChatLog, Stamp
from wunder.chat.policy import ChatPolicy
from wunder.model.conversation import Conversation
from wunder.observe.logs import get_logger
from wunder.observe.outage import Outage
from wunder.ports import Clock

log = get_logger(__name__)
#: The place of the two numbers of a stamp that say how many rows wait, turns and deliveries.
_WAITING = (2, 5)


class Watch:
    """One open page: `changed` is set when there may be something new to read."""

    def __init__(self) -> None:
        self.changed = asyncio.Event()


class _Watched:
    """A conversation that at least one page shows."""

    def __init__(self) -> None:
        self.watches: set[Watch] = set()
        self.stamp: Stamp | None = None
        self.pause_s = 0.0
        self.look_at = 0.0  # monotonic

    def tell(self) -> None:
        for watch in self.watches:
            watch.changed.set()


class ChatFeed:
    """Looks at the stamps of the conversations that are on somebody's page, and at no others.

    There is no queue to miss anything from: a page that is told reads what is committed.
    """

    def __init__(self, chats: ChatLog, clock: Clock, policy: ChatPolicy) -> None:
        self._chats = chats
        self._clock = clock
        self._policy = policy
        self._watched: dict[Conversation, _Watched] = {}
        self._poked = asyncio.Event()
        self._outage = Outage(log, "chat")

    @contextmanager
    def watch(self, conversation: Conversation) -> Iterator[Watch]:
        """Be told of changes while the block runs."""
        watched = self._watched.setdefault(conversation, _Watched())
        watch = Watch()
        watched.watches.add(watch)
        self._look_soon(watched)
        try:
            yield watch
        finally:
            watched.watches.discard(watch)
            if not watched.watches:
                self._watched.pop(conversation, None)

    def poke(self, conversation: Conversation) -> None:
        """Look at a conversation now: something was just said in it."""
        watched = self._watched.get(conversation)
        if watched is not None:
            self._look_soon(watched)

    async def run(self) -> None:
        """Look, until cancelled; nothing is asked while no page is open."""
        while True:
            pause_s = self._pause_s()
            if pause_s != 0:
                await self._rest(pause_s)
                continue
            await self._look()

    def _look_soon(self, watched: _Watched) -> None:
        watched.pause_s = self._policy.quick_look_s
        watched.look_at = self._clock.monotonic() + watched.pause_s
        self._poked.set()

    def _pause_s(self) -> float | None:
        """Seconds until the next look; None while there is nothing to look at."""
        if not self._watched:
            return None
        due_at = min(one.look_at for one in self._watched.values())
        return max(0.0, due_at - self._clock.monotonic())

    async def _rest(self, pause_s: float | None) -> None:
        self._poked.clear()
        if pause_s is None:
            await self._poked.wait()
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(pause_s):
                await self._poked.wait()

    async def _look(self) -> None:
        now = self._clock.monotonic()
        due = [key for key, one in self._watched.items() if one.look_at <= now]
        for account_uid in {key.account_uid for key in due}:
            mine = {key.peer_id: key for key in due if key.account_uid == account_uid}
            stamps = None
            with self._outage:
                stamps = await self._chats.stamps(account_uid, list(mine))
            for peer_id, key in mine.items():
                watched = self._watched.get(key)
                if watched is None:
                    continue
                if stamps is not None:
                    self._compare(watched, stamps.get(peer_id))
                self._put_off(watched)

    def _compare(self, watched: _Watched, stamp: Stamp | None) -> None:
        if stamp == watched.stamp:
            return
        watched.stamp = stamp
        watched.pause_s = self._policy.quick_look_s / 2
        watched.tell()

    def _put_off(self, watched: _Watched) -> None:
        is_busy = watched.stamp is not None and any(watched.stamp[i] for i in _WAITING)
        most = self._policy.busy_look_s if is_busy else self._policy.idle_look_s
        watched.pause_s = min(most, watched.pause_s * 2)
        watched.look_at = self._clock.monotonic() + watched.pause_s
