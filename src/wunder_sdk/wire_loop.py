"""An event loop that serves the wire before anything else, without a detour over its queue."""

import asyncio
import math
import select
import selectors
import time
from asyncio import selector_events, sslproto
from collections.abc import Callable, Mapping
from contextvars import Context
from typing import Any, TypeVarTuple

#: What a socket is asked for at once. asyncio asks for 256 KiB, which the C library maps anew for each
#: read and unmaps again: a seventh of what a request to a platform costs.
SOCKET_READ_BYTES = 65_536

_Ts = TypeVarTuple("_Ts")


class WireSelector(selectors.BaseSelector):
    """The platform's selector, and beside it one descriptor whose reader is called on the spot.

    That saves a fifth of a call (benchmarks/rpc_roundtrip.py). `poll` also takes a regular file, which
    epoll refuses: frames can come from one.
    """

    def __init__(self) -> None:
        self._others = selectors.DefaultSelector()
        self._poll = select.poll()
        self._poll.register(self._others.fileno(), select.POLLIN)
        self._wire_fd = -1
        self._read: Callable[[], None] = lambda: None
        self.has_news = False  # set by the loop: it has callbacks, timers or a wish to stop

    def open_wire(self, fd: int, read: Callable[[], None]) -> None:
        """Call `read` whenever `fd` is readable, inside the loop but outside of any task."""
        self._wire_fd, self._read = fd, read
        self._poll.register(fd, select.POLLIN)

    def close_wire(self) -> None:
        """Call it no more."""
        if self._wire_fd >= 0:
            self._poll.unregister(self._wire_fd)
            self._wire_fd = -1

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Serve the wire until the loop has something else to do, then return that."""
        until = None if timeout is None else time.monotonic() + timeout
        while True:
            ready: list[tuple[selectors.SelectorKey, int]] = []
            for fd, _ in (events := self._poll.poll(_milliseconds(timeout))):
                if fd == self._wire_fd:
                    self._read()
                else:
                    ready = self._others.select(0)
            if until is not None:  # a timer is due some time, and the wire may never rest
                timeout = until - time.monotonic()
            if ready or self.has_news or not events or (timeout is not None and timeout <= 0):
                self.has_news = False
                return ready

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        """Watch another file."""
        return self._others.register(fileobj, events, data)

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        """Watch it no more."""
        return self._others.unregister(fileobj)

    def modify(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        """Watch it for other events."""
        return self._others.modify(fileobj, events, data)

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        """Return the other files."""
        return self._others.get_map()

    def close(self) -> None:
        """Give back the descriptors."""
        self._others.close()


class WireLoop(asyncio.SelectorEventLoop):
    """Tells its selector when it has something to do."""

    def __init__(self) -> None:
        self.wire = WireSelector()
        super().__init__(self.wire)

    def call_soon(
        self, callback: Callable[[*_Ts], object], *args: *_Ts, context: Context | None = None
    ) -> asyncio.Handle:
        """Call in the next turn."""
        self.wire.has_news = True
        return super().call_soon(callback, *args, context=context)

    def call_at(
        self, when: float, callback: Callable[[*_Ts], object], *args: *_Ts,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:  # fmt: skip
        """Call at a time."""
        self.wire.has_news = True
        return super().call_at(when, callback, *args, context=context)

    def stop(self) -> None:
        """Stop after this turn."""
        self.wire.has_news = True
        super().stop()


def read_sockets_in_pieces() -> None:
    """Let asyncio read sockets by 64 KiB, in this whole process."""
    # No loop has a setting for it. Where a later Python has another name, reads are as large as before.
    transport: Any = getattr(selector_events, "_SelectorTransport", None)
    tls: Any = getattr(sslproto, "SSLProtocol", None)
    for reader in filter(None, (transport, tls)):
        reader.max_size = SOCKET_READ_BYTES


def _milliseconds(timeout: float | None) -> int | None:
    return None if timeout is None else max(0, math.ceil(timeout * 1000))
