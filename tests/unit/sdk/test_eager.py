"""A call's first step is taken at once; whatever it awaits then, it cannot tell."""

import asyncio
import contextvars

import pytest

from wunder_sdk.eager import Eager

seen = contextvars.ContextVar("seen", default="nothing")


class Desk:
    """Starts calls from outside of any task, as the wire does, and keeps how they ended."""

    def __init__(self, group):
        self.eager = Eager(group)
        self.ended = []
        self.has_ended = asyncio.Event()

    async def begin(self, *works):
        """Begin all of `works` in one turn of the loop; return who carries each on."""
        begun = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_soon(
            lambda: begun.set_result([self._begin(work) for work in works])
        )
        return await begun

    def _begin(self, work):
        # The loop calls back outside of any task.
        assert asyncio.current_task() is None
        try:
            carrier, rest = self.eager.start(work)
        except (ValueError, asyncio.CancelledError) as error:
            self.ended.append(type(error).__name__)
            return None
        if carrier is None:
            self.ended.append(rest)
        else:
            carrier.take(rest, self._carry_on(rest))
        return carrier

    async def _carry_on(self, rest):
        try:
            self.ended.append(await rest)
        except ValueError as error:
            self.ended.append(str(error))
        except asyncio.CancelledError:
            self.ended.append("cancelled")
            raise
        finally:
            self.has_ended.set()


@pytest.fixture
async def desk():
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        desk = Desk(group)
        yield desk
        desk.eager.close()


async def settle():
    for _ in range(10):
        await asyncio.sleep(0)


async def test_what_ends_in_its_first_step_becomes_no_task(desk):
    async def work():
        return "done"

    before = len(asyncio.all_tasks())
    assert await desk.begin(work(), work(), work()) == [None, None, None]

    assert desk.ended == ["done"] * 3
    assert len(asyncio.all_tasks()) == before + 1  # the spare


async def test_errors_of_the_first_step_are_raised(desk):
    async def fail():
        raise ValueError

    async def give_up():
        raise asyncio.CancelledError

    await desk.begin(fail(), give_up())

    assert desk.ended == ["ValueError", "CancelledError"]


async def test_a_call_that_waits_is_the_same_task_before_and_after(desk):
    tasks = []

    async def work():
        tasks.append(asyncio.current_task())
        await asyncio.sleep(0)
        tasks.append(asyncio.current_task())
        await asyncio.sleep(0)
        tasks.append(asyncio.current_task())
        return "done"

    (carrier,) = await desk.begin(work())
    await settle()

    assert desk.ended == ["done"]
    assert tasks == [carrier.task] * 3


async def test_time_limits_hold_from_the_first_step_on(desk):
    async def work():
        try:
            async with asyncio.timeout(0.001):
                await asyncio.Event().wait()
        except TimeoutError:
            return "late"

    await desk.begin(work())
    await desk.has_ended.wait()

    assert desk.ended == ["late"]


async def test_a_limit_that_is_over_already_still_holds(desk):
    async def work():
        try:
            async with asyncio.timeout(0):
                await asyncio.Event().wait()
        except TimeoutError:
            return "late"

    await desk.begin(work(), work())
    await settle()

    assert desk.ended == ["late", "late"]


async def test_task_groups_work_and_their_errors_arrive(desk):
    async def child(error):
        await asyncio.sleep(0)
        if error:
            raise error
        return 1

    async def work(error):
        try:
            async with asyncio.TaskGroup() as group:
                one = group.create_task(child(error))
        except ExceptionGroup:
            return "failed"
        return one.result()

    await desk.begin(work(None), work(ValueError()))
    await settle()

    assert sorted(map(str, desk.ended)) == ["1", "failed"]


async def test_each_call_has_context_variables_of_its_own(desk):
    found = []

    async def work(name, waits):
        found.append(seen.get())
        seen.set(name)
        if waits:
            await asyncio.sleep(0)
            found.append(seen.get())

    await desk.begin(work("a", False), work("b", True), work("c", False))
    await settle()

    assert found == ["nothing", "nothing", "nothing", "b"]
    assert seen.get() == "nothing"


async def test_several_calls_may_wait_for_one_future(desk):
    future = asyncio.get_running_loop().create_future()

    async def work():
        return await future

    await desk.begin(work(), work(), work())
    future.set_result("shared")
    await settle()

    assert desk.ended == ["shared"] * 3


async def test_a_future_that_is_done_before_anybody_carries_on_is_no_loss(desk):
    futures = [asyncio.get_running_loop().create_future() for _ in range(2)]

    async def work(number):
        return await futures[number]

    async def finish():
        futures[0].set_result("early")
        futures[1].set_exception(ValueError("broken"))

    await desk.begin(work(0), work(1), finish())
    await settle()

    assert desk.ended == [None, "early", "broken"]


async def test_cancelling_reaches_a_call_that_waits(desk):
    async def work():
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            await asyncio.sleep(0)
            return "finished anyway"

    obedient, stubborn = await desk.begin(asyncio.Event().wait(), work())
    await settle()
    obedient.cancel()
    stubborn.cancel()
    await settle()

    assert sorted(desk.ended) == ["cancelled", "finished anyway"]


async def test_cancelling_in_the_same_turn_is_not_lost(desk):
    carriers = []

    async def cancel_all():
        for carrier in carriers:
            carrier.cancel()

    class Both:
        """Begins a call and remembers who carries it, before any task had a turn."""

        async def begin(self):
            loop = asyncio.get_running_loop()
            done = loop.create_future()

            def act():
                carriers.extend(
                    desk._begin(work) for work in (asyncio.Event().wait(), asyncio.Event().wait())
                )
                desk._begin(cancel_all())
                done.set_result(None)

            loop.call_soon(act)
            await done

    await Both().begin()
    await settle()

    assert desk.ended == [None, "cancelled", "cancelled"]


async def test_a_future_is_cancelled_with_the_call_that_waits_for_it(desk):
    future = asyncio.get_running_loop().create_future()

    async def work():
        await future

    (carrier,) = await desk.begin(work())
    await settle()
    carrier.cancel()
    await settle()

    assert future.cancelled()


async def test_a_call_that_cancels_itself_is_heard_and_harms_nobody(desk):
    async def work(waits):
        asyncio.current_task().cancel()
        if waits:
            await asyncio.Event().wait()
        return "ended first"

    async def fine():
        await asyncio.sleep(0)
        return "fine"

    await desk.begin(work(True), work(False), work(True), fine())
    await settle()

    assert sorted(desk.ended) == ["cancelled", "cancelled", "ended first", "fine"]
