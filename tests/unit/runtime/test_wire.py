"""Real pipes on the loop: gathering, stalling, taking back, pausing a flooder."""

import asyncio
import contextlib
import os

import pytest

from tests.fakes.runtime_world import until
from wunder.observe.clock import SystemClock
from wunder.runtime.policy import WirePolicy
from wunder.runtime.stderr import StderrRing
from wunder.runtime.wire import Outgoing, Wire
from wunder_wire.lines import LineSplitter


class Ends:
    """A wire and the plugin's ends of its pipes."""

    def __init__(self, **policy) -> None:
        pairs = [os.pipe() for _ in range(3)]
        self.stdin, self.stdout, self.stderr = pairs[0][0], pairs[1][1], pairs[2][1]
        ours = (pairs[0][1], pairs[1][0], pairs[2][0])
        for fd in ours:
            os.set_blocking(fd, False)
        settled = WirePolicy(**policy)
        self.ring = StderrRing(settled)
        self.wire = Wire(ours, LineSplitter(1_000), self.ring, settled, SystemClock())
        self.lines_read, self.noise = [], 0
        self.died = asyncio.Queue()
        self.wire.open(self)

    def lines(self, lines):
        self.lines_read += lines
        return self.noise

    def wire_died(self, kind):
        self.died.put_nowait(kind)


@pytest.fixture
async def ends():
    made = []

    def make(**policy):
        made.append(Ends(**policy))
        return made[-1]

    yield make
    for one in made:
        one.wire.close()
        for fd in (one.stdin, one.stdout, one.stderr):
            with contextlib.suppress(OSError):
                os.close(fd)


async def test_frames_of_one_turn_leave_together_and_in_order(ends):
    here = ends()
    frames = [Outgoing(b"%d\n" % number) for number in range(300)]
    for frame in frames:
        here.wire.send(frame)
    assert not frames[0].is_written
    await until(lambda: frames[-1].is_written)
    assert os.read(here.stdin, 65536) == b"".join(frame.frame for frame in frames)


async def test_a_frame_sent_at_once_is_written_when_send_returns(ends):
    here, frame = ends(), Outgoing(b"now\n")
    here.wire.send(frame, at_once=True)
    assert frame.is_written


async def test_a_reader_that_stops_is_reported_after_the_limit(ends):
    here = ends(write_stall_s=0.05)
    frame = Outgoing(b"x" * 300_000)
    here.wire.send(frame)
    async with asyncio.timeout(10):
        assert await here.died.get() == "write_stalled"
    assert not frame.is_written


async def test_a_slow_reader_that_goes_on_is_not(ends):
    here, frame = ends(write_stall_s=5.0), Outgoing(b"x" * 300_000 + b"\n")
    here.wire.send(frame)
    read = 0
    os.set_blocking(here.stdin, False)
    async with asyncio.timeout(10):
        while read < 300_001:
            await asyncio.sleep(0)
            with contextlib.suppress(BlockingIOError):
                read += len(os.read(here.stdin, 50_000))
    await until(lambda: frame.is_written)
    assert here.died.empty()


async def test_only_a_frame_of_which_nothing_was_written_can_be_taken_back(ends):
    here = ends(write_stall_s=60.0)
    begun, waiting = Outgoing(b"x" * 300_000), Outgoing(b"y\n")
    here.wire.send(begun, at_once=True)
    here.wire.send(waiting)
    assert here.wire.take_back(begun) is False
    assert here.wire.take_back(waiting) is True
    assert here.wire.take_back(waiting) is False


async def test_a_queue_that_is_full_has_room_for_nothing_but_an_empty_one_for_anything(ends):
    here = ends(write_buffer_bytes=1_000, write_stall_s=60.0)
    assert here.wire.has_room(5_000)
    here.wire.send(Outgoing(b"x" * 900))
    assert not here.wire.has_room(101)


async def test_what_the_pipes_hold_when_the_process_ended_still_counts(ends):
    here = ends()
    os.write(here.stdout, b"answer\n")
    os.write(here.stderr, b"last words")
    here.wire.close()
    assert (here.lines_read, here.ring.tail()) == ([b"answer"], ["last words"])


async def test_a_flooder_waits_while_the_loop_goes_on(ends):
    here = ends(noise_lines_per_read=1, noise_pause_s=3600.0)
    here.noise = 2
    os.write(here.stdout, b"noise\n")
    await until(lambda: here.lines_read == [b"noise"])
    os.write(here.stdout, b"more\n")
    for _ in range(20):
        await asyncio.sleep(0)
    assert here.lines_read == [b"noise"]


async def test_who_asks_faster_than_it_takes_answers_is_read_no_further(ends):
    here = ends(write_buffer_bytes=1_000)
    here.wire.send(Outgoing(b"a" * 1_000_000 + b"\n"))  # far more than the pipe takes
    os.write(here.stdout, b"one more question\n")
    for _ in range(20):
        await asyncio.sleep(0)
    assert not here.lines_read
    os.set_blocking(here.stdin, False)

    def has_taken_all_and_was_heard() -> bool:
        with contextlib.suppress(BlockingIOError):
            os.read(here.stdin, 65_536)
        return bool(here.lines_read)

    await until(has_taken_all_and_was_heard)
    assert here.lines_read == [b"one more question"]


async def test_a_closed_stdin_is_reported(ends):
    here = ends()
    os.close(here.stdin)
    here.wire.send(Outgoing(b"x\n"))
    async with asyncio.timeout(10):
        assert await here.died.get() == "write_stalled"


async def test_a_closed_stdout_is_reported(ends):
    here = ends()
    os.close(here.stdout)
    async with asyncio.timeout(10):
        assert await here.died.get() == "stdout_closed"
