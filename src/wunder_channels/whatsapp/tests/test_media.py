"""Pictures, voices, films and files: fetched from Meta whole, sent as what they are."""

from typing import Any

import pytest

from tests.standins.whatsapp.server import WhatsAppStandin
from wunder_channels.whatsapp.media import DOCUMENT_MAX_BYTES, medium
from wunder_channels.whatsapp.tests.driver import Driver, reply
from wunder_channels.whatsapp.tests.people import People
from wunder_sdk import Attachment, ChannelError
from wunder_sdk.errors import (
    AuthFailed,
    Forbidden,
    ProviderRejected,
    ProviderUnavailable,
    TooLarge,
)

MIB = 1_048_576


def _stored(kind: Any = "image", mime: str | None = "image/png", **fields: Any) -> Attachment:
    return Attachment(kind, blob_id="blob-1", mime=mime, **{"size": 5, **fields})


# --- in -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [0, 5, 700_000])
async def test_what_a_person_sent_is_fetched_whole(people: People, bot: Driver, size: int) -> None:
    content = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    message = await people.write("document", bytes=content)

    found = await bot.fetch(message.attachments[0])

    assert found == ("application/pdf", "发票.pdf", content)


async def test_media_that_meta_no_longer_has_is_gone(bot: Driver) -> None:
    with pytest.raises(ProviderRejected):
        await bot.fetch(Attachment("image", media_id="1/../x?y"))
    with pytest.raises(ProviderRejected):
        await bot.fetch(Attachment("image", url="https://example.com/a.png"))


@pytest.mark.parametrize(
    ("fault", "error"),
    [({"kind": "fail", "status": 503, "path": "/lookaside"}, ProviderUnavailable),
     ({"kind": "fail", "status": 404, "path": "/lookaside"}, ProviderRejected),
     ({"kind": "fail", "status": 401, "path": "/lookaside"}, AuthFailed),
     ({"kind": "fail", "status": 200, "path": "/lookaside"}, ProviderUnavailable),
     ({"kind": "lose", "path": "/lookaside"}, ProviderUnavailable),
     ({"kind": "code", "status": 400, "code": 131052, "path": "/v24.0/"}, ProviderRejected)],
)  # fmt: skip
async def test_a_fetch_that_fails_says_whether_to_try_again(
    people: People,
    meta: WhatsAppStandin,
    bot: Driver,
    fault: dict[str, Any],
    error: type[ChannelError],
) -> None:
    message = await people.write("image", bytes=b"x" * 300_000)
    meta.platform.add_fault(**fault)

    with pytest.raises(error):
        await bot.fetch(message.attachments[0])


async def test_bytes_that_were_changed_on_the_way_are_not_kept(
    people: People, meta: WhatsAppStandin, bot: Driver
) -> None:
    message = await people.write("image")
    meta.platform.announce_sha256 = "0" * 64

    with pytest.raises(ProviderUnavailable, match="SHA-256"):
        await bot.fetch(message.attachments[0])


@pytest.mark.parametrize(
    "url",
    ["https://evil.example/x", "http://lookaside.fbsbx.com/x", "https://lookaside.fbsbx.com.evil.example/",
     "https://evilfbsbx.com/x", "https://lookaside.fbsbx.com@evil.example/x", "file:///etc/passwd", "",
     "https://[x", "http://127.0.0.1:1/x"],
)  # fmt: skip
async def test_the_token_goes_to_metas_hosts_only(
    people: People, meta: WhatsAppStandin, bot: Driver, url: str
) -> None:
    message = await people.write("image")
    meta.platform.media_url = url

    with pytest.raises(ProviderRejected, match="not Meta's"):
        await bot.fetch(message.attachments[0])

    assert not meta.platform.requests["download"]


async def test_a_medium_larger_than_the_gateway_takes_is_too_large(
    people: People, bot: Driver
) -> None:
    message = await people.write("video", bytes=b"x" * 600_000)
    bot.host.blob_max_bytes = 300_000

    with pytest.raises(TooLarge):
        await bot.fetch(message.attachments[0])


# --- out ----------------------------------------------------------------------------------------------


async def test_a_stored_picture_is_uploaded_and_carries_a_short_text(
    people: People, meta: WhatsAppStandin, bot: Driver
) -> None:
    bot.host.blobs["blob-1"] = b"bytes"
    attachment = _stored(name='a"\r\nb.png')

    (result,) = await bot.send_all(reply(await people.write(), "look", attachments=(attachment,)))

    (sent,) = meta.platform.sent
    media_id = sent.body["image"]["id"]
    assert sent.body["image"] == {"id": media_id, "caption": "look"}
    assert meta.platform.media[media_id].content == b"bytes"
    assert meta.platform.media[media_id].mime == "image/png"
    assert result.provider_message_id == sent.id


@pytest.mark.parametrize("size", [3 * MIB, None])
async def test_a_large_file_is_streamed_under_its_name(
    people: People, meta: WhatsAppStandin, bot: Driver, size: int | None
) -> None:
    bot.host.blobs["blob-1"] = content = b"0123456789abcdef" * (3 * MIB // 16)
    file = _stored("file", "application/pdf", size=size, name="发票.pdf")

    await bot.send_all(reply(await people.write(), None, attachments=(file,)))

    shown = meta.platform.sent[0].body["document"]
    assert shown["filename"] == "发票.pdf"
    assert meta.platform.media[shown["id"]].content == content
    assert meta.platform.media[shown["id"]].name == "发票.pdf"


async def test_an_upload_is_not_repeated_when_the_message_is(
    people: People, meta: WhatsAppStandin, bot: Driver
) -> None:
    bot.host.blobs["blob-1"] = b"bytes"
    message = reply(await people.write(), "x", attachments=(_stored(),))
    meta.platform.throttle()

    with pytest.raises(ChannelError):
        await bot.send(message)
    await bot.send(message, attempt=2)

    assert (meta.platform.requests["upload"], len(meta.platform.sent)) == (1, 1)


@pytest.mark.parametrize(
    ("fault", "kind"),
    [({"kind": "fail", "status": 502}, "provider_unavailable"),
     ({"kind": "code", "status": 401, "code": 190}, "auth_failed"),
     ({"kind": "code", "status": 400, "code": 131053}, "provider_rejected")],
)  # fmt: skip
async def test_a_failed_upload_sent_nothing(
    people: People, meta: WhatsAppStandin, bot: Driver, fault: dict[str, Any], kind: str
) -> None:
    bot.host.blobs["blob-1"] = b"bytes"
    meta.platform.add_fault(path="/media", **fault)

    with pytest.raises(ChannelError) as failed:
        await bot.send(reply(await people.write(), "x", attachments=(_stored(),)))

    assert (failed.value.kind, failed.value.outcome) == (kind, "not_sent")
    assert not meta.platform.sent


@pytest.mark.parametrize(
    ("content", "size", "error"),
    [(b"bytes", 4, ProviderRejected), (b"bytes", 6, ProviderRejected), (None, 5, Forbidden)],
)
async def test_a_stored_file_that_is_not_there_or_not_as_told_is_named(
    people: People, bot: Driver, content: bytes | None, size: int, error: type[ChannelError]
) -> None:
    if content is not None:
        bot.host.blobs["blob-1"] = content

    with pytest.raises(error):
        await bot.send(reply(await people.write(), "x", attachments=(_stored(size=size),)))


async def test_a_link_is_left_to_meta_and_fetched_here_only_where_meta_cannot(
    people: People, meta: WhatsAppStandin, bot: Driver
) -> None:
    media_id = meta.platform.keep_medium("image/png", b"picture")
    meta.platform.public.add(media_id)
    link = Attachment("image", url=f"{meta.url}/lookaside/{media_id}", mime="image/png")
    message = reply(await people.write(), "x", attachments=(link,))

    await bot.send(message)
    meta.platform.rules.fetches_links = False
    await bot.send(message)

    first, second = (one.body["image"] for one in meta.platform.sent)
    assert first == {"link": link.url, "caption": "x"}
    assert meta.platform.media[second["id"]].content == b"picture" and second["caption"] == "x"


async def test_a_link_that_nobody_can_fetch_is_refused_for_good(
    people: People, meta: WhatsAppStandin, bot: Driver
) -> None:
    meta.platform.rules.fetches_links = False
    for url in ("http://127.0.0.1:1/x.png", f"{meta.url}/lookaside/1"):
        link = Attachment("image", url=url)
        with pytest.raises(ProviderRejected) as refused:
            await bot.send(reply(await people.write(), None, attachments=(link,)))
        assert refused.value.provider_code == "131053"


async def test_what_a_person_sent_can_be_sent_on_without_fetching_it(
    people: People, meta: WhatsAppStandin, bot: Driver
) -> None:
    message = await people.write("image")

    await bot.send(reply(message, None, attachments=message.attachments))

    assert meta.platform.sent[0].body["image"] == {"id": message.attachments[0].media_id}


async def test_a_long_text_goes_before_its_attachments_and_a_voice_has_no_caption(
    people: People, meta: WhatsAppStandin, bot: Driver
) -> None:
    bot.host.blobs["blob-1"] = b"bytes"
    voice, picture = _stored("audio", "audio/ogg; codecs=opus"), _stored()
    message = await people.write()

    await bot.send_all(reply(message, "t", attachments=(voice, picture)))
    await bot.send_all(reply(message, "t" * 1025, attachments=(picture,)))

    assert [one.body["type"] for one in meta.platform.sent] == [
        "text", "audio", "image", "text", "image",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("attachment", "kind"),
    [
        (_stored("image", "image/jpeg"), "image"),
        (_stored("image", None), "image"),
        (_stored("image", "image/webp"), "document"),
        (_stored("image", "image/png", size=5 * MIB + 1), "document"),
        (_stored("video", "video/mp4", size=16 * MIB), "video"),
        (_stored("video", "video/quicktime"), "document"),
        (_stored("audio", "audio/wav"), "document"),
        (_stored("audio", "AUDIO/OGG; codecs=opus"), "audio"),
        (_stored("file", "image/png"), "document"),
        (_stored("image", "nonsense", size=None), "image"),
    ],
)
def test_what_whatsapp_cannot_show_goes_as_a_document(attachment: Attachment, kind: str) -> None:
    assert medium(attachment).kind == kind


def test_nothing_goes_beyond_a_hundred_megabytes() -> None:
    assert medium(_stored("file", size=DOCUMENT_MAX_BYTES)).kind == "document"
    with pytest.raises(TooLarge):
        medium(_stored("file", size=DOCUMENT_MAX_BYTES + 1))
