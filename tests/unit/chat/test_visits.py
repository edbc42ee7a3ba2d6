"""Tokens and claims: what they say holds, and nothing else does."""

import pytest

from wunder.chat.visits import Visitor, claim_of, guest_id, is_guest, token_of, visitor_of
from wunder.errors import NotAllowed
from wunder.model.ids import AccountUid

KEY, OTHER = b"k" * 32, b"o" * 32
ANN = Visitor(AccountUid("acc-1"), "guest:1", "self", 1_000, "Ann")


def test_a_token_says_who_where_and_until_when() -> None:
    assert visitor_of(token_of(ANN, KEY), KEY, 999) == ANN


@pytest.mark.parametrize(("key", "now_s"), [(OTHER, 0), (KEY, 1_000), (KEY, 5_000)])
def test_a_token_of_another_key_or_past_its_end_is_none(key: bytes, now_s: int) -> None:
    with pytest.raises(NotAllowed):
        visitor_of(token_of(ANN, KEY), key, now_s)


def test_no_byte_of_a_token_may_change() -> None:
    token = token_of(ANN, KEY)
    for index, letter in enumerate(token):
        other = "A" if letter != "A" else "B"
        with pytest.raises(NotAllowed):
            visitor_of(token[:index] + other + token[index + 1 :], KEY, 0)


@pytest.mark.parametrize(
    "text", ["", ".", "a", "a.", ".b", "é.b", "a.b.c", "=.b", "x" * 5_000, "\ud800.a"]
)
def test_what_is_no_token_is_refused_without_a_fuss(text: str) -> None:
    with pytest.raises(NotAllowed):
        visitor_of(text, KEY, 0)


def test_a_token_is_no_claim_and_a_claim_no_token() -> None:
    with pytest.raises(NotAllowed):
        claim_of(token_of(ANN, b"secret"), "secret", 0)


def test_no_claim_holds_where_the_account_has_no_secret() -> None:
    with pytest.raises(NotAllowed):
        claim_of(token_of(ANN, b""), "", 0)


def test_a_guest_is_told_from_whom_a_site_vouches_for() -> None:
    assert is_guest(guest_id("ab"))
    assert not is_guest("site:guest:ab")
