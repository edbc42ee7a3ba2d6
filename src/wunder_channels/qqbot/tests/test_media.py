"""Files both ways: what people send is fetched, what an agent sends is uploaded whole or in parts."""

import os
from typing import Any

import pytest

from tests.standins.qq.server import QqStandin
from wunder_channels.qqbot.media import type_of
from wunder_channels.qqbot.tests.driver import Driver, reply
from wunder_channels.qqbot.tests.people import People
from wunder_sdk import Attachment, ChannelError, ProviderRejected, ProviderUnavailable, TooLarge

PNG = b"\x89PNG\r\n\x1a\n" + os.urandom(2_000)
MP4 = b"\x00\x00\x00\x18ftypmp42" + os.urandom(7_000_000)


def _stored(bot: Driver, content: bytes, kind: Any = "image", name: str | None = None) -> Any:
    bot.host.blobs["b1"] = content
    return (Attachment(kind, blob_id="b1", name=name),)


# --- in -----------------------------------------------------------------------------------------------------


async def test_a_picture_somebody_sent_is_fetched_without_our_token(
    people: People, qq: QqStandin, bot: Driver
) -> None:
    qq.platform.cdn["p.png"] = PNG
    sent = {"content_type": "image/png", "filename": "图.png", "size": len(PNG),
            "url": f"{qq.url}/standin/cdn/p.png"}  # fmt: skip
    message = await people.write("c2c", "", attachments=[sent])

    result, content = await bot.fetch(message.attachments[0])

    assert content == PNG and (result.mime, result.name) == ("image/png", "图.png")


async def test_of_a_voice_message_the_wav_is_taken(people: People) -> None:
    voice = {"content_type": "voice", "filename": "v.amr", "size": 5, "url": "https://q/v.silk",
             "voice_wav_url": "q/v.wav", "asr_refer_text": "你好"}  # fmt: skip
    message = await people.write("c2c", "", attachments=[voice])

    (heard,) = message.attachments
    assert (heard.kind, heard.url, heard.mime, heard.size) == (
        "audio",
        "https://q/v.wav",
        "audio/wav",
        None,
    )
    assert message.text == "你好"


@pytest.mark.parametrize("url", ["{}/standin/cdn/gone", "ftp://example.com/a"])
async def test_a_link_that_is_no_longer_good_is_given_up(
    qq: QqStandin, bot: Driver, url: str
) -> None:
    with pytest.raises(ProviderRejected):
        await bot.fetch(Attachment("image", url=url.format(qq.url)))


async def test_a_file_host_that_is_away_is_asked_again_later(bot: Driver) -> None:
    with pytest.raises(ProviderUnavailable):
        await bot.fetch(Attachment("image", url="http://127.0.0.1:9/a.png"))


# --- out ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["c2c", "group_at"])
async def test_a_stored_picture_is_uploaded_and_shown(
    people: People, qq: QqStandin, bot: Driver, kind: str
) -> None:
    files = _stored(bot, PNG)

    await bot.send_all(reply(await people.write(kind), "look", attachments=files))

    text, picture = qq.platform.sent
    assert (text.text, picture.body["msg_type"]) == ("look", 7)
    assert qq.platform.files[picture.body["media"]["file_info"]] == PNG
    assert [one.body["msg_seq"] for one in qq.platform.sent] == [1, 2]


async def test_a_large_film_goes_up_in_parts(people: People, qq: QqStandin, bot: Driver) -> None:
    files = _stored(bot, MP4, "video", "film.mp4")

    await bot.send_all(reply(await people.write("c2c"), None, attachments=files))

    (film,) = qq.platform.sent
    assert qq.platform.files[film.body["media"]["file_info"]] == MP4


async def test_an_upload_that_fails_is_tried_again_and_sends_nothing(
    people: People, qq: QqStandin, bot: Driver
) -> None:
    files, message = _stored(bot, PNG), await people.write("c2c")
    qq.platform.expire_token()
    uploaded = await bot.send(reply(message, None, attachments=files))
    assert uploaded.next is not None and not qq.platform.sent
    qq.platform.lose_next_answer()

    for attempt, error in ((1, "outcome_unknown"), (2, "duplicate")):
        with pytest.raises(ChannelError) as failed:
            await bot.send(
                reply(message, None, attachments=files),
                part=1,
                attempt=attempt,
                state=uploaded.next.state,
            )
        assert failed.value.kind == error

    assert len(qq.platform.sent) == len(qq.platform.files) == 1


async def test_a_guild_takes_a_stored_picture_as_a_form(
    people: People, qq: QqStandin, bot: Driver
) -> None:
    message = await people.write("guild_at")

    await bot.send(reply(message, None, attachments=_stored(bot, PNG)))

    body = qq.platform.sent[0].body
    assert (bytes.fromhex(body["file_image"]), body["msg_id"]) == (PNG, message.message_id)


@pytest.mark.parametrize(
    ("content", "error"), [(b"", ProviderRejected), (bytes(31 * 1_048_576), TooLarge)]
)
async def test_what_cannot_be_uploaded_says_why(
    people: People, bot: Driver, content: bytes, error: type[ChannelError]
) -> None:
    files = _stored(bot, content, "file")

    with pytest.raises(error):
        await bot.send(reply(await people.write("c2c"), None, attachments=files))


@pytest.mark.parametrize(
    ("kind", "content", "file_type"),
    [("image", PNG, 1), ("image", b"RIFF\0\0\0\0WEBP", 1), ("image", b"<svg>", 4),
     ("video", MP4[:20], 2), ("video", b"mkv", 4), ("audio", b"\x02#!SILK_V3", 3),
     ("audio", b"RIFF\0\0\0\0WAVE", 3), ("audio", b"fLaC", 4), ("file", PNG, 4),
     ("image", PNG[:8] + bytes(21 * 1_048_576), 4)],
    ids=range(10),
)  # fmt: skip
def test_a_file_is_shown_as_what_its_bytes_are(kind: str, content: bytes, file_type: int) -> None:
    assert type_of(kind, content) == file_type
