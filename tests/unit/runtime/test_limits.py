"""Slots, accounts' shares, waiting rooms and the turnstile."""

import asyncio

import pytest

from wunder.runtime.limits import Full, Pool, Turnstile


async def started(*calls):
    tasks = [asyncio.create_task(call) for call in calls]
    for _ in range(5):
        await asyncio.sleep(0)
    return tasks


async def test_one_account_never_has_more_than_half_a_pool():
    pool = Pool(8, waiting=10, per_account=16)
    assert [pool.try_take("a") for _ in range(5)] == [True] * 4 + [False]
    assert [pool.try_take("b") for _ in range(5)] == [True] * 4 + [False]


async def test_an_account_at_its_limit_does_not_keep_another_waiting():
    pool = Pool(4, waiting=10, per_account=2)
    assert pool.try_take("a") and pool.try_take("a")
    waiting, other = await started(pool.take("a"), pool.take("b"))
    assert (waiting.done(), other.done()) == (False, True)
    pool.give("a")
    await waiting


async def test_who_waits_goes_first_come_first_served():
    pool, order = Pool(1, waiting=10), []

    async def call(name):
        await pool.take(name)
        order.append(name)
        pool.give(name)

    pool.try_take("x")
    tasks = await started(*(call(name) for name in "abc"))
    pool.give("x")
    await asyncio.gather(*tasks)
    assert (order, pool.in_use) == (["a", "b", "c"], 0)


async def test_a_full_waiting_room_refuses():
    pool = Pool(1, waiting=1)
    pool.try_take("a")
    (waiting,) = await started(pool.take("a"))
    with pytest.raises(Full):
        await pool.take("a")
    waiting.cancel()


async def test_who_leaves_the_waiting_room_takes_no_slot():
    pool = Pool(1, waiting=5)
    pool.try_take("a")
    gone, patient = await started(pool.take("a"), pool.take("b"))
    gone.cancel()
    pool.give("a")
    await patient
    pool.give("b")
    assert pool.is_idle


async def test_who_is_called_and_cancelled_at_once_gives_the_slot_back():
    pool = Pool(1, waiting=5)
    pool.try_take("a")
    (called,) = await started(pool.take("a"))
    pool.give("a")
    called.cancel()
    with pytest.raises(asyncio.CancelledError):
        await called
    assert pool.is_idle


async def test_a_suspect_is_alone_inside():
    turnstile, inside = Turnstile(), []

    async def call(name, alone, leave):
        await turnstile.enter(alone=alone)
        inside.append(name)
        await leave.wait()
        inside.remove(name)
        turnstile.leave(alone=alone)

    first, suspect, later = (asyncio.Event() for _ in range(3))
    tasks = await started(
        call("first", False, first), call("suspect", True, suspect), call("later", False, later)
    )
    assert inside == ["first"]
    first.set()
    await started()
    assert inside == ["suspect"]
    suspect.set()
    await started()
    assert inside == ["later"]
    later.set()
    await asyncio.gather(*tasks)


async def test_a_suspect_that_gives_up_waiting_lets_the_others_in():
    turnstile = Turnstile()
    assert turnstile.try_enter()
    (suspect,) = await started(turnstile.enter(alone=True))
    assert not turnstile.try_enter()
    suspect.cancel()
    await started()
    assert turnstile.try_enter()
