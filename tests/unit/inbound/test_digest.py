"""The content digest: the same for the same words, whatever strings a channel hands over."""

from hypothesis import given
from hypothesis import strategies as st

from wunder.inbound.intake import _canonical
from wunder.model.message import Content

texts = st.text(st.characters(), max_size=50)  # lone surrogates included


@given(texts, texts)
def test_any_string_has_a_digest_and_equal_ones_have_equal_digests(sender: str, text: str) -> None:
    first = _canonical((sender, Content(text=text)))
    assert first == _canonical((sender, Content(text=text)))
    assert first != _canonical((sender, Content(text=text + "x")))
