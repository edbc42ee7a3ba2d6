"""What nodes tell each other: a word a topic with the commit that it concerns, and an ear for it."""

import asyncio
from collections.abc import Callable, Iterable

import asyncpg

from wunder.errors import StoreUnavailable
from wunder.ports import Clock
from wunder.store.policy import StorePolicy
from wunder.store.postgres.life import Life
from wunder.store.postgres.session import Line, Session
from wunder.store.postgres.statements import Many, Parts

CHANNEL = "wunder"
#: Claims wait; every other topic names a table that administrators keep.
WORK = "work"
_NOTIFY = Many("SELECT v.n, pg_notify('wunder', v.word)::text FROM {v}", "word text")


def telling(life: Life, topics: Iterable[str]) -> Parts:
    """What tells the other nodes when it is committed; nobody is there to hear of work alone."""
    heard = [topic for topic in sorted(topics) if topic != WORK or life.peers]
    return [(_NOTIFY, [(f"{life.epoch} {topic}",) for topic in heard])] if heard else []


class Ear:
    """Hears what other nodes tell. After each time it could not listen, everything may be new."""

    def __init__(self, line: Line, life: Life, clock: Clock, policy: StorePolicy) -> None:
        self._line = line
        self._life = life
        self._clock = clock
        self._policy = policy
        self.on_news: Callable[[str], None] = _nobody
        self._lost = asyncio.Event()

    async def run(self) -> None:
        """Listen until cancelled; a lost connection is made again."""
        try:
            while True:
                await self._listen()
                await self._clock.sleep(self._policy.database_backoff_s)
        finally:
            await self._line.close()

    async def _listen(self) -> None:
        try:
            session = await self._line.session()
            self._lost.clear()
            session.conn.add_termination_listener(self._on_lost)
            await session.conn.add_listener(CHANNEL, self._on_word)
        except (StoreUnavailable, OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            self._line.drop()
            return
        self.on_news("")
        while not session.is_lost:
            # A connection may die without a word: ask now and then.
            try:
                async with asyncio.timeout(self._policy.lease_s):
                    await self._lost.wait()
            except TimeoutError:
                await self._ask(session)
        self._line.drop()

    async def _ask(self, session: Session) -> None:
        try:
            async with asyncio.timeout(self._policy.database_stall_s):
                await session.plain("SELECT 1")
        except (TimeoutError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            session.conn.terminate()

    def _on_lost(self, _connection: object) -> None:
        self._lost.set()

    def _on_word(self, _connection: object, _pid: int, _channel: str, payload: object) -> None:
        epoch, _, topic = str(payload).partition(" ")
        if epoch != str(self._life.epoch):
            self.on_news(topic)


def _nobody(_topic: str) -> None:
    return
