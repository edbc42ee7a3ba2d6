"""Hand work from the event loop to one thread, a tick's worth at a time, and its outcomes back.

One lock operation hands over all units of a tick, one wake-up of the loop brings all outcomes
back. That is what makes a group of 64 callers share one commit.
"""

import asyncio
import contextlib
import threading
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from wunder.errors import StoreUnavailable

J = TypeVar("J", bound="Job")
T = TypeVar("T")


class Job:
    """One piece of work and who waits for it."""

    __slots__ = ("error", "future", "result")

    def __init__(self, future: "asyncio.Future[Any]") -> None:
        self.future = future
        self.result: Any = None
        self.error: BaseException | None = None


class QueryJob(Job):
    """A query that waits for its thread."""

    __slots__ = ("query",)

    def __init__(self, future: "asyncio.Future[Any]", query: Callable[[Any], Any]) -> None:
        super().__init__(future)
        self.query = query


def on_loop(tell: Callable[[T], None]) -> Callable[[T], None]:
    """Have `tell` called on the loop that runs now, from any thread; not once it has ended."""
    loop = asyncio.get_running_loop()

    def from_thread(said: T) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended; nobody is left to tell
            loop.call_soon_threadsafe(tell, said)

    return from_thread


class HandOver(Generic[J]):
    """A thread that takes batches of jobs. `work` fills in results and errors and never raises.

    Bounded: beyond `limit` waiting jobs `submit` raises StoreUnavailable.
    """

    def __init__(self, name: str, limit: int, batch: int, work: Callable[[list[J]], None]) -> None:
        self._limit = limit
        self._batch = batch
        self._work = work
        self._tick: list[J] = []
        self._due: asyncio.Handle | None = None  # the hand-over of this tick's jobs
        self._is_due_now = False
        self._queue: list[J] = []
        self._turnstile = threading.Condition()
        self._is_closing = False
        self._thread = threading.Thread(target=self._loop, name=name, daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    @property
    def waiting(self) -> int:
        """How many jobs wait."""
        return len(self._queue) + len(self._tick)

    def submit(self, job: J, patience_s: float = 0.0) -> None:
        """Queue a job from the event loop; one with patience waits so long for others to go with.

        Raises: StoreUnavailable when full or closing.
        """
        if self._is_closing:
            raise StoreUnavailable("the store is closing")
        if self.waiting >= self._limit:
            raise StoreUnavailable(f"{self._limit} units of work wait already")
        if not self._is_due_now:
            self._schedule(patience_s)
        self._tick.append(job)

    async def close(self) -> None:
        """Finish what was submitted, then end the thread."""
        self._hand_over()
        with self._turnstile:
            self._is_closing = True
            self._turnstile.notify()
        if self._thread.is_alive():
            await asyncio.get_running_loop().run_in_executor(None, self._thread.join)

    def _schedule(self, patience_s: float) -> None:
        loop = asyncio.get_running_loop()
        if not patience_s:
            if self._due is not None:
                self._due.cancel()
            self._is_due_now = True
            self._due = loop.call_soon(self._hand_over)
        elif self._due is None:
            self._due = loop.call_later(patience_s, self._hand_over)

    def _hand_over(self) -> None:
        jobs, self._tick = self._tick, []
        self._due, self._is_due_now = None, False
        if jobs:
            with self._turnstile:
                self._queue.extend(jobs)
                self._turnstile.notify()

    def _loop(self) -> None:
        while True:
            with self._turnstile:
                while not self._queue and not self._is_closing:
                    self._turnstile.wait()
                if not self._queue:
                    return
                jobs = self._queue[: self._batch]
                del self._queue[: self._batch]
            self._work(jobs)
            _bring_back(jobs)


def _bring_back(jobs: list[J]) -> None:
    loop = jobs[0].future.get_loop()
    try:
        loop.call_soon_threadsafe(_resolve, jobs)
    except RuntimeError:
        # The loop is gone, and with it whoever waited; what was committed stays committed.
        return


def _resolve(jobs: list[J]) -> None:
    for job in jobs:
        if job.future.done():
            continue
        if job.error is not None:
            job.future.set_exception(job.error)
        else:
            job.future.set_result(job.result)
