"""The plugin's loop: the wire is served at once, and nothing else starves for it."""

import asyncio
import os
import threading

import pytest

from wunder_sdk.wire_loop import WireLoop


@pytest.fixture
def loop():
    loop = WireLoop()
    yield loop
    loop.close()


@pytest.fixture
def pipe():
    ends = os.pipe()
    yield ends
    for end in ends:
        os.close(end)


def run(loop, main):
    async def bounded():
        async with asyncio.timeout(5):
            return await main()

    return loop.run_until_complete(bounded())


def test_what_comes_over_the_wire_is_read_outside_of_any_task(loop, pipe):
    taken = []

    async def main():
        ended = asyncio.Event()

        def read():
            taken.append(
                (os.read(pipe[0], 100), asyncio.current_task(), asyncio.get_running_loop())
            )
            ended.set()

        loop.wire.open_wire(pipe[0], read)
        os.write(pipe[1], b"x")
        await ended.wait()
        loop.wire.close_wire()

    run(loop, main)
    assert taken == [(b"x", None, loop)]


def test_callbacks_tasks_and_timers_get_their_turn_while_the_wire_is_busy(loop, pipe):
    got = []

    async def main():
        os.write(pipe[1], b"x")  # is never read: the wire always has something
        loop.wire.open_wire(pipe[0], lambda: got.append("wire"))
        await asyncio.sleep(0)
        await asyncio.sleep(0.01)
        loop.wire.close_wire()

    run(loop, main)
    assert len(got) > 1


def test_a_reader_that_starts_something_is_followed_by_it(loop, pipe):
    async def main():
        done = loop.create_future()

        def read():
            os.read(pipe[0], 100)
            loop.call_later(0.001, done.set_result, "timer")

        loop.wire.open_wire(pipe[0], read)
        os.write(pipe[1], b"x")
        return await done

    assert run(loop, main) == "timer"


def test_another_thread_can_wake_the_loop(loop, pipe):
    async def main():
        done = loop.create_future()
        loop.wire.open_wire(pipe[0], lambda: None)
        thread = threading.Thread(
            target=lambda: loop.call_soon_threadsafe(done.set_result, "thread")
        )
        thread.start()
        result = await done
        thread.join()
        return result

    assert run(loop, main) == "thread"


def test_other_files_are_watched_as_ever(loop, pipe):
    async def main():
        done = loop.create_future()
        loop.add_reader(pipe[0], done.set_result, "readable")
        os.write(pipe[1], b"x")
        try:
            return await done
        finally:
            loop.remove_reader(pipe[0])

    assert run(loop, main) == "readable"


def test_a_reader_may_stop_the_loop(loop, pipe):
    os.write(pipe[1], b"x")
    loop.wire.open_wire(pipe[0], loop.stop)

    loop.run_forever()

    assert not loop.is_running()


def test_frames_may_come_from_a_regular_file(loop, tmp_path):
    path = tmp_path / "frames"
    path.write_bytes(b"hello")

    async def main():
        done = loop.create_future()
        with path.open("rb", buffering=0) as file:

            def read():
                if not done.done():
                    done.set_result(file.read(100))

            loop.wire.open_wire(file.fileno(), read)
            try:
                return await done
            finally:
                loop.wire.close_wire()

    assert run(loop, main) == b"hello"
