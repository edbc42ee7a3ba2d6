"""What may not enter a table becomes what may."""

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wunder.store.clean import MAX_INT, MIN_INT, clean_int, clean_row, clean_text, to_json

ANY_TEXT = st.text(st.characters(exclude_categories=()))
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(ANY_TEXT, inner, max_size=4),
    max_leaves=12,
)


@given(ANY_TEXT)
def test_clean_text_can_be_stored_and_is_as_long(text: str) -> None:
    clean = clean_text(text)
    clean.encode()
    assert "\x00" not in clean
    assert len(clean) == len(text)


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00")))
def test_good_text_is_not_touched(text: str) -> None:
    assert clean_text(text) == text


def test_a_good_row_is_the_same_object() -> None:
    row = ("a", 1, None, b"\x00", "你好", 2.5)
    assert clean_row(row) is row


def test_a_bad_row_is_cleaned_everywhere() -> None:
    row = ("a\x00", 2**80, -(2**80), b"\x00", True)
    assert clean_row(row) == ("a\ufffd", MAX_INT, MIN_INT, b"\x00", True)


@given(st.integers())
def test_integers_are_clamped_to_64_bits(number: int) -> None:
    assert MIN_INT <= clean_int(number) <= MAX_INT


@given(ANY_JSON)
def test_json_never_holds_what_postgres_refuses(value: object) -> None:
    encoded = to_json(value)
    encoded.encode()

    def check(found: object) -> None:
        if isinstance(found, str):
            assert clean_text(found) == found
        elif isinstance(found, int) and not isinstance(found, bool):
            assert MIN_INT <= found <= MAX_INT
        elif isinstance(found, dict):
            for key, inner in found.items():
                check(key)
                check(inner)
        elif isinstance(found, list):
            for inner in found:
                check(inner)

    check(json.loads(encoded))


def test_a_backslash_u0000_that_was_typed_stays_text() -> None:
    assert json.loads(to_json({"x": "\\u0000"})) == {"x": "\\u0000"}


def test_json_too_deep_is_cut() -> None:
    value: object = 2**70
    for _ in range(200):
        value = [value]
    assert len(to_json(value)) < 200


def test_what_is_no_json_is_refused() -> None:
    with pytest.raises((TypeError, msgspec.EncodeError)):
        to_json({"x": object()})
