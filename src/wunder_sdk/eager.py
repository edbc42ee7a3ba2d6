"""Takes the first step of a call at once; only a call that then waits becomes a task.

Most calls end in their first step, and a task for each costs as much as all the rest of it. A spare
task lends its name meanwhile: `asyncio.current_task`, `asyncio.timeout` and task groups work, and the
same task carries the call on if it waits (docs/adr/0024).
"""

import asyncio
import contextvars
from asyncio.tasks import _enter_task, _leave_task  # documented: "Extending asyncio"
from collections.abc import Callable, Coroutine, Generator
from typing import Any

Work = Coroutine[Any, Any, Any]


class Rest:
    """What is left of a call that was begun and waits; awaiting it gives the call's result."""

    __slots__ = ("_context", "_waits_for", "_work", "problem")

    def __init__(self, work: Work, context: contextvars.Context, waits_for: Any) -> None:
        self._work = work
        self._context = context
        self._waits_for = waits_for
        self.problem: BaseException | None = None  # to be thrown into it first

    def __await__(self) -> Generator[Any, Any, Any]:
        """Do for the call what a task of its own would do, from the second step on."""
        work, run = self._work, self._context.run
        problem, waits_for = self.problem, self._waits_for
        try:
            if problem is None:
                problem = yield from _await_anew(waits_for)
            elif waits_for is not None:
                waits_for.cancel()
            while True:
                step: Callable[[Any], Any] = work.send if problem is None else work.throw
                waits_for = run(step, problem)
                try:
                    problem = None
                    yield waits_for
                except BaseException as caught:  # noqa: BLE001 - the call's to judge
                    problem = caught
        except StopIteration as ended:
            return ended.value
        finally:
            work.close()


class Eager:
    """Starts calls inside `group`. What carries a call on must not raise: nobody would hear it."""

    def __init__(self, group: asyncio.TaskGroup) -> None:
        self._group = group
        self._loop = asyncio.get_running_loop()
        self._spare: Carrier | None = None

    def start(self, work: Work) -> "tuple[Carrier | None, Any]":
        """Take the first step of `work`, outside of any task.

        Returns:
            None and its result, or who is to `take` it and what is left of it.

        Raises: what `work` raises in that step.
        """
        carrier = self._spare
        if carrier is None:
            carrier = self._spare = Carrier(self._group)
        # Each call sees its own context variables, as it would in a task of its own.
        context = contextvars.copy_context()
        _enter_task(self._loop, carrier.task)
        try:
            waits_for = context.run(work.send, None)
        except StopIteration as ended:
            return None, ended.value
        finally:
            _leave_task(self._loop, carrier.task)
            if carrier.task.cancelling():
                self._spare = None  # by the call itself; it carries this one, or nobody
        self._spare = None
        if asyncio.isfuture(waits_for):
            # As a task does with what it is handed: from here on others may await it too.
            waits_for._asyncio_future_blocking = False  # noqa: SLF001 - asyncio's mark of a future
        return carrier, Rest(work, context, waits_for)

    def close(self) -> None:
        """Let go of the spare task, so that the group can end."""
        if self._spare is not None:
            self._spare.task.cancel()
            self._spare = None


class Carrier:
    """A task that waits for a begun call, to carry it on."""

    def __init__(self, group: asyncio.TaskGroup) -> None:
        self._taken = asyncio.Event()
        self._rest: Rest | None = None
        self._work: Work | None = None
        self._has_begun = False
        self._is_cancelled = False
        self.task = group.create_task(self._run())
        self.task.add_done_callback(self._ended)

    def take(self, rest: Rest, work: Work) -> None:
        """Carry on with `work`, which awaits `rest`."""
        self._rest, self._work = rest, work
        self._taken.set()

    def cancel(self) -> None:
        """Cancel the call; a task that was never begun would vanish without a word."""
        self._is_cancelled = True
        if self._has_begun:
            self.task.cancel()

    async def _run(self) -> None:
        self._has_begun = True
        if self._is_cancelled:
            self.task.cancel()
        try:
            await self._taken.wait()
        except asyncio.CancelledError as cancelled:
            if self._rest is None:
                raise
            self._rest.problem = cancelled
        work, self._work = self._work, None
        if work is not None:
            await work

    def _ended(self, _task: "asyncio.Task[None]") -> None:
        if self._work is None or self._rest is None:
            return
        # The call cancelled its own task before that was begun.
        self._rest.problem = asyncio.CancelledError()
        try:
            self._work.send(None)
        except (StopIteration, asyncio.CancelledError):
            return
        self._work.close()


def _await_anew(waits_for: Any) -> Generator[Any, Any, BaseException | None]:
    """Wait for what a call yielded earlier: others may have awaited it since, or it may be done."""
    try:
        if waits_for is None:
            yield
        else:
            yield from waits_for.__await__()
    except asyncio.CancelledError as cancelled:
        return cancelled
    except Exception:  # noqa: BLE001, S110 - the future's own: the call meets it when it goes on
        pass
    return None
