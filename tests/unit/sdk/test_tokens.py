"""Tokens are fetched once, refreshed early, and dropped one at a time."""

import asyncio

import pytest

from wunder_sdk.errors import AuthFailed, OutcomeUnknown, ProviderUnavailable
from wunder_sdk.tokens import TokenCache


class Platform:
    """Hands out tokens; can be slow, and can fail."""

    def __init__(self, lives_s=100.0):
        self.given = 0
        self.lives_s = lives_s
        self.fails = None
        self.gate = asyncio.Event()
        self.gate.set()

    async def fetch(self):
        await self.gate.wait()
        self.given += 1
        if self.fails is not None:
            raise self.fails
        return f"token-{self.given}", self.lives_s


class Clock:
    now_s = 0.0

    def __call__(self):
        return self.now_s


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def tokens(clock):
    return TokenCache(clock)


@pytest.fixture
async def platform():
    return Platform()


async def settle():
    for _ in range(10):
        await asyncio.sleep(0)


async def test_callers_at_the_same_time_share_one_fetch(tokens, platform):
    platform.gate.clear()
    async with asyncio.TaskGroup() as group:
        callers = [group.create_task(tokens.get("access", platform.fetch)) for _ in range(20)]
        await settle()
        platform.gate.set()

    assert {caller.result() for caller in callers} == {"token-1"}
    assert platform.given == 1


async def test_callers_at_the_same_time_share_one_failure(tokens, platform):
    platform.gate.clear()
    platform.fails = AuthFailed("wrong secret")

    async def ask():
        with pytest.raises(AuthFailed):
            await tokens.get("access", platform.fetch)

    async with asyncio.TaskGroup() as group:
        for _ in range(5):
            group.create_task(ask())
        await settle()
        platform.gate.set()

    assert platform.given == 1


async def test_a_caller_after_a_failure_tries_again(tokens, platform):
    platform.fails = AuthFailed("wrong secret")
    with pytest.raises(AuthFailed):
        await tokens.get("access", platform.fetch)
    platform.fails = None

    assert await tokens.get("access", platform.fetch) == "token-2"


async def test_a_cancelled_caller_leaves_the_work_to_the_next(tokens, platform):
    platform.gate.clear()
    async with asyncio.TaskGroup() as group:
        first = group.create_task(tokens.get("access", platform.fetch))
        second = group.create_task(tokens.get("access", platform.fetch))
        await settle()
        first.cancel()
        await settle()
        platform.gate.set()

    assert second.result() == "token-1"


@pytest.mark.parametrize(("lives_s", "fresh_at", "stale_at"), [(7200, 7139, 7141), (10, 7.9, 8.1)])
async def test_a_token_is_refreshed_early(tokens, platform, clock, lives_s, fresh_at, stale_at):
    platform.lives_s = lives_s
    await tokens.get("access", platform.fetch)

    clock.now_s = fresh_at
    assert await tokens.get("access", platform.fetch) == "token-1"
    clock.now_s = stale_at
    assert await tokens.get("access", platform.fetch) == "token-2"


async def test_a_valid_token_outlives_a_failed_refresh(tokens, platform, clock):
    await tokens.get("access", platform.fetch)
    platform.fails = ProviderUnavailable("down")

    clock.now_s = 90
    assert await tokens.get("access", platform.fetch) == "token-1"
    clock.now_s = 101
    with pytest.raises(ProviderUnavailable):
        await tokens.get("access", platform.fetch)


async def test_only_the_token_that_failed_is_dropped(tokens, platform):
    old = await tokens.get("access", platform.fetch)
    tokens.invalidate("access", old)
    new = await tokens.get("access", platform.fetch)
    tokens.invalidate("access", old)

    assert await tokens.get("access", platform.fetch) == new == "token-2"


async def test_names_do_not_share_tokens(tokens, platform):
    assert await tokens.get("a", platform.fetch) != await tokens.get("b", platform.fetch)


async def test_an_unanswered_token_request_sent_no_message(tokens, platform):
    platform.fails = OutcomeUnknown("timeout")

    with pytest.raises(ProviderUnavailable) as caught:
        await tokens.get("access", platform.fetch)

    assert caught.value.outcome == "not_sent"
