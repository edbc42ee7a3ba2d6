"""What other nodes of the same database changed: read again here, within a moment."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from wunder.errors import WunderError
from wunder.observe import logs
from wunder.ports import Clock

log = logs.get_logger(__name__)
#: Claims wait; everything else names a table that administrators keep.
WORK = "work"
EVERYTHING = ""
_AGAIN_S = 1.0
#: How late a change is seen where no word of it came, as behind a pooler that cuts LISTEN (choice).
POLL_S = 30.0


class NewsDesk:
    """Takes down topics as they come, and reads again what they name."""

    def __init__(
        self,
        wake: Callable[[], None],
        reloads: Mapping[str, Callable[[], Awaitable[None]]],
        clock: Clock,
    ) -> None:
        """Take what to do.

        Args:
            wake: looks for claims that wait.
            reloads: topic -> reads its table again.
            clock: for the pause after a table could not be read.
        """
        self._wake = wake
        self._reloads = reloads
        self._clock = clock
        self._topics: set[str] = set()
        self._came = asyncio.Event()

    def hear(self, topic: str) -> None:
        """Take down a topic; "" where anything may have been missed. Never blocks."""
        if topic in (WORK, EVERYTHING):
            self._wake()
        wanted = self._reloads.keys() if topic == EVERYTHING else {topic} & self._reloads.keys()
        if wanted:
            self._topics |= set(wanted)
            self._came.set()

    async def poll(self, every_s: float) -> None:
        """Read everything again now and then: a word that was lost must not be missed for ever."""
        while True:
            await self._clock.sleep(every_s)
            self.hear(EVERYTHING)

    async def run(self) -> None:
        """Read again what was heard of, until cancelled."""
        while True:
            await self._came.wait()
            self._came.clear()
            # In the order of the table: bindings are read after the accounts they name.
            for topic in [topic for topic in self._reloads if topic in self._topics]:
                self._topics.discard(topic)
                try:
                    await self._reloads[topic]()
                except WunderError as error:
                    log.warning("news_not_read", topic=topic, reason=error.code)
                    await self._clock.sleep(_AGAIN_S)
                    self._topics.add(topic)
                    self._came.set()
