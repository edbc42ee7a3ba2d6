"""The hub: reads the event log once for all open pages, and closes those whose session has ended."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager

from wunder.errors import WunderError
from wunder.feed.frames import BYE, RESET, Figures, Frame, figures, frame_of, topic_of
from wunder.feed.log import EventFeed
from wunder.feed.order import InOrder
from wunder.model.trail import Event
from wunder.observe.logs import get_logger
from wunder.people.person import SessionHash
from wunder.ports import Clock

log = get_logger(__name__)

#: Choices. Half a second is live to a person, and two reads a second are nothing to a store.
POLL_S = 0.5
FIGURES_EVERY_S = 2.0
#: Rule 17: revocation closes streams within 5 s.
CHECK_EVERY_S = 2.0
READ_AT_ONCE = 500
#: Frames that may wait for a page that reads slowly; then it is told to read its lists again.
MAX_WAITING = 256

#: What a page may see of an event: a frame, or None.
View = Callable[[Event, Frame], Frame | None]


class Stream:
    """One open page: what waits for it, and what it may see. Figures are those of the whole gateway."""

    def __init__(
        self,
        view: View,
        session_hash: SessionHash | None,
        is_allowed: Callable[[], bool],
        *,
        has_figures: bool = True,
    ) -> None:
        self.view = view
        self.has_figures = has_figures
        self.session_hash = session_hash
        self.is_allowed = is_allowed
        self.is_over = False
        self._waiting: deque[Frame] = deque()
        self._came = asyncio.Event()

    def put(self, frame: Frame) -> None:
        """Have a frame wait; where too many do, they go and `reset` says so."""
        if len(self._waiting) >= MAX_WAITING:
            self._waiting.clear()
            frame = RESET
        self._waiting.append(frame)
        self._came.set()

    def end(self) -> None:
        """End the stream; what waits is still taken."""
        self.is_over = True
        self._came.set()

    async def take(self, limit_s: float) -> list[Frame]:
        """Return what waits, or nothing after `limit_s`."""
        try:
            async with asyncio.timeout(limit_s):
                await self._came.wait()
        except TimeoutError:
            return []
        self._came.clear()
        taken = list(self._waiting)
        self._waiting.clear()
        return taken


class FeedHub:
    """Fans the event log out. It reads only while somebody listens."""

    def __init__(
        self,
        feed: EventFeed,
        living: Callable[[Sequence[SessionHash]], Awaitable[set[SessionHash]]],
        counted: Callable[[], Figures],
        clock: Clock,
    ) -> None:
        """Take what it reads.

        Args:
            feed: the event log.
            living: which of some sessions still hold; one question for all streams.
            counted: figures now, from memory.
            clock: for the pauses.
        """
        self._feed = feed
        self._living = living
        self._counted = counted
        self._clock = clock
        self._streams: set[Stream] = set()
        self._somebody = asyncio.Event()
        self._is_closed = False
        self._order: InOrder | None = None

    @contextmanager
    def listen(self, stream: Stream) -> Iterator[None]:
        """Serve a stream for as long as this lasts."""
        if self._is_closed:
            stream.end()
        self._streams.add(stream)
        self._somebody.set()
        try:
            yield
        finally:
            self._streams.discard(stream)
            if not self._streams:
                self._somebody.clear()

    def close(self) -> None:
        """End every stream, and each that comes: the gateway stops."""
        self._is_closed = True
        for stream in self._streams:
            stream.end()

    async def run(self) -> None:
        """Read and tell until cancelled."""
        last: Figures | None = None
        figures_at = checked_at = 0.0
        while True:
            if not self._streams:
                # Whoever comes next begins at what is newest then.
                self._order = None
                await self._somebody.wait()
            now = self._clock.monotonic()
            try:
                await self.read()
                if now - checked_at >= CHECK_EVERY_S:
                    checked_at = now
                    await self.check()
            except WunderError as error:
                log.warning("feed_not_read", reason=error.code)
            if now - figures_at >= FIGURES_EVERY_S:
                figures_at, last = now, self.tell_figures(last)
            await self._clock.sleep(POLL_S)

    async def read(self) -> None:
        """Tell every stream what is new. Raises: StoreUnavailable."""
        await self._feed.flush()
        if self._order is None:
            self._order = InOrder(await self._feed.newest_id())
            return
        while True:
            found = await self._feed.after(self._order.told_to, READ_AT_ONCE)
            ready = self._order.take(found, self._clock.monotonic())
            for event in ready:
                self._tell(event)
            if len(found) < READ_AT_ONCE or not ready:
                return

    async def check(self) -> None:
        """Close the streams whose session or token has ended. Raises: StoreUnavailable."""
        await self._notice_new_numbers()
        hashes = {one.session_hash for one in self._streams if one.session_hash is not None}
        living = await self._living(list(hashes)) if hashes else set()
        for stream in self._streams:
            is_known = stream.session_hash is None or stream.session_hash in living
            if not is_known or not stream.is_allowed():
                stream.put(BYE)
                stream.end()

    async def _notice_new_numbers(self) -> None:
        """Begin anew where numbers do: SQLite counts from 1 when the last event went by its age."""
        newest = await self._feed.newest_id()
        if self._order is not None and newest < self._order.told_to:
            self._order = InOrder(newest)
            for stream in self._streams:
                stream.put(RESET)

    def tell_figures(self, last: Figures | None) -> Figures:
        """Tell the figures where they changed; what they are now."""
        counted = self._counted()
        if counted.figures != (last.figures if last else None):
            frame = figures(counted)
            for stream in self._streams:
                if stream.has_figures:
                    stream.put(frame)
        return counted

    def _tell(self, event: Event) -> None:
        frame = frame_of(event, topic_of(event))
        for stream in self._streams:
            shown = stream.view(event, frame)
            if shown is not None:
                stream.put(shown)
