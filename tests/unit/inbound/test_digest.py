"""Dedupe keys and digests: the same for the same words, whatever strings a channel hands over."""

from hypothesis import example, given
from hypothesis import strategies as st

from wunder.inbound.intake import _canonical
from wunder.model.ids import dedupe_key
from wunder.model.message import Content

texts = st.text(st.characters(), max_size=50)  # lone surrogates included


@given(texts, texts)
def test_any_string_has_a_digest_and_equal_ones_have_equal_digests(sender: str, text: str) -> None:
    first = _canonical((sender, Content(text=text)))
    assert first == _canonical((sender, Content(text=text)))
    assert first != _canonical((sender, Content(text=text + "x")))


parts = st.tuples(*[texts] * 6)


@given(parts, parts)
@example(("u", "user", "ab", "c", "message", "1"), ("u", "user", "a", "bc", "message", "1"))
@example(("u", "user", "p", "", "message", "1"), ("u", "user", "p", "", "event", "1"))
def test_a_key_is_of_its_parts_and_not_of_their_joined_text(
    one: tuple[str, ...], other: tuple[str, ...]
) -> None:
    def key(said: tuple[str, ...]) -> bytes:
        uid, kind, peer, thread, event_class, message_id = said
        return dedupe_key((uid, kind, peer, thread), event_class, message_id)

    assert len(key(one)) == 32
    assert (key(one) == key(other)) == (one == other)
