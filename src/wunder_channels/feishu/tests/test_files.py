"""Files both ways: what is received can be fetched, what is sent is shown as what it is."""

import json
from typing import Any

import pytest

from tests.standins.feishu.server import FeishuStandin
from wunder_channels.feishu.files import is_image, ogg_duration_ms
from wunder_channels.feishu.tests.driver import Driver, reply
from wunder_channels.feishu.tests.people import People
from wunder_sdk import Attachment, ChannelError
from wunder_sdk.errors import (
    ProviderRejected,
    ProviderUnavailable,
    RecipientUnreachable,
    TooLarge,
    UnsupportedFeature,
)

PNG = b"\x89PNG\r\n\x1a\n" + b"pixels" * 100
OGG = (
    b"OggS\0\2" + (0).to_bytes(8, "little") + b"head" + b"OggS\0\4" + (96_000).to_bytes(8, "little")
)
MP4 = b"\0\0\0\x18ftypmp42" + b"frames" * 100


def _attached(bot: Driver, body: bytes, kind: Any, name: str | None = None) -> Attachment:
    bot.host.blobs["b1"] = body
    return Attachment(kind, blob_id="b1", name=name)


# --- in -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("message_type", "content", "kind", "mime", "name"),
    [("image", {"image_key": "img_v3_1"}, "image", "image/png", None),
     ("file", {"file_key": "file_v3_1", "file_name": "报表.xlsx"}, "file", "application/x", "报表.xlsx"),
     ("audio", {"file_key": "file_v3_2", "duration": 2000}, "audio", "audio/ogg", None),
     ("media", {"file_key": "file_v3_3", "image_key": "img_1"}, "video", "video/mp4", "a.mp4")],
)  # fmt: skip
async def test_what_somebody_sent_can_be_fetched(
    people: People, bot: Driver, message_type: str, content: dict[str, Any], kind: str, mime: str,
    name: str | None,
) -> None:  # fmt: skip
    body = bytes(range(256)) * 3000
    message = await people.send_file(message_type, content, body, mime=mime, name=name or "")

    (attachment,) = message.attachments
    result, found = await bot.fetch(attachment)

    assert attachment.kind == kind and found == body
    assert (result.size, result.mime, result.name) == (len(body), mime, name)


async def test_an_expired_token_is_refreshed_for_a_download(
    people: People, feishu: FeishuStandin, bot: Driver
) -> None:
    message = await people.send_file("image", {"image_key": "img_v3_1"}, PNG, mime="image/png")
    await bot.fetch(message.attachments[0])
    feishu.platform.expire_token()

    assert (await bot.fetch(message.attachments[0]))[1] == PNG


async def test_a_sticker_cannot_be_fetched(people: People, bot: Driver) -> None:
    content = {"file_key": "v2_sticker_1"}
    message = await people.write("p2p", message_type="sticker", content=content)

    with pytest.raises(UnsupportedFeature):
        await bot.fetch(message.attachments[0])


@pytest.mark.parametrize(
    ("change", "kind"),
    [("missing", ProviderRejected), ("scope", ProviderRejected), ("gone", RecipientUnreachable),
     ("broken", ProviderUnavailable), ("lost", ProviderUnavailable)],
)  # fmt: skip
async def test_a_download_that_fails_says_whether_to_try_again(
    people: People, feishu: FeishuStandin, bot: Driver, change: str, kind: type[Exception]
) -> None:
    message = await people.send_file("image", {"image_key": "img_v3_1"}, PNG, mime="image/png")
    if change == "missing":
        feishu.platform.resources.clear()
    elif change == "scope":
        feishu.platform.rules.scopes.remove("im:resource")
    elif change == "gone":
        feishu.platform.answer_with(230110)
    elif change == "broken":
        feishu.platform.fail(status=502)
    else:
        # aiohttp asks once more by itself where a kept connection breaks.
        feishu.platform.lose_next_answer(2)

    with pytest.raises(kind):
        await bot.fetch(message.attachments[0])


# --- out ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "kind", "name", "msg_type", "uploaded"),
    [(PNG, "image", None, "image", "image"), (b"<svg/>", "image", "a.svg", "file", "stream"),
     (OGG, "audio", None, "audio", "opus"), (b"ID3", "audio", "a.mp3", "file", "stream"),
     (MP4, "video", None, "media", "mp4"), (b"AVI", "video", "a.avi", "file", "stream"),
     (b"x", "file", "报表.xlsx", "file", "xls"), (MP4, "file", "a.mp4", "file", "stream"),
     (b"x", "file", 'a"\r\n.PDF', "file", "pdf"), (b"x", "file", None, "file", "stream")],
)  # fmt: skip
async def test_a_file_is_shown_as_what_it_is(
    people: People, feishu: FeishuStandin, bot: Driver, body: bytes, kind: str, name: str | None,
    msg_type: str, uploaded: str,
) -> None:  # fmt: skip
    message = await people.write("p2p")

    await bot.send(reply(message, None, attachments=(_attached(bot, body, kind, name),)))

    (sent,) = feishu.platform.sent
    key = next(iter(json.loads(sent.content).values()))
    assert (sent.msg_type, feishu.platform.uploads[key]) == (msg_type, (uploaded, body))


async def test_text_comes_first_then_each_file_in_a_message_of_its_own(
    people: People, feishu: FeishuStandin, bot: Driver
) -> None:
    message = await people.write("group")
    files = (
        _attached(bot, PNG, "image"),
        Attachment("file", url="https://x.cn/a.pdf", name="a.pdf"),
    )

    await bot.send_all(reply(message, "two files:", attachments=files))

    assert [one.msg_type for one in feishu.platform.sent] == ["text", "image", "text"]
    assert feishu.platform.sent[2].text == "a.pdf\nhttps://x.cn/a.pdf"
    assert [bool(one.reply_to) for one in feishu.platform.sent] == [True, False, False]


async def test_a_lost_answer_sends_a_file_once(
    people: People, feishu: FeishuStandin, bot: Driver
) -> None:
    message = await people.write("p2p")
    feishu.platform.lose_next_answer()
    image = reply(message, None, attachments=(_attached(bot, PNG, "image"),))

    with pytest.raises(ChannelError):
        await bot.send(image)
    await bot.send(image, attempt=2)

    assert len(feishu.platform.sent) == 1


async def test_an_image_too_large_for_an_image_goes_as_a_file(
    people: People, feishu: FeishuStandin, bot: Driver
) -> None:
    message = await people.write("p2p")
    body = PNG + bytes(10 * 1_048_576)

    await bot.send(reply(message, None, attachments=(_attached(bot, body, "image", "a.png"),)))

    assert feishu.platform.sent[0].msg_type == "file"


@pytest.mark.parametrize(
    ("body", "kind"), [(b"", ProviderRejected), (bytes(30 * 1_048_576 + 1), TooLarge)]
)
async def test_a_file_outside_the_limits_is_refused(
    people: People, bot: Driver, body: bytes, kind: type[Exception]
) -> None:
    message = await people.write("p2p")

    with pytest.raises(kind):
        await bot.send(reply(message, None, attachments=(_attached(bot, body, "file"),)))


async def test_a_missing_permission_for_files_does_not_park_the_account(
    people: People, feishu: FeishuStandin, bot: Driver
) -> None:
    feishu.platform.rules.scopes.remove("im:resource")
    message = await people.write("p2p")

    with pytest.raises(ProviderRejected) as failed:
        await bot.send(reply(message, None, attachments=(_attached(bot, PNG, "image"),)))

    assert failed.value.provider_code == "99991672"


async def test_an_upload_that_breaks_is_simply_tried_again(
    people: People, feishu: FeishuStandin, bot: Driver
) -> None:
    message = await people.write("p2p")
    feishu.platform.fail()
    feishu.platform.faults[-1].path = "/images"
    image = reply(message, None, attachments=(_attached(bot, PNG, "image"),))

    with pytest.raises(ProviderUnavailable):
        await bot.send(image)
    await bot.send(image, attempt=2)

    assert feishu.platform.sent[0].msg_type == "image"


async def test_a_key_uploaded_before_is_sent_as_it_is_and_a_received_one_is_not(
    people: People, feishu: FeishuStandin, bot: Driver
) -> None:
    feishu.platform.uploads["img_v3_mine"] = ("image", PNG)
    message = await people.send_file("image", {"image_key": "img_v3_1"}, PNG)

    mine = (Attachment("image", media_id="img_v3_mine"),)
    await bot.send(reply(message, None, attachments=mine))
    with pytest.raises(UnsupportedFeature):
        await bot.send(reply(message, None, attachments=message.attachments))

    assert feishu.platform.sent[0].msg_type == "image"


@pytest.mark.parametrize(
    ("body", "is_one"),
    [(PNG, True), (b"\xff\xd8\xff\xe0", True), (b"GIF89a", True), (b"RIFF\0\0\0\0WEBP", True),
     (b"\0\0\0\x18ftypheic", True), (MP4, False), (b"<svg", False), (b"", False)],
)  # fmt: skip
def test_an_image_is_known_by_its_bytes(body: bytes, is_one: bool) -> None:
    assert is_image(body) is is_one


@pytest.mark.parametrize(("body", "ms"), [(OGG, 2000), (b"OggS", 0), (b"OggS" + b"\xff" * 20, 0)])
def test_the_length_of_a_voice_is_read_from_its_last_page(body: bytes, ms: int) -> None:
    assert ogg_duration_ms(body) == ms
