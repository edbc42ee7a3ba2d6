"""The wire inside the event loop: lines in, coalesced writes out."""

import asyncio
import os
from collections.abc import Callable

from wunder_sdk.stdio import WireFds
from wunder_sdk.wire_loop import WireSelector
from wunder_wire.lines import LineSplitter, OverlongLine

#: 32-64 KiB reads are 1.8 times faster than 256 KiB ones (research/perf.md, table 1a).
READ_BYTES = 65_536
#: Above this much unsent, lines that may be lost (logs) are.
HIGH_WATER_BYTES = 2 * 1_048_576

OnLines = Callable[[list[bytes | OverlongLine], memoryview], None]


class Pipe:
    """Reads while data comes, never waits for a handler or a write; one queue for writing."""

    def __init__(
        self, fds: WireFds, selector: WireSelector, on_lines: OnLines, on_end: Callable[[], None]
    ) -> None:
        self._fds = fds
        self._selector = selector
        self._on_lines = on_lines
        self._on_end = on_end
        self._loop = asyncio.get_running_loop()
        self._queue: list[bytes] = []
        self._queued_bytes = 0
        self._flush_is_due = False
        self._is_reading = False
        self._drained = asyncio.Event()
        self._drained.set()
        self._is_open = True
        self.splitter = LineSplitter()

    def start(self) -> None:
        """Begin to read."""
        os.set_blocking(self._fds.write_fd, False)
        self._selector.open_wire(self._fds.read_fd, self._read)

    def stop_reading(self) -> None:
        """Take no more from the wire."""
        self._selector.close_wire()

    def write(self, line: bytes) -> None:
        """Queue one line; all lines of a turn of the loop leave in one write."""
        if not self._is_open:
            return
        self._queue.append(line)
        self._queued_bytes += len(line)
        if not (self._flush_is_due or self._is_reading):
            self._flush_is_due = True
            self._drained.clear()
            self._loop.call_soon(self._flush)

    @property
    def is_congested(self) -> bool:
        """Is the host slow to read?"""
        return self._queued_bytes > HIGH_WATER_BYTES

    async def drain(self) -> None:
        """Wait until everything queued is written, or the wire is gone."""
        await self._drained.wait()

    def _read(self) -> None:
        try:
            chunk = os.read(self._fds.read_fd, READ_BYTES)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            chunk = b""
        if not chunk:
            self.stop_reading()
            self._on_end()
            return
        self._is_reading = True
        try:
            self._on_lines(*self.splitter.cut(chunk))
        finally:
            self._is_reading = False
            if self._queue and not self._flush_is_due:
                self._flush()

    def _flush(self) -> None:
        try:
            while self._queue:
                batch = self._queue[0] if len(self._queue) == 1 else b"".join(self._queue)
                self._queue = [batch]
                written = os.write(self._fds.write_fd, batch)
                self._queued_bytes -= written
                self._queue = [batch[written:]] if written < len(batch) else []
        except (BlockingIOError, InterruptedError):
            self._flush_is_due = True
            self._drained.clear()
            self._loop.add_writer(self._fds.write_fd, self._flush)
            return
        except OSError:  # EPIPE: nobody listens any more, which is an end like EOF
            self._is_open = False
            self._queue.clear()
            self._queued_bytes = 0
            self._on_end()
        if self._flush_is_due:
            self._flush_is_due = False
            self._loop.remove_writer(self._fds.write_fd)
            self._drained.set()
