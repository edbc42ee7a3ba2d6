"""What every sealer promises: what was sealed opens under its context, and nothing else does."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.sealer import FakeSealer
from wunder.accounts.keyring import Keyring
from wunder.errors import StoreBroken

SEALERS = [Keyring(bytes(range(32))), FakeSealer()]
every_sealer = pytest.mark.parametrize("sealer", SEALERS, ids=["keyring", "fake"])


@every_sealer
@given(plain=st.binary(max_size=200), context=st.text(max_size=50))
def test_what_was_sealed_opens(sealer, plain, context):
    assert sealer.open(sealer.seal(plain, context), context) == plain


@every_sealer
@given(
    plain=st.binary(max_size=50), contexts=st.lists(st.text(max_size=20), min_size=2, unique=True)
)
def test_rule_8_another_context_opens_nothing(sealer, plain, contexts):
    with pytest.raises(StoreBroken):
        sealer.open(sealer.seal(plain, contexts[0]), contexts[1])


@every_sealer
@given(data=st.data(), plain=st.binary(max_size=50))
def test_one_changed_bit_is_noticed(sealer, data, plain):
    sealed = bytearray(sealer.seal(plain, "a"))
    place = data.draw(st.integers(0, len(sealed) - 1))
    sealed[place] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(StoreBroken):
        sealer.open(bytes(sealed), "a")


@every_sealer
@pytest.mark.parametrize("rubbish", [b"", b"\x01", b"\x01" * 20, b"\x02" * 60])
def test_rubbish_does_not_open(sealer, rubbish):
    with pytest.raises(StoreBroken):
        sealer.open(rubbish, "a")
