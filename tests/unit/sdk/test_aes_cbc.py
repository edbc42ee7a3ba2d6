"""What platforms seal with AES-CBC is opened, and what was tampered with is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wunder_sdk import MalformedEvent
from wunder_sdk.aes_cbc import decrypt, encrypt, from_base64, without_pad

KEY, IV = bytes(range(32)), bytes(range(16))


def test_it_is_the_published_algorithm():
    """NIST SP 800-38A, F.2.5: CBC-AES256, first block; the padding comes behind it."""
    key = bytes.fromhex("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4")
    content = bytes.fromhex("6bc1bee22e409f96e93d7e117393172a")

    sealed = encrypt(key, IV, content)

    assert sealed[:16].hex() == "f58c4c04d6e5f1ba779eabfb5f7bfbd6" and len(sealed) == 32
    assert decrypt(key, IV, sealed) == content


@given(content=st.binary(max_size=100), pad_to=st.sampled_from([16, 32]))
def test_what_was_sealed_is_opened(content, pad_to):
    sealed = encrypt(KEY, IV, content, pad_to)

    assert len(sealed) % pad_to == 0
    assert decrypt(KEY, IV, sealed, pad_to) == content


@pytest.mark.parametrize("sealed", [b"", b"x" * 15, b"x" * 33])
def test_what_is_not_whole_blocks_is_refused(sealed):
    with pytest.raises(MalformedEvent):
        decrypt(KEY, IV, sealed)


@pytest.mark.parametrize(
    ("padded", "pad_to"),
    [(b"", 16), (b"a\x00", 16), (b"a" + b"\x11" * 17, 16), (b"a" + b"\x21" * 33, 32), (b"\x02", 16),
     (b"ab\x01\x03\x03", 16)],
)  # fmt: skip
def test_a_wrong_padding_is_refused(padded, pad_to):
    with pytest.raises(MalformedEvent):
        without_pad(padded, pad_to)


def test_a_padding_may_be_longer_than_a_block():
    assert without_pad(b"a" + b"\x13" * 19, 32) == b"a"


@pytest.mark.parametrize("text", ["a", "a===", "YQ==\n", "Y Q==", "é"])
def test_base64_is_read_strictly(text):
    with pytest.raises(MalformedEvent):
        from_base64(text)
    assert from_base64("YQ==") == b"a"
