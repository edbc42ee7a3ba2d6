"""Answers in the webhook's own response: in time, once, and what does not fit on request."""

import asyncio
from typing import Any

import pytest

from tests.standins.wechat_mp.callbacks import USER, Callback
from tests.standins.wechat_mp.platform import FAULT_TEXT
from tests.standins.wechat_mp.server import MpStandin
from wunder_channels.wechat_mp.leftovers import WORKING
from wunder_channels.wechat_mp.tests.driver import Driver, body_of, reply, writer
from wunder_sdk import (
    Attachment,
    ChannelMessage,
    Forbidden,
    InlineReply,
    SignatureInvalid,
    UnsupportedFeature,
)

MODES = ["plain", "compat", "safe"]
FORMS = ["xml", "json"]
CREATED_S = 1_767_225_600


def _bot(**config: Any) -> Driver:
    return Driver(**{"reply_mode": "passive", **config})


async def _ask(bot: Driver, text: str = "hello", **asked: Any) -> tuple[Callback, ChannelMessage]:
    callback = writer().write({"text": text, "created_s": bot.host.clock_ms // 1000, **asked})
    (message,) = (await bot.parse(callback)).messages
    return callback, message


async def _say(bot: Driver, text: str, **asked: Any) -> dict[str, Any]:
    """Write a message that is answered at once, and return what the user sees."""
    callback = writer().write({"text": text, "created_s": bot.host.clock_ms // 1000, **asked})
    result = await bot.parse(callback)
    assert not result.messages and result.inline_reply is None
    seen = writer().read_answer(body_of(result.immediate_response))
    assert seen
    return seen


def _seen(body: bytes) -> dict[str, Any]:
    found = writer().read_answer(body)
    assert found
    return found


# --- the window ----------------------------------------------------------------------------------------


async def test_each_delivery_says_how_long_it_and_the_rest_can_carry_the_reply() -> None:
    bot, callback = _bot(), writer().write({"created_s": CREATED_S})
    now_ms = CREATED_S * 1000 + 300

    results = [await bot.parse(callback, now_ms + late_ms) for late_ms in (0, 5_000, 10_000)]

    assert [one.inline_reply for one in results] == [
        InlineReply(5_000, 15_000),
        InlineReply(5_000, 10_000),
        InlineReply(5_000, 5_000),
    ]
    assert len({one.messages[0].message_id for one in results}) == 1
    answers = [body_of(one.immediate_response) for one in results]
    assert answers[:2] == [b"success", b"success"]
    assert _seen(answers[2])["Content"] == WORKING


@pytest.mark.parametrize(
    ("age_s", "total_s"), [(0, 15), (4, 15), (5, 10), (10, 5), (14, 5), (25, 15)]
)
async def test_a_process_that_missed_the_first_deliveries_goes_by_the_age(
    age_s: int, total_s: int
) -> None:
    result = await _bot().parse(
        writer().write({"created_s": CREATED_S}), (CREATED_S + age_s) * 1000 + 300
    )

    assert result.inline_reply == InlineReply(5_000, total_s * 1000)


async def test_a_message_from_the_future_is_a_first_delivery() -> None:
    callback = writer().write({"created_s": CREATED_S + 3600})

    assert (await _bot().parse(callback, CREATED_S * 1000)).inline_reply == InlineReply(
        5_000, 15_000
    )


@pytest.mark.parametrize("kind", ["subscribe", "SCAN", "CLICK"])
async def test_an_event_can_be_answered_as_well(kind: str) -> None:
    bot = _bot()
    callback = writer().write({"kind": kind, "text": "KEY", "created_s": CREATED_S})
    (message,) = (await bot.parse(callback)).messages

    assert _seen(await bot.render(callback, reply(message, "welcome")))["Content"] == "welcome"


@pytest.mark.parametrize("mode", ["auto", "active"])
async def test_an_account_that_may_send_later_is_acknowledged_at_once(mode: str) -> None:
    result = await Driver(reply_mode=mode).parse(writer().write({}))

    assert result.inline_reply is None and body_of(result.immediate_response) == b"success"


async def test_without_a_secret_replies_are_passive() -> None:
    bot = Driver()
    bot.configure(app_secret="")

    assert (await bot.parse(writer().write({}))).inline_reply is not None


async def test_without_the_offer_the_last_delivery_is_only_acknowledged() -> None:
    bot, callback = _bot(fetch_more=False), writer().write({"created_s": CREATED_S})

    answers = [body_of((await bot.parse(callback)).immediate_response) for _ in range(3)]

    assert answers == [b"success"] * 3


# --- rendering -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("form", FORMS)
async def test_a_reply_is_written_as_the_message_was(mode: str, form: str) -> None:
    platform, bot = writer(mode, form), _bot(encrypt_mode=mode)
    callback = platform.write({})
    (message,) = (await bot.parse(callback)).messages

    body = await bot.render(callback, reply(message, "a ]]> b <c> & \x00\x0b 😀\n好"))

    seen = platform.read_answer(body)
    assert seen is not None
    assert seen["Content"] == "a ]]> b <c> &  😀\n好"
    assert (seen["ToUserName"], seen["FromUserName"]) == (USER, platform.original_id)
    assert (seen["MsgType"], int(seen["CreateTime"])) == ("text", bot.host.clock_ms // 1000)
    assert (b"Content" in body) == (mode == "plain")


async def test_two_replies_are_never_sealed_alike() -> None:
    bot = _bot()
    callback, message = await _ask(bot)

    assert await bot.render(callback, reply(message, "x")) != await bot.render(
        callback, reply(message, "x")
    )


async def test_a_reply_uses_the_pair_that_opened_the_message() -> None:
    bot = _bot()
    callback, message = await _ask(bot)
    bot.configure(
        token="another",
        encoding_aes_key="A" * 43,
        previous_token="MpT0ken01",
        previous_encoding_aes_key="FIVnSBaYDdCrxT1nbLHOpoSH/lMfB+BzC655o4Vbzo4",
    )

    assert _seen(await bot.render(callback, reply(message, "x")))["Content"] == "x"


async def test_a_reply_goes_to_nobody_else_and_into_no_forged_request() -> None:
    bot = _bot()
    callback, message = await _ask(bot)
    other, _ = await _ask(bot, openid="oSomebodyElse")
    forged = Callback({**callback.query, "msg_signature": "0" * 40}, callback.body, USER)

    with pytest.raises(Forbidden):
        await bot.render(other, reply(message, "x"))
    with pytest.raises(SignatureInvalid):
        await bot.render(forged, reply(message, "x"))


async def test_markdown_becomes_plain() -> None:
    bot = _bot()
    callback, message = await _ask(bot)

    body = await bot.render(callback, reply(message, "# T\n**b** `c`", format="markdown"))

    assert _seen(body)["Content"] == "T\nb c"


async def test_addresses_of_attachments_stand_under_the_text() -> None:
    bot = _bot()
    callback, message = await _ask(bot)
    files = (Attachment("image", url="https://e.com/a.png"), Attachment("file", blob_id="b"))

    body = await bot.render(callback, reply(message, "look", attachments=files))

    assert _seen(body)["Content"] == "look\nhttps://e.com/a.png"


async def test_a_picture_alone_is_an_article_and_another_file_its_address() -> None:
    bot = _bot()
    callback, message = await _ask(bot)

    picture = Attachment("image", url="https://e.com/a.png", name="A")
    seen = _seen(await bot.render(callback, reply(message, None, attachments=(picture,))))
    assert seen["Articles"]["item"]["PicUrl"] == "https://e.com/a.png"
    other = Attachment("file", url="https://e.com/a.pdf")
    seen = _seen(await bot.render(callback, reply(message, "", attachments=(other,))))
    assert seen["Content"] == "https://e.com/a.pdf"


@pytest.mark.parametrize(
    ("kind", "msgtype", "named"),
    [("image", "image", "Image"), ("audio", "voice", "Voice"), ("video", "video", "Video")],
)
async def test_a_file_known_to_wechat_is_sent_by_its_id(
    kind: Any, msgtype: str, named: str
) -> None:
    bot = _bot()
    callback, message = await _ask(bot)
    attachment = Attachment(kind, media_id="M9", name="n")

    seen = _seen(await bot.render(callback, reply(message, None, attachments=(attachment,))))

    assert (seen["MsgType"], seen[named]["MediaId"]) == (msgtype, "M9")


async def test_what_no_response_can_hold_is_left_to_the_normal_way() -> None:
    bot = _bot()
    callback, message = await _ask(bot)
    files = (Attachment("file", blob_id="a"), Attachment("file", blob_id="b"))

    for attachments in ((), files, files[:1]):
        with pytest.raises(UnsupportedFeature):
            await bot.render(callback, reply(message, " ", attachments=attachments))


async def test_a_stored_picture_is_uploaded_first(mp: MpStandin) -> None:
    bot = _bot(domain=mp.url)
    bot.host.blobs["b1"] = b"\x89PNG"
    callback, message = await _ask(bot)
    picture = Attachment("image", blob_id="b1", mime="image/png")

    seen = _seen(await bot.render(callback, reply(message, None, attachments=(picture,))))

    assert mp.platform.media[seen["Image"]["MediaId"]][2] == b"\x89PNG"
    await bot.close()


# --- through the stand-in ------------------------------------------------------------------------------


async def test_the_platform_shows_a_passive_reply(mp: MpStandin) -> None:
    bot = _bot(domain=mp.url)
    callback, message = await _ask(bot)
    body = await bot.render(callback, reply(message, "hi"))

    mp._show(callback, 200, body)
    mp._show(callback, 200, b'{"ok":true}')

    assert [one.text for one in mp.platform.sent] == ["hi", FAULT_TEXT]
    assert not mp.platform.requests["/cgi-bin/message/custom/send"]


async def test_an_account_that_turns_out_to_be_unverified_becomes_passive_for_a_day(
    mp: MpStandin,
) -> None:
    bot = Driver(domain=mp.url)
    mp.platform.rules.verified = False
    _, message = await _ask(bot)

    sent = await bot.send(reply(message, "hi"))

    assert sent.raw_result == {"kept_until_fetched": True}
    assert (await _say(bot, "1"))["Content"] == "hi"
    assert (await bot.parse(writer().write({}))).inline_reply is not None
    bot.host.clock_ms += 24 * 3_600_000
    assert (await bot.parse(writer().write({}))).inline_reply is None
    await bot.close()


async def test_what_was_learnt_is_known_to_every_process(mp: MpStandin) -> None:
    bot = Driver(domain=mp.url)
    mp.platform.rules.verified = False
    _, message = await _ask(bot)
    await bot.send(reply(message, "hi"))
    another = Driver(domain=mp.url)
    another.host.stored = bot.host.stored

    assert (await another.parse(writer().write({}))).inline_reply is not None
    await asyncio.gather(bot.close(), another.close())
