"""What an open page is told: the lines of its conversation, then each change of one."""

import asyncio
import hashlib
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import suppress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import msgspec

from wunder.chat.desk import ChatDesk
from wunder.chat.doors import ChatLine, ChatLog
from wunder.chat.feed import ChatFeed, Watch
from wunder.chat.policy import ChatPolicy
from wunder.chat.shown import ShownFile, ShownLine, shown
from wunder.chat.visits import Visitor
from wunder.errors import NotAllowed, NotFound, RequestRefused
from wunder.model.attachment import StoredAttachment
from wunder.model.conversation import Conversation
from wunder.observe.logs import get_logger
from wunder.observe.outage import Outage
from wunder.ports import Clock

if TYPE_CHECKING:
    from collections.abc import Sequence

log = get_logger(__name__)
#: An attachment and a link to it, "" where there are no bytes. Raises: NotFound.
Files = Callable[[str], Awaitable[tuple[StoredAttachment, str]]]
RETRY_MS = 2_000


class Frame(msgspec.Struct, frozen=True):
    """One event of the stream; a heartbeat has no name."""

    name: str = ""
    frame_id: str = ""
    body: bytes = b""

    def encode(self) -> bytes:
        """Return it as server-sent events are written."""
        if not self.name:
            return b": still here\n\n"
        numbered = f"id: {self.frame_id}\n" if self.frame_id else ""
        return f"{numbered}event: {self.name}\n".encode() + b"data: " + self.body + b"\n\n"


class Told(msgspec.Struct, frozen=True):
    """What an event of the stream holds; `is_whole`: these are all lines that the page is to show."""

    lines: tuple[ShownLine, ...]
    is_whole: bool


class ChatStreams:
    """The streams of all open pages on this node."""

    def __init__(
        self,
        desk: ChatDesk,
        chats: ChatLog,
        feed: ChatFeed,
        files: Files,
        clock: Clock,
        policy: ChatPolicy,
    ) -> None:
        self._desk = desk
        self._chats = chats
        self._feed = feed
        self._files = files
        self._clock = clock
        self._policy = policy
        self._outage = Outage(log, "chat_lines")
        self._open: Counter[str] = Counter()  # each stream by its visitor, and by its source

    async def frames(
        self, key: str, visitor: Visitor, last_id: str, source: str = ""
    ) -> AsyncGenerator[Frame | None, None]:
        """Yield what the page is to be told until the visit ends, and None now and then meanwhile.

        Args:
            key: of the page.
            visitor: checked by the desk; checked again before each frame.
            last_id: of the last frame that the page has; it is spared what it knows.
            source: where the page is, so that one source does not take all streams.

        Raises:
            RequestRefused: 503, too many pages are open.
        """
        policy, whose = self._policy, f"{visitor.account_uid}/{visitor.peer_id}"
        if self._open.total() >= 2 * policy.streams:
            raise RequestRefused(503, "too_many_streams", retry_after_s=10)
        limits = ((whose, policy.streams_per_visitor), (source, policy.streams_per_source))
        if any(self._open[name] >= limit for name, limit in limits):
            raise RequestRefused(429, "too_many_streams", retry_after_s=10)
        self._open.update((whose, source))
        conversation = self._desk.conversation(visitor)
        try:
            with self._feed.watch(conversation) as watch:
                telling = _Telling(last_id)
                watch.changed.set()
                async for frame in self._told(conversation, watch, telling):
                    try:
                        self._desk.refuse_ended(key, visitor)
                    except (NotAllowed, NotFound):
                        yield Frame("ended", body=b"{}")
                        return
                    yield frame
        finally:
            self._open.subtract((whose, source))
            self._open += Counter()  # forget who has none open

    async def _told(
        self, conversation: Conversation, watch: Watch, telling: "_Telling"
    ) -> AsyncIterator[Frame | None]:
        """Yield frames, and None each `check_s`, so that the visit is looked at meanwhile."""
        said_at = self._clock.monotonic()
        while True:
            if watch.changed.is_set() or telling.is_owed:
                watch.changed.clear()
                frame = await self._news(conversation, telling)
                if frame is not None:
                    said_at = self._clock.monotonic()
                    yield frame
            with suppress(TimeoutError):
                async with asyncio.timeout(self._policy.check_s):
                    await watch.changed.wait()
            is_quiet = self._clock.monotonic() - said_at >= self._policy.heartbeat_s
            if is_quiet:
                said_at = self._clock.monotonic()
            yield Frame() if is_quiet else None

    async def _news(self, conversation: Conversation, telling: "_Telling") -> Frame | None:
        is_first = telling.is_first
        limit = self._policy.lines_shown if is_first else self._policy.lines_changed
        frame: Frame | None = None
        telling.is_owed = True
        with self._outage:
            lines = await self._chats.lines(conversation, limit)
            found = [await self._shown(line) for line in lines]
            frame = telling.news(found, found[-self._policy.lines_changed :])
            telling.is_owed = False
        return frame

    async def _shown(self, line: ChatLine) -> ShownLine:
        files = []
        for attachment in line[0].attachments:
            url, name, mime = "", attachment.name or "", attachment.mime or ""
            if attachment.blob_id and line[0].direction == "out":
                with suppress(NotFound):
                    row, link = await self._files(attachment.blob_id)
                    name, mime, parts = row.name, row.mime, urlsplit(link)
                    url = f"{parts.path}?{parts.query}" if link else ""
            files.append(ShownFile(name, mime, url))
        return shown(line, tuple(files))


class _Telling:
    """What one page has been told so far."""

    def __init__(self, last_id: str) -> None:
        self.is_first = True
        self.is_owed = False  # what changed could not be read yet
        self._last_id = last_id
        self._marks: dict[str, str] = {}

    def news(self, lines: "Sequence[ShownLine]", recent: "Sequence[ShownLine]") -> Frame | None:
        """Return what the page does not know yet; None where it knows everything."""
        is_whole, self.is_first = self.is_first, False
        fresh = [line for line in lines if self._marks.get(line.id) != line.mark]
        self._marks |= {line.id: line.mark for line in fresh}
        frame_id = _state_of(recent)
        is_known = frame_id == self._last_id
        self._last_id = frame_id
        if is_known or not (fresh or is_whole):
            return None
        body = msgspec.json.encode(Told(tuple(fresh), is_whole))
        return Frame("lines", frame_id, body)


def _state_of(lines: "Sequence[ShownLine]") -> str:
    digest = hashlib.blake2b(digest_size=9)
    for line in lines:
        digest.update(f"{line.id} {line.mark}\n".encode())
    return digest.hexdigest()
