"""Whatever JSON a platform sends, reading a field of it never fails."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wunder_sdk import MalformedEvent
from wunder_sdk import loose_json as loose

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@given(value=ANYTHING)
def test_odd_fields_are_empty_and_never_an_exception(value: object) -> None:
    for content in ({"k": value}, {}):
        assert isinstance(loose.string(content, "k"), str)
        assert isinstance(loose.nested(content, "k"), dict)
        assert all(isinstance(one, dict) for one in loose.objects(content, "k"))
        assert all(one and isinstance(one, str) for one in loose.strings(content, "k"))
        assert loose.number(content, "k") is None or isinstance(loose.number(content, "k"), float)
        assert loose.seconds_to_ms(content.get("k"), 7) >= 0


@pytest.mark.parametrize(
    ("value", "text"),
    [("a", "a"), (12, "12"), (-1, "-1"), (0, "0"), (10**30, ""), (True, ""), (1.5, ""),
     (None, ""), (["a"], "")],
)  # fmt: skip
def test_ids_may_be_texts_or_integers(value: object, text: str) -> None:
    assert loose.string({"id": value}, "id") == text


@pytest.mark.parametrize(
    ("value", "found"),
    [(1, 1.0), ("2.5", 2.5), (True, None), ("x", None), ("nan", None), ("inf", None), ("1e999", None),
     (10**400, None), ([], None)],
)  # fmt: skip
def test_numbers_may_be_written_as_text_but_are_finite(value: object, found: float | None) -> None:
    assert loose.number({"n": value}, "n") == found


def test_of_a_list_only_what_fits_is_returned() -> None:
    content: loose.JsonObject = {"all": [{"a": 1}, "b", "", 3, None, {}]}

    assert list(loose.objects(content, "all")) == [{"a": 1}, {}]
    assert list(loose.strings(content, "all")) == ["b"]


@pytest.mark.parametrize(
    ("value", "ms"),
    [(1_700_000_000, 1_700_000_000_000), ("1700000000", 1_700_000_000_000),
     ("1700000000.5", 1_700_000_000_500), ("1.0019999", 1_001), (0, 7), ("0", 7), (-1, 7), ("x", 7),
     ("", 7), (None, 7), (True, 7), (1.5, 7), (10**12, 7), ("١٢", 7), ("12\n", 7)],
)  # fmt: skip
def test_seconds_become_milliseconds(value: object, ms: int) -> None:
    assert loose.seconds_to_ms(value, 7) == ms


def test_an_integer_that_python_would_not_write_is_no_harm() -> None:
    content: loose.JsonObject = {"n": 10**5000}

    assert loose.string(content, "n") == ""
    assert loose.number(content, "n") is None
    assert loose.seconds_to_ms(content["n"], 7) == 7


@pytest.mark.parametrize("document", [b'{"a":"\\ud83d"}', '{"a":"\\ud83d"}', '{"a":"\ud83d"}'])
def test_half_characters_do_not_get_through(document: bytes | str) -> None:
    loose.string(loose.read_object(document), "a").encode()


@pytest.mark.parametrize(
    "document", [b"", b"{", b"\xff", b'{"a":NaN}', b"[" * 100_000, '{"a":' * 100, "{'a':1}"]
)
def test_what_is_not_json_is_a_malformed_event(document: bytes | str) -> None:
    with pytest.raises(MalformedEvent):
        loose.parse(document)


@pytest.mark.parametrize("document", ["[]", "1", "null", '"{}"'])
def test_an_object_is_an_object(document: str) -> None:
    with pytest.raises(MalformedEvent):
        loose.read_object(document)
    assert loose.object_in(document) == {}
    assert loose.object_in('{"a":1}') == {"a": 1}
