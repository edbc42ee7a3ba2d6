"""What every Turns promises of many accounts: a flood of one keeps nobody else's turns waiting."""

from collections import Counter

import pytest

from tests.contracts.store_world import World
from wunder.model.ids import AccountUid
from wunder.model.turn import ClaimedTurn


async def wait_in(world: World, uid: str, count: int) -> None:
    """So many conversations of an account begin to wait, one after the other."""
    for number in range(count):
        await world.take(world.new("x", f"p{number}", uid=AccountUid(uid)))
        world.clock.advance(0.001)


def whose(claimed: list[ClaimedTurn]) -> Counter[str]:
    return Counter(str(turn.message.conversation.account_uid) for turn in claimed)


async def test_a_flood_that_came_first_leaves_others_their_share_of_a_claim(world: World) -> None:
    await wait_in(world, "flood", 30)
    await wait_in(world, "quiet", 3)
    await wait_in(world, "other", 9)
    assert whose(await world.store.turns.claim(12, world.now)) == {
        "flood": 5,
        "quiet": 3,
        "other": 4,
    }


async def test_one_slot_at_a_time_goes_round_between_the_accounts(world: World) -> None:
    await wait_in(world, "flood", 20)
    for uid in ("b", "c"):
        await wait_in(world, uid, 5)
    served = [whose(await world.store.turns.claim(1, world.now)) for _ in range(9)]
    for turn in range(0, 9, 3):
        assert sum(served[turn : turn + 3], Counter()) == {"flood": 1, "b": 1, "c": 1}


@pytest.mark.parametrize("limit", [1, 2, 3, 4])
async def test_no_account_is_served_twice_before_each_was_served_once(
    world: World, limit: int
) -> None:
    accounts = [f"acc-{number}" for number in range(7)]
    for uid in accounts:
        await wait_in(world, uid, 6)
    served: Counter[str] = Counter()
    for _ in range(18 // limit):
        served += whose(await world.store.turns.claim(limit, world.now))
        assert max(served.values()) - min(served[uid] for uid in accounts) <= 1


async def test_within_an_account_who_waits_longest_is_first(world: World) -> None:
    await wait_in(world, "b", 6)
    await wait_in(world, "a", 6)
    claimed = await world.store.turns.claim(6, world.now)
    for uid in ("a", "b"):
        peers = [
            turn.message.conversation.peer_id
            for turn in claimed
            if turn.message.conversation.account_uid == uid
        ]
        assert sorted(peers) == ["p0", "p1", "p2"]


async def test_slots_that_one_account_does_not_need_are_used_by_others(world: World) -> None:
    await wait_in(world, "flood", 30)
    await wait_in(world, "quiet", 1)
    claimed = await world.store.turns.claim(20, world.now)
    assert whose(claimed) == {"flood": 19, "quiet": 1}
    assert len({turn.turn_id for turn in claimed}) == 20
    oldest = {f"p{number}" for number in range(19)}
    mine = [
        t.message.conversation for t in claimed if t.message.conversation.account_uid != "quiet"
    ]
    assert {conversation.peer_id for conversation in mine} == oldest


async def test_where_there_is_room_for_all_everybody_is_claimed(world: World) -> None:
    for uid in ("a", "b", "c"):
        await wait_in(world, uid, 4)
    assert whose(await world.store.turns.claim(12, world.now)) == {"a": 4, "b": 4, "c": 4}
    assert await world.store.turns.claim(12, world.now) == []


async def test_a_suspect_takes_nobodys_place(world: World) -> None:
    await wait_in(world, "a", 1)
    for _ in range(2):
        await world.store.turns.claim(9, world.now)
        await world.die_and_return()
    await wait_in(world, "b", 3)
    assert whose(await world.store.turns.claim(2, world.now)) == {"b": 2}
