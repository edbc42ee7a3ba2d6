"""Whoever floods, nobody is turned away below their own share, and the room is never overfilled."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from wunder.upkeep.fair_share import MAX_WAIT_S, MIN_WAIT_S, FairRoom

NAMES = ("a", "b", "c", "d", "e")
#: (who, how much comes, how much of it goes again later)
MOVES = st.lists(
    st.tuples(st.sampled_from(NAMES), st.integers(1, 40), st.booleans()), min_size=1, max_size=200
)


def played(moves: Any, members: int = len(NAMES), capacity: int = 1_000) -> FairRoom:
    """Come in where there is room; leave now and then."""
    room = FairRoom(capacity, members)
    for name, amount, leaves in moves:
        if leaves:
            room.take(name, -min(amount, room.held(name)))
        elif room.admits(name, amount):
            room.take(name, amount)
        assert room.total <= capacity
    return room


@settings(max_examples=150, deadline=None)
@given(MOVES, st.sampled_from(NAMES))
def test_nobody_is_turned_away_below_their_share(moves: Any, name: str) -> None:
    room = played(moves)
    assert room.held(name) + 1 > room.share or room.admits(name)


@settings(max_examples=150, deadline=None)
@given(MOVES)
def test_one_flood_leaves_room_for_everybody_else(moves: Any) -> None:
    room = played(moves)
    while room.admits("a"):
        room.take("a")
    others = [name for name in NAMES if name != "a"]
    for name in others:
        while room.held(name) + 1 <= room.share:
            assert room.admits(name)
            room.take(name)
    assert room.total <= room.capacity


@settings(max_examples=12, deadline=None)
@given(st.integers(1, 4), st.integers(4, 50))
def test_floods_share_evenly_what_is_not_reserved(floods: int, members: int) -> None:
    """In the long run, while things drain one by one, no flood keeps another out."""
    room = FairRoom(1_000, members)
    names = [f"flood{number}" for number in range(floods)]
    for turn in range(6_000):
        for name in names:
            if room.admits(name):
                room.take(name)
        # What is answered is the oldest: in proportion to what each holds.
        fullest = max(names, key=lambda name: (room.held(name), (turn + len(name)) % 7))
        room.take(fullest, -1)
    held = [room.held(name) for name in names]
    assert max(held) - min(held) <= 2


@settings(max_examples=150, deadline=None)
@given(MOVES, st.sampled_from(NAMES), st.floats(0.1, 1_000))
def test_the_wait_that_is_told_is_long_enough_and_bounded(
    moves: Any, name: str, drain: float
) -> None:
    room = played(moves)
    while room.admits(name):
        room.take(name)
    wait_s = room.wait_s(name, 1, drain)
    assert MIN_WAIT_S <= wait_s <= MAX_WAIT_S
    if wait_s == MAX_WAIT_S:
        return
    # Everybody drains evenly at this rate for so long.
    part = min(1.0, drain * wait_s / room.total)
    room.replace({one: room.held(one) * (1 - part) for one in NAMES})
    assert room.admits(name)


@settings(max_examples=200, deadline=None)
@given(MOVES)
def test_a_room_counted_anew_is_the_same_room(moves: Any) -> None:
    room = played(moves)
    other = FairRoom(room.capacity, room.members)
    other.replace({name: room.held(name) for name in NAMES})
    for name in NAMES:
        assert other.admits(name) == room.admits(name)
    assert abs(other.total - room.total) < 1e-6


def test_the_only_account_may_use_the_whole_room() -> None:
    room = FairRoom(1_000, 1)
    for _ in range(1_000):
        assert room.admits("a")
        room.take("a")
    assert not room.admits("a")
