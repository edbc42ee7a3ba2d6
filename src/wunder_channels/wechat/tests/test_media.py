"""What somebody sent is fetched whole: by its id, or from a link and decrypted."""

import base64
import os
from collections.abc import AsyncIterator
from itertools import pairwise

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.standins.wecom.server import WecomStandin
from wunder_channels.wechat.download import decrypted, file_name_of, media_key
from wunder_channels.wechat.tests.driver import AES_KEY, Driver
from wunder_sdk import Attachment, AuthFailed, ChannelError, ProviderRejected, ProviderUnavailable

KEY = base64.b64decode(AES_KEY + "=")
PNG = b"\x89PNG\r\n\x1a\n" + os.urandom(3_000_000)


def _encrypted(plain: bytes, key: bytes = KEY) -> bytes:
    count = 32 - len(plain) % 32
    encryptor = Cipher(algorithms.AES(key), modes.CBC(key[:16])).encryptor()
    return encryptor.update(plain + bytes([count]) * count) + encryptor.finalize()


async def test_a_picture_is_fetched_by_its_id_with_name_and_type(
    wecom: WecomStandin, app: Driver
) -> None:
    media_id = wecom.platform.upload("image", "图.png", PNG)["media_id"]

    result, content = await app.inner.fetch_result(Attachment("image", media_id=media_id))

    assert content == PNG
    assert (result.mime, result.name) == ("image/png", "图.png")


async def test_an_expired_token_is_replaced_on_the_way(wecom: WecomStandin, app: Driver) -> None:
    media_id = wecom.platform.upload("file", "a.txt", b"content")["media_id"]
    await app.fetch(Attachment("file", media_id=media_id))
    wecom.platform.expire_token()

    assert await app.fetch(Attachment("file", media_id=media_id)) == b"content"


@pytest.mark.parametrize(
    ("code", "error"), [(40007, ProviderRejected), (-1, ProviderUnavailable), (42001, AuthFailed)]
)
async def test_an_error_in_place_of_a_file_is_an_error(
    wecom: WecomStandin, app: Driver, code: int, error: type[ChannelError]
) -> None:
    wecom.platform.answer_with(code, times=2, path="media/get")

    with pytest.raises(error):
        await app.fetch(Attachment("file", media_id="M1"))


async def test_a_bots_file_is_decrypted_on_the_way(wecom: WecomStandin, bot: Driver) -> None:
    wecom.platform.links["f1"] = _encrypted(PNG)

    assert await bot.fetch(Attachment("image", url=f"{wecom.url}/files/f1")) == PNG


async def test_a_file_with_a_key_of_its_own_is_decrypted_with_that(
    wecom: WecomStandin, bot: Driver
) -> None:
    own = os.urandom(32)
    wecom.platform.links["f1"] = _encrypted(b"content", own)

    link = f"{wecom.url}/files/f1#aeskey={own.hex()}"

    assert await bot.fetch(Attachment("file", url=link)) == b"content"


@pytest.mark.parametrize(
    ("stored", "error"),
    [(None, ProviderRejected), (b"", ProviderRejected), (_encrypted(b"x" * 99)[:-5], ProviderRejected),
     (_encrypted(b"x" * 99, os.urandom(32)), ProviderRejected)],
    ids=["gone", "empty", "cut", "other key"],
)  # fmt: skip
async def test_a_file_that_cannot_be_read_is_refused(
    wecom: WecomStandin, bot: Driver, stored: bytes | None, error: type[ChannelError]
) -> None:
    if stored is not None:
        wecom.platform.links["f1"] = stored

    with pytest.raises(error):
        await bot.fetch(Attachment("file", url=f"{wecom.url}/files/f1"))


async def test_a_platform_that_is_away_is_asked_later(bot: Driver) -> None:
    with pytest.raises(ProviderUnavailable):
        await bot.fetch(Attachment("file", url="http://127.0.0.1:9/files/f1"))


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://x/y", "javascript:1"])
async def test_a_link_to_anything_but_the_web_is_refused(bot: Driver, url: str) -> None:
    with pytest.raises(ProviderRejected):
        await bot.fetch(Attachment("file", url=url))


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=300), st.lists(st.integers(0, 340), max_size=6))
async def test_wherever_the_network_cuts_the_same_bytes_come_out(
    plain: bytes, cuts: list[int]
) -> None:
    sealed = _encrypted(plain)
    edges = [0, *sorted(cuts), len(sealed)]

    async def chunks() -> AsyncIterator[bytes]:
        for begin, end in pairwise(edges):
            yield sealed[begin:end]

    assert b"".join([chunk async for chunk in decrypted(chunks(), KEY)]) == plain


@pytest.mark.parametrize("text", [KEY.hex(), KEY.hex().upper(), AES_KEY, AES_KEY + "="])
def test_a_key_is_read_in_each_form_it_was_seen_in(text: str) -> None:
    assert media_key(text) == KEY


@pytest.mark.parametrize("text", ["", "short", "z" * 64, "é" * 43])
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(ProviderRejected):
        media_key(text)


@pytest.mark.parametrize(
    ("disposition", "name"),
    [('attachment; filename="a b.txt"', "a b.txt"), ("attachment; filename=a.txt", "a.txt"),
     ("attachment; filename*=utf-8''%E5%9B%BE.png", "图.png"), ("inline", ""), ("", ""),
     ('attachment; filename="%E5%9B%BE.png"', "图.png")],
)  # fmt: skip
def test_a_file_name_is_read_where_there_is_one(disposition: str, name: str) -> None:
    assert file_name_of(disposition) == name
