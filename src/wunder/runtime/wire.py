"""The three pipes of a plugin: frames out, lines in, stderr kept; nothing here ever waits."""

import asyncio
import itertools
import os
from collections import deque
from collections.abc import Callable
from typing import Protocol

from wunder.ports import Clock
from wunder.runtime.policy import WirePolicy
from wunder.runtime.stderr import StderrRing
from wunder_wire.lines import LineSplitter, OverlongLine

_GATHERED = 128  # frames a system call takes; the kernel's limit is 1,024
_ATOMIC = 4_096  # a pipe takes so much whole or not at all (PIPE_BUF, pipe(7))
_DISCARD_PAUSE_S = 0.01
_CLOSED_STDOUT_S = 1.0  # a process whose stdout ended is expected to end as well


class Outgoing:
    """A frame on its way. `is_written` once the plugin can have read all of it."""

    __slots__ = ("frame", "is_written")

    def __init__(self, frame: bytes) -> None:
        self.frame = frame
        self.is_written = False


class Reader(Protocol):
    """Who takes what arrives."""

    def lines(self, lines: list[bytes | OverlongLine]) -> int:
        """Take lines, in order, without waiting; return how many of them answered no call."""
        ...

    def wire_died(self, kind: str) -> None:
        """The plugin takes (`write_stalled`) or gives (`stdout_closed`) no more; it still runs."""
        ...


class Wire:
    """Raw descriptors on the event loop (docs/adr/0022).

    Frames that are sent in one turn of the loop leave in one system call. Flooding stdout or stderr, or
    asking faster than one takes answers, slows the flooder: reading pauses, so that the others' calls
    are served in between.
    """

    def __init__(
        self, fds: tuple[int, int, int], splitter: LineSplitter, ring: StderrRing, policy: WirePolicy,
        clock: Clock,
    ) -> None:  # fmt: skip
        self._stdin, self._stdout, self._stderr = fds
        self._splitter = splitter
        self._ring = ring
        self._policy = policy
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._reader: Reader | None = None
        self._queue: deque[Outgoing] = deque()
        self._queued_bytes = 0
        self._head_sent = 0  # bytes of the first frame that are in the pipe
        self._is_scheduled = False
        self._is_blocked = False
        self._is_closed = False
        self._progress_at = 0.0
        self._stderr_bytes = 0  # read since the last pause
        self._timers: dict[str, asyncio.TimerHandle] = {}

    def open(self, reader: Reader) -> None:
        """Begin to read."""
        self._reader = reader
        self._loop.add_reader(self._stdout, self._read_stdout)
        self._loop.add_reader(self._stderr, self._read_stderr)

    def has_room(self, size_bytes: int) -> bool:
        """False when the plugin reads so slowly that another frame should not be added."""
        queued = self._queued_bytes
        return not queued or queued + size_bytes <= self._policy.write_buffer_bytes

    def send(self, outgoing: Outgoing, *, at_once: bool = False) -> None:
        """Queue a frame; it leaves with others at the end of this turn of the loop, or `at_once`."""
        if self._stdin < 0:
            return
        if at_once and not self._queue and self._wrote_at_once(outgoing):
            return
        self._queue.append(outgoing)
        self._queued_bytes += len(outgoing.frame)
        if self._is_scheduled or self._is_blocked:
            return
        if at_once:
            self._flush()
        else:
            self._is_scheduled = True
            self._loop.call_soon(self._flush)

    def take_back(self, outgoing: Outgoing) -> bool:
        """Withdraw a frame of which nothing was written; False when it is too late for that."""
        is_begun = self._head_sent > 0 and self._queue and self._queue[0] is outgoing
        if outgoing.is_written or is_begun or outgoing not in self._queue:
            return False
        self._queue.remove(outgoing)
        self._queued_bytes -= len(outgoing.frame)
        return True

    def close_stdin(self) -> None:
        """Tell the plugin that nothing more will come. Frames that wait are lost."""
        if self._stdin < 0:
            return
        self._unblock()
        if self._queue and self._head_sent >= len(self._queue[0].frame) - 1:
            self._queue[0].is_written = True  # all but the line's end is there
        self._queue.clear()
        self._queued_bytes = 0
        os.close(self._stdin)
        self._stdin = -1

    def close(self) -> None:
        """Take in what the pipes still hold, then give them back."""
        self.close_stdin()
        self._is_closed = True
        for timer in self._timers.values():
            timer.cancel()
        # Bounded by the size of a pipe: whoever writes on has left the group, and will be found.
        for _ in range(2 * self._policy.pipe_bytes // self._policy.read_bytes):
            if not (self._read_stdout() or self._read_stderr()):
                break
        for fd in (self._stdout, self._stderr):
            if fd >= 0:
                self._loop.remove_reader(fd)
                os.close(fd)
        self._stdout = self._stderr = -1
        self._ring.close(self._clock.monotonic())

    # --- out --------------------------------------------------------------------------------

    def _flush(self) -> None:
        self._is_scheduled = False
        if self._stdin < 0:
            return
        try:
            while self._queue:
                written = self._write_some()
                if written == self._queued_bytes:
                    self._wrote_all()
                else:
                    self._wrote(written)
        except BlockingIOError:
            if not self._is_blocked:
                self._is_blocked = True
                self._progress_at = self._clock.monotonic()
                self._loop.add_writer(self._stdin, self._flush)
                self._later("stall", self._policy.write_stall_s, self._check_progress)
            return
        except OSError:  # EPIPE: it closed its stdin, or is about to be reaped
            self.close_stdin()
            self._later("stdin", _CLOSED_STDOUT_S, lambda: self._died("write_stalled"))
            return
        self._unblock()

    def _wrote_at_once(self, outgoing: Outgoing) -> bool:
        """Write a frame that nobody is before; False when not all of it fits, and then nothing."""
        if len(outgoing.frame) > _ATOMIC:
            return False
        try:
            os.write(self._stdin, outgoing.frame)
        except OSError:  # full, or broken: whoever queues it finds out
            return False
        outgoing.is_written = True
        return True

    def _write_some(self) -> int:
        if len(self._queue) == 1 and not self._head_sent:
            return os.write(self._stdin, self._queue[0].frame)
        gathered = itertools.islice(self._queue, _GATHERED)
        frames: list[bytes | memoryview] = [outgoing.frame for outgoing in gathered]
        if self._head_sent:
            frames[0] = memoryview(frames[0])[self._head_sent :]
        return os.writev(self._stdin, frames)

    def _wrote_all(self) -> None:
        for outgoing in self._queue:
            outgoing.is_written = True
        self._queue.clear()
        self._queued_bytes = self._head_sent = 0

    def _wrote(self, count: int) -> None:
        self._queued_bytes -= count
        count += self._head_sent
        while self._queue and count >= len(self._queue[0].frame):
            outgoing = self._queue.popleft()
            outgoing.is_written = True
            count -= len(outgoing.frame)
        self._head_sent = count
        if self._is_blocked:
            self._progress_at = self._clock.monotonic()

    def _unblock(self) -> None:
        if self._is_blocked:
            self._is_blocked = False
            self._loop.remove_writer(self._stdin)
            self._timers["stall"].cancel()

    def _check_progress(self) -> None:
        left_s = self._progress_at + self._policy.write_stall_s - self._clock.monotonic()
        if left_s > 0:
            self._later("stall", left_s, self._check_progress)
        else:
            self._died("write_stalled")

    def _died(self, kind: str) -> None:
        if self._reader is not None:
            self._reader.wire_died(kind)

    def _later(self, name: str, delay_s: float, act: Callable[[], None]) -> None:
        if not self._is_closed:
            self._timers[name] = self._loop.call_later(delay_s, act)

    # --- in ---------------------------------------------------------------------------------

    def _read_stdout(self) -> bool:
        if self._queued_bytes > self._policy.write_buffer_bytes:
            self._pause("noise", self._stdout, _DISCARD_PAUSE_S, self._read_stdout)
            return False
        received = self._read(self._stdout)
        if received is None or self._reader is None:
            return False
        if not received:
            self._loop.remove_reader(self._stdout)
            self._later("stdout", _CLOSED_STDOUT_S, lambda: self._died("stdout_closed"))
            return False
        idle = self._reader.lines(self._splitter.feed(received))
        if idle > self._policy.noise_lines_per_read:
            self._pause("noise", self._stdout, self._policy.noise_pause_s, self._read_stdout)
        elif self._splitter.is_discarding:
            self._pause("noise", self._stdout, _DISCARD_PAUSE_S, self._read_stdout)
        return True

    def _read_stderr(self) -> bool:
        received = self._read(self._stderr)
        if received is None:
            return False
        if not received:
            self._loop.remove_reader(self._stderr)
            return False
        self._ring.feed(received, self._clock.monotonic())
        self._stderr_bytes += len(received)
        if self._stderr_bytes > self._policy.stderr_bytes_per_turn:
            self._stderr_bytes = 0
            self._pause("stderr", self._stderr, self._policy.stderr_turn_s, self._read_stderr)
        return True

    def _read(self, fd: int) -> bytes | None:
        if fd < 0:
            return None
        try:
            return os.read(fd, self._policy.read_bytes)
        except BlockingIOError:
            return None
        except OSError:
            return b""

    def _pause(self, name: str, fd: int, pause_s: float, read: Callable[[], bool]) -> None:
        self._loop.remove_reader(fd)
        self._later(name, pause_s, lambda: self._loop.add_reader(fd, read))
