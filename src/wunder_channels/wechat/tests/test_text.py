"""Texts are cut by bytes where a reader would, and marked where nobody sees it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wunder_channels.wechat.fingerprint import MARK_BYTES, marked
from wunder_channels.wechat.splitting import TRUNCATED, pieces, take, truncate

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=600).map(str.strip)
CHINESE = st.text(st.sampled_from("企业微信，。\n 🚀👨\u200d👩e\u0301a"), max_size=900).map(
    str.strip
)


@settings(max_examples=300, deadline=None)
@given(TEXTS | CHINESE, st.integers(64, 300))
def test_pieces_fit_and_lose_nothing_but_white_space(text: str, limit: int) -> None:
    found = [piece.text for piece in pieces(text, limit)]

    assert all(0 < len(piece.encode()) <= limit for piece in found)
    assert "".join("".join(found).split()) == "".join(text.split())


@settings(max_examples=100, deadline=None)
@given(CHINESE, st.integers(64, 200))
def test_a_piece_depends_on_where_it_begins_and_on_nothing_else(text: str, limit: int) -> None:
    at = 0
    for piece in pieces(text, limit):
        assert take(text, at, limit) == piece
        at = piece.end


@pytest.mark.parametrize(
    ("text", "first"),
    [("a" * 40 + "\n\n" + "b" * 10 + "\n" + "c" * 40, "a" * 40),
     ("a" * 40 + "\n" + "b" * 10 + "。" + "c" * 40, "a" * 40),
     ("a" * 40 + "。" + "b" * 10 + " " + "c" * 40, "a" * 40 + "。"),
     ("a" * 40 + ". " + "b" * 40, "a" * 40 + "."),
     ("a" * 40 + " " + "b" * 40, "a" * 40),
     ("a" * 90, "a" * 64), ("企" * 40, "企" * 21)],
)  # fmt: skip
def test_a_piece_ends_where_a_reader_would_pause(text: str, first: str) -> None:
    assert pieces(text, 64)[0].text == first


def test_what_looks_like_one_character_stays_whole() -> None:
    family = "👨\u200d👩\u200d👧"

    assert pieces("a" * 55 + family, 64)[0].text == "a" * 55
    assert pieces("a" * 60 + "🇨🇳", 64)[0].text == "a" * 60


@settings(max_examples=100, deadline=None)
@given(CHINESE, st.integers(64, 200))
def test_a_text_that_is_cut_off_says_so(text: str, limit: int) -> None:
    shown = truncate(text, limit)

    assert len(shown.encode()) <= limit
    assert shown == text if len(text.encode()) <= limit else shown.endswith(TRUNCATED)


def test_a_mark_is_the_same_for_each_attempt_and_differs_between_deliveries() -> None:
    assert marked("OK", "d1#0") == marked("OK", "d1#0")
    assert len({marked("OK", f"d{number}#0") for number in range(50)}) >= 49
    assert len(marked("OK", "d1#0").encode()) == 2 + MARK_BYTES
    assert marked("OK", "d1#0").startswith("OK\u200b"[:2])
