"""Keys are remembered across restarts, for a while, and no more of them than fit."""

import pytest

from wunder_sdk.errors import StateConflict
from wunder_sdk.recent_keys import RecentKeys
from wunder_sdk.state import State
from wunder_sdk.testing import FakeHost


class BusyHost(FakeHost):
    """Somebody else writes first, a number of times."""

    conflicts = 0

    async def state_put(self, key, value, account_id, rev):
        if self.conflicts:
            self.conflicts -= 1
            raise StateConflict
        return await super().state_put(key, value, account_id, rev)


@pytest.fixture
def host():
    return BusyHost()


@pytest.fixture
def keys(host):
    return RecentKeys(State(host, "main"), "unsure", keep_ms=1_000, most=3)


async def test_a_key_is_held_until_its_time_is_over(keys):
    await keys.note("d1#0", 5_000)

    assert await keys.holds("d1#0", 5_999)
    assert not await keys.holds("d1#0", 6_000)
    assert not await keys.holds("d2#0", 5_000)


async def test_another_process_knows_it_too(host, keys):
    await keys.note("d1#0", 5_000)

    assert await RecentKeys(State(host, "main"), "unsure", keep_ms=1_000).holds("d1#0", 5_000)
    assert not await RecentKeys(State(host, "other"), "unsure", keep_ms=1_000).holds("d1#0", 5_000)


async def test_the_oldest_go_first(keys):
    for number in range(5):
        await keys.note(str(number), 5_000 + number)

    assert [await keys.holds(str(number), 5_005) for number in range(5)] == [False] * 2 + [True] * 3


@pytest.mark.parametrize(("conflicts", "held"), [(4, True), (5, False)])
async def test_it_tries_again_when_others_write(host, keys, conflicts, held):
    host.conflicts = conflicts

    await keys.note("d1#0", 5_000)

    assert await keys.holds("d1#0", 5_000) is held


async def test_what_does_not_belong_there_is_no_harm(host, keys):
    for odd in (["d1#0"], {"d1#0": "now"}, 3):
        await State(host, "main").put("unsure", odd)

        assert not await keys.holds("d1#0", 5_000)
    await keys.note("d1#0", 5_000)
    assert await keys.holds("d1#0", 5_000)
