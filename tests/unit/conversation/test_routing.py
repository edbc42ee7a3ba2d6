"""Binding resolution: specificity (channel 1, account 2, peer kind 4, peer id 8), then priority."""

from hypothesis import given
from hypothesis import strategies as st

from wunder.conversation.routing import route
from wunder.model.binding import Binding
from wunder.model.conversation import Conversation

PEER = Conversation("u1", "group", "g1")


def binding(name, channel="*", account="*", kind="*", peer="*", **more) -> Binding:
    return Binding(name, channel, account, kind, peer, "agent", **more)


def routed(*bindings, **more):
    found = route(bindings, "chat", "main", PEER, **more)
    return found.binding_id if found else None


def test_nothing_matches_nothing() -> None:
    assert routed() is None
    assert routed(binding("a", channel="other")) is None


def test_star_matches_any() -> None:
    assert routed(binding("a")) == "a"


def test_the_peer_outweighs_channel_account_and_kind_together() -> None:
    wide = binding("wide", channel="chat", account="main", kind="group", priority=99)
    assert routed(wide, binding("peer", peer="g1")) == "peer"


def test_priority_decides_between_equally_specific_ones() -> None:
    low, high = binding("low", channel="chat"), binding("high", channel="chat", priority=1)
    assert routed(low, high) == routed(high, low) == "high"


def test_the_older_one_wins_a_tie_so_adding_never_moves_traffic() -> None:
    old, new = binding("old", created_at=1), binding("new", created_at=2)
    assert routed(new, old) == routed(old, new) == "old"


def test_a_disabled_binding_is_passed_over() -> None:
    assert routed(binding("off", peer="g1", is_enabled=False), binding("on")) == "on"


def test_a_users_binding_serves_only_accounts_of_that_user() -> None:
    own = binding("own", account="main", owner_user_id="ann")
    assert routed(own) is None
    assert routed(own, owner_user_id="ann") == "own"
    assert routed(own, owner_user_id="bob") is None


patterns = st.builds(
    binding,
    st.uuids().map(str),
    channel=st.sampled_from(["*", "chat", "other"]),
    account=st.sampled_from(["*", "main", "spare"]),
    kind=st.sampled_from(["*", "group", "user"]),
    peer=st.sampled_from(["*", "g1", "g2"]),
    priority=st.integers(-2, 2),
    created_at=st.integers(0, 10**6),
)


@given(st.lists(patterns, unique_by=lambda b: b.created_at), st.randoms())
def test_the_order_in_which_bindings_are_listed_never_matters(bindings, random) -> None:
    shuffled = list(bindings)
    random.shuffle(shuffled)
    assert routed(*bindings) == routed(*shuffled)
