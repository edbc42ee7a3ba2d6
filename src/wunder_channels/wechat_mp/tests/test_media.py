"""Files both ways, within WeChat's limits."""

from typing import Any

import pytest

from tests.standins.wechat_mp.platform import Fault
from tests.standins.wechat_mp.server import MpStandin
from wunder_channels.wechat_mp.tests.driver import Driver, reply
from wunder_channels.wechat_mp.tests.people import People
from wunder_sdk import Attachment, ChannelError
from wunder_sdk.errors import (
    AuthFailed,
    Forbidden,
    ProviderRejected,
    ProviderUnavailable,
    TooLarge,
    UnsupportedFeature,
)

UPLOAD = "/cgi-bin/media/upload"


def _keep(mp: MpStandin, kind: str, mime: str, content: bytes) -> str:
    media_id = f"IN{len(mp.platform.media)}"
    mp.platform.media[media_id] = (kind, mime, content)
    return media_id


# --- in ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "mime"), [("image", "image/jpeg"), ("voice", "audio/amr"), ("video", "video/mp4")]
)
async def test_what_a_user_sent_is_fetched(
    mp: MpStandin, bot: Driver, kind: str, mime: str
) -> None:
    content = bytes(range(256)) * 3_000
    media_id = _keep(mp, kind, mime, content)

    found, told, name = await bot.fetch(Attachment("image", media_id=media_id))

    assert (found == content, told) == (True, mime)
    assert name == (None if kind == "video" else f"{media_id}.bin")


async def test_a_picture_is_fetched_by_its_address_without_a_token(
    mp: MpStandin, bot: Driver
) -> None:
    media_id = _keep(mp, "image", "image/png", b"png")

    found, mime, _ = await bot.fetch(Attachment("image", url=f"{mp.url}/files/{media_id}"))

    assert (found, mime) == (b"png", "image/png")
    assert not mp.platform.requests


@pytest.mark.parametrize(
    "address",
    ["http://169.254.169.254/x", "https://qq.com.evil.example/x", "file:///etc/passwd", "http://[x",
     "https://evilqpic.cn/x", "ftp://a.qpic.cn/x", "http://127.0.0.1:1/x"],
)  # fmt: skip
async def test_nothing_is_fetched_from_elsewhere(bot: Driver, address: str) -> None:
    with pytest.raises(ProviderRejected):
        await bot.fetch(Attachment("image", url=address))


async def test_an_expired_token_is_replaced(mp: MpStandin, bot: Driver) -> None:
    media_id = _keep(mp, "image", "image/png", b"png")
    await bot.fetch(Attachment("image", media_id=media_id))
    mp.platform.expire_token()

    assert (await bot.fetch(Attachment("image", media_id=media_id)))[0] == b"png"
    assert mp.platform.requests["token"] == 2


async def test_an_account_that_may_not_ask_for_files_still_gets_pictures(
    people: People, mp: MpStandin, bot: Driver
) -> None:
    mp.platform.answer_with(48001, times=2, path="/media/get")
    known = _keep(mp, "image", "image/png", b"png")
    extra = {"PicUrl": f"{mp.url}/files/{known}", "MediaId": "M1"}
    message = await people.write("", kind="image", extra=extra)

    assert (await bot.fetch(message.attachments[0]))[0] == b"png"
    with pytest.raises(AuthFailed):
        await bot.fetch(Attachment("image", media_id="another"))


async def test_a_file_that_is_gone_is_refused_for_good(mp: MpStandin, bot: Driver) -> None:
    with pytest.raises(ProviderRejected) as failed:
        await bot.fetch(Attachment("image", media_id="none"))
    assert failed.value.provider_code == "40007"
    with pytest.raises(ProviderRejected):
        await bot.fetch(Attachment("image", url=f"{mp.url}/files/none"))


@pytest.mark.parametrize("status", [500, 503, 504])
async def test_a_broken_platform_is_asked_again_later(
    mp: MpStandin, bot: Driver, status: int
) -> None:
    mp.platform.fail(status=status, path="/media/get")

    with pytest.raises(ProviderUnavailable):
        await bot.fetch(Attachment("image", media_id="any"))


async def test_a_broken_download_is_asked_again_later(mp: MpStandin, bot: Driver) -> None:
    # aiohttp itself repeats a GET once on a connection that was open before.
    mp.platform.faults.append(Fault("lose", 2, path="/media/get"))
    media_id = _keep(mp, "image", "image/png", b"png")

    with pytest.raises(ProviderUnavailable):
        await bot.fetch(Attachment("image", media_id=media_id))


async def test_a_token_refused_twice_ends_the_download(mp: MpStandin, bot: Driver) -> None:
    mp.platform.answer_with(40001, times=2, path="/media/get")

    with pytest.raises(AuthFailed):
        await bot.fetch(Attachment("image", media_id="any"))


async def test_more_than_the_gateway_takes_is_too_large(mp: MpStandin, bot: Driver) -> None:
    bot.host.blob_max_bytes = 1_000
    media_id = _keep(mp, "image", "image/png", b"x" * 300_000)

    with pytest.raises(TooLarge):
        await bot.fetch(Attachment("image", media_id=media_id))


# --- out -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "mime", "msgtype"),
    [("image", "image/png", "image"), ("image", "image/jpeg; q=1", "image"), ("image", None, "image"),
     ("audio", "audio/amr", "voice"), ("audio", "audio/mpeg", "voice"), ("video", "video/mp4", "video")],
)  # fmt: skip
async def test_a_stored_file_is_uploaded_and_sent(
    people: People, mp: MpStandin, bot: Driver, kind: Any, mime: str | None, msgtype: str
) -> None:
    content = bytes(range(256)) * 2_000 + b"\r\n--boundary--\r\n"
    bot.host.blobs["b1"] = content
    attachment = Attachment(kind, blob_id="b1", mime=mime, name='名"字/\r\nx')

    results = await bot.send_all(reply(await people.write(), "look", attachments=(attachment,)))

    text, file = mp.platform.sent
    assert (text.text, file.msgtype, len(results)) == ("look", msgtype, 2)
    assert mp.platform.media[file.body[msgtype]["media_id"]][2] == content


async def test_a_file_known_to_wechat_is_not_uploaded(
    people: People, mp: MpStandin, bot: Driver
) -> None:
    media_id = _keep(mp, "image", "image/png", b"png")

    await bot.send(
        reply(await people.write(), None, attachments=(Attachment("image", media_id=media_id),))
    )

    assert mp.platform.sent[0].body["image"] == {"media_id": media_id}
    assert not mp.platform.requests[UPLOAD]


async def test_a_picture_elsewhere_is_an_article_and_other_files_an_address(
    people: People, mp: MpStandin, bot: Driver
) -> None:
    files = (
        Attachment("image", url="https://e.com/a.png", name="A"),
        Attachment("file", url="https://e.com/a.pdf", name="A.pdf"),
        Attachment("video", url="https://e.com/a.mp4"),
    )

    await bot.send_all(reply(await people.write(), None, attachments=files))

    article, pdf, video = mp.platform.sent
    assert article.body["news"]["articles"][0]["picurl"] == "https://e.com/a.png"
    assert (pdf.text, video.text) == ("A.pdf https://e.com/a.pdf", "https://e.com/a.mp4")


@pytest.mark.parametrize(
    ("attachment", "error"),
    [(Attachment("file", blob_id="b1"), UnsupportedFeature),
     (Attachment("audio", blob_id="b1", mime="audio/ogg"), UnsupportedFeature),
     (Attachment("image", blob_id="b1", mime="image/webp"), UnsupportedFeature),
     (Attachment("image", blob_id="b1", mime="image/png", size=10 * 2**20 + 1), TooLarge),
     (Attachment("audio", blob_id="large", mime="audio/amr"), TooLarge),
     (Attachment("image", blob_id="gone", mime="image/png"), Forbidden),
     (Attachment("image", blob_id="empty", mime="image/png"), ProviderRejected)],
)  # fmt: skip
async def test_a_file_wechat_would_refuse_is_not_sent(
    people: People, mp: MpStandin, bot: Driver, attachment: Attachment, error: type[ChannelError]
) -> None:
    bot.host.blobs |= {"b1": b"x", "large": bytes(2 * 2**20 + 1), "empty": b""}

    with pytest.raises(error):
        await bot.send(reply(await people.write(), None, attachments=(attachment,)))
    assert not mp.platform.sent


async def test_a_refused_media_id_is_uploaded_again_once(
    people: People, mp: MpStandin, bot: Driver
) -> None:
    bot.host.blobs["b1"] = b"png"
    picture = Attachment("image", blob_id="b1", mime="image/png")
    mp.platform.answer_with(40007)

    await bot.send(reply(await people.write(), None, attachments=(picture,)))

    assert (mp.platform.requests[UPLOAD], len(mp.platform.sent)) == (2, 1)


async def test_a_failed_upload_sends_nothing_and_may_be_repeated(
    people: People, mp: MpStandin, bot: Driver
) -> None:
    bot.host.blobs["b1"] = b"png"
    picture = Attachment("image", blob_id="b1", mime="image/png")
    message = await people.write()
    for kind in ("fail", "lose"):
        mp.platform.faults.append(Fault(kind, status=504, path="/media/upload"))
        with pytest.raises(ProviderUnavailable) as failed:
            await bot.send(reply(message, None, attachments=(picture,)))
        assert failed.value.outcome == "not_sent"

    await bot.send(reply(message, None, attachments=(picture,)), attempt=3)

    assert len(mp.platform.sent) == 1
