"""Single flight over processes: one holds a lease, the others see it, a dead one's passes on."""

import asyncio

import pytest

from wunder_sdk import state as state_module
from wunder_sdk.errors import StateConflict
from wunder_sdk.state import State
from wunder_sdk.testing import FakeHost


class Process:
    """One process of a channel: it has a name of its own, and shares the gateway's state."""

    def __init__(self, name: str, host: FakeHost, monkeypatch: pytest.MonkeyPatch) -> None:
        self.name = name
        self.state = State(host, "main")
        self._patch = monkeypatch

    async def lease(self, name: str = "refresh", seconds: float = 30) -> bool:
        self._patch.setattr(state_module, "_ME", self.name)
        return await self.state.lease(name, seconds)

    async def give_back(self, name: str = "refresh") -> None:
        self._patch.setattr(state_module, "_ME", self.name)
        await self.state.give_back(name)


@pytest.fixture
def host() -> FakeHost:
    return FakeHost()


@pytest.fixture
def two(host: FakeHost, monkeypatch: pytest.MonkeyPatch) -> tuple[Process, Process]:
    return Process("one", host, monkeypatch), Process("two", host, monkeypatch)


async def test_one_holds_it_and_the_other_is_told(two: tuple[Process, Process]) -> None:
    one, other = two
    assert await one.lease()
    assert not await other.lease()
    assert await other.lease("something else")
    assert await one.lease(), "asking again prolongs it"


async def test_what_is_given_back_is_free_at_once(two: tuple[Process, Process]) -> None:
    one, other = two
    assert await one.lease()
    await other.give_back()
    assert not await other.lease(), "what is another's stays"
    await one.give_back()
    assert await other.lease()


async def test_a_dead_holders_lease_passes_on_when_its_time_is_over(
    two: tuple[Process, Process], host: FakeHost
) -> None:
    one, other = two
    assert await one.lease(seconds=10)
    host.clock_ms += 9_999
    assert not await other.lease()
    host.clock_ms += 2
    assert await other.lease()
    await one.give_back()
    assert not await one.lease(), "too late: it is another's now"


async def test_a_lease_is_never_longer_than_ten_minutes(
    two: tuple[Process, Process], host: FakeHost
) -> None:
    one, other = two
    assert await one.lease(seconds=10**9)
    host.clock_ms += 600_001
    assert await other.lease()


async def test_of_two_that_ask_at_once_one_gets_it(
    host: FakeHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    put = host.state_put

    async def slow(key: str, value: object, account_id: str | None, rev: int | None) -> int:
        await asyncio.sleep(0)
        return await put(key, value, account_id, rev)

    monkeypatch.setattr(host, "state_put", slow)
    first, second = State(host, "main"), State(host, "main")
    got = await asyncio.gather(first.lease("x"), second.lease("x"))
    assert sorted(got) == [False, True]


async def test_a_lease_of_an_account_is_that_accounts_alone(host: FakeHost) -> None:
    with pytest.raises(StateConflict):
        await State(host, "a").put("k", 1, rev=7)
    assert await State(host, "a").lease("x")
    assert await State(host, "b").lease("x")
    assert await State(host).lease("x")
