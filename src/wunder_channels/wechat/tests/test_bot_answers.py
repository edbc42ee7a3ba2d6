"""An AI bot answers in a stream that grows, or once through the response_url."""

import asyncio
import base64
from typing import Any

import pytest

from tests.standins.wecom.server import WecomStandin
from wunder_channels.wechat.streams import (
    QUIET_MS,
    QUIET_UNEDITED_MS,
    STREAM_BYTES,
    STREAM_MS,
    TRUNCATED,
    UNPOLLED_MS,
)
from wunder_channels.wechat.tests.driver import Driver, reply, to_user
from wunder_sdk import (
    Attachment,
    ChannelMessage,
    Duplicate,
    ProviderUnavailable,
    RecipientUnreachable,
    UnsupportedFeature,
)


async def _ask(wecom: WecomStandin, bot: Driver, **asked: Any) -> ChannelMessage:
    callback = wecom.callbacks.write({"kind": "bot_text", **asked})
    return await bot.read(callback)


async def _poll(wecom: WecomStandin, bot: Driver, message: ChannelMessage) -> tuple[str, bool, int]:
    """What WeCom is told when it asks: the text, is it over, how many receipts."""
    result = await bot.parse(wecom.callbacks.poll(message.meta["stream_id"]))
    assert result.immediate_response is not None and result.messages == ()
    body = base64.b64decode(result.immediate_response.body_b64)
    stream = wecom.callbacks.read_answer(body)["stream"]
    assert stream["id"] == message.meta["stream_id"]
    return stream["content"], stream["finish"], len(result.receipts)


# --- at once ----------------------------------------------------------------------------------------


async def test_somebody_who_opens_the_chat_is_welcomed_where_a_text_is_set(
    wecom: WecomStandin, bot: Driver
) -> None:
    callback = wecom.callbacks.write({"kind": "bot_event"})
    silent = await bot.parse(callback)
    bot.configure(welcome="你好！")

    result = await bot.parse(callback)

    assert silent.immediate_response is not None and silent.immediate_response.body_b64 == ""
    assert result.immediate_response is not None
    said = wecom.callbacks.read_answer(base64.b64decode(result.immediate_response.body_b64))
    assert said == {"msgtype": "text", "text": {"content": "你好！"}}
    assert [one.type for one in result.messages] == ["event"]


# --- through the response_url -------------------------------------------------------------------------


async def test_a_late_answer_goes_through_the_response_url(
    wecom: WecomStandin, bot: Driver
) -> None:
    message = await _ask(wecom, bot, group="wrG1")

    result = await bot.send(reply(message, "late"))

    assert [(one.way, one.peer, one.text) for one in wecom.platform.sent] == [
        ("response", "wrG1", "late")
    ]
    assert result.provider_message_id == f"response:{message.meta['stream_id']}"
    assert not wecom.platform.requests["gettoken"]


async def test_a_response_url_is_used_once(wecom: WecomStandin, bot: Driver) -> None:
    message = await _ask(wecom, bot)
    await bot.send(reply(message, "one"))

    with pytest.raises(RecipientUnreachable) as refused:
        await bot.send(reply(message, "two"), delivery="delivery-2")

    assert str(refused.value.scope) == "message"
    assert wecom.platform.texts() == ["one"]


async def test_a_repeat_after_a_lost_answer_is_known_to_be_one(
    wecom: WecomStandin, bot: Driver
) -> None:
    message = await _ask(wecom, bot)
    wecom.platform.lose_next_answer(path="aibot")
    with pytest.raises(Exception, match="no answer"):
        await bot.send(reply(message, "once"))

    with pytest.raises(Duplicate):
        await bot.send(reply(message, "once"), attempt=2)

    assert wecom.platform.texts() == ["once"]


async def test_a_busy_platform_is_asked_again(wecom: WecomStandin, bot: Driver) -> None:
    message = await _ask(wecom, bot)
    wecom.platform.answer_with(-1, path="aibot")

    with pytest.raises(ProviderUnavailable):
        await bot.send(reply(message, "hi"))
    await bot.send(reply(message, "hi"), attempt=2)

    assert wecom.platform.texts() == ["hi"]


async def test_after_an_hour_a_question_cannot_be_answered(
    wecom: WecomStandin, bot: Driver
) -> None:
    message = await _ask(wecom, bot)
    bot.host.clock_ms += 3_600_000

    with pytest.raises(RecipientUnreachable):
        await bot.send(reply(message, "too late"))

    assert not wecom.platform.requests


async def test_a_response_url_of_somebody_else_is_never_called(
    wecom: WecomStandin, bot: Driver
) -> None:
    for url in ("http://evil.example/x", "", "http://[x", wecom.url + ".evil.example/x"):
        message = await _ask(wecom, bot, fields={"response_url": url})

        with pytest.raises(RecipientUnreachable):
            await bot.send(reply(message, "secret"))


async def test_an_ai_bot_cannot_write_first(bot: Driver) -> None:
    with pytest.raises(RecipientUnreachable):
        await bot.send(to_user("hi"))


async def test_attachments_are_shown_by_their_link_or_not_at_all(
    wecom: WecomStandin, bot: Driver
) -> None:
    message = await _ask(wecom, bot)
    picture = Attachment("image", url="https://example.com/p.png", name="图[1]")
    file = Attachment("file", url="https://example.com/f.pdf")

    await bot.send(reply(message, "see", attachments=(picture, file)))
    with pytest.raises(UnsupportedFeature):
        await bot.send(reply(message, "see", attachments=(Attachment("file", blob_id="b"),)))

    assert wecom.platform.texts() == [
        "see\n\n![图(1)](https://example.com/p.png)\n\n[file](https://example.com/f.pdf)"
    ]


async def test_a_text_too_long_for_one_answer_says_that_it_is_cut(
    wecom: WecomStandin, bot: Driver
) -> None:
    message = await _ask(wecom, bot)

    await bot.send(reply(message, "企" * 9000))

    (text,) = wecom.platform.texts()
    assert text.endswith(TRUNCATED) and len(text.encode()) <= STREAM_BYTES


# --- in a stream ---------------------------------------------------------------------------------------


@pytest.fixture
def streaming(bot: Driver) -> Driver:
    bot.configure(streaming=True)
    return bot


async def test_a_stream_is_opened_at_once_and_a_repeat_opens_the_same(
    wecom: WecomStandin, streaming: Driver
) -> None:
    callback = wecom.callbacks.write({"kind": "bot_text"})

    answers = [await streaming.parse(callback) for _ in range(2)]

    bodies = [base64.b64decode(one.immediate_response.body_b64) for one in answers]  # type: ignore[union-attr]  # given
    first, second = (wecom.callbacks.read_answer(body) for body in bodies)
    assert first == second and first["stream"]["finish"] is False


async def test_an_answer_grows_until_its_final_edit(wecom: WecomStandin, streaming: Driver) -> None:
    message = await _ask(wecom, streaming)
    seen = [await _poll(wecom, streaming, message)]
    sent = await streaming.send(reply(message, "今天"))
    seen.append(await _poll(wecom, streaming, message))
    await streaming.edit(reply(message, "今天广州"), sent)
    seen.append(await _poll(wecom, streaming, message))
    await streaming.edit(reply(message, "今天广州晴"), sent, final=True)
    seen.append(await _poll(wecom, streaming, message))
    seen.append(await _poll(wecom, streaming, message))

    assert seen == [
        ("…", False, 0), ("今天", False, 0), ("今天广州", False, 0),
        ("今天广州晴", True, 1), ("今天广州晴", True, 1),
    ]  # fmt: skip
    assert wecom.platform.sent == []


async def test_the_end_of_a_stream_is_a_receipt_for_what_was_sent(
    wecom: WecomStandin, streaming: Driver
) -> None:
    message = await _ask(wecom, streaming)
    sent = await streaming.send(reply(message, "all"))
    await streaming.edit(reply(message, "all"), sent, final=True)

    result = await streaming.parse(wecom.callbacks.poll(message.meta["stream_id"]))

    (receipt,) = result.receipts
    assert (receipt.provider_message_id, receipt.status) == (sent.provider_message_id, "delivered")


async def test_an_answer_that_nobody_goes_on_with_ends_by_itself(
    wecom: WecomStandin, streaming: Driver
) -> None:
    message = await _ask(wecom, streaming)
    await streaming.send(reply(message, "whole"))
    before = await _poll(wecom, streaming, message)
    streaming.host.clock_ms += QUIET_UNEDITED_MS

    assert before == ("whole", False, 0)
    assert await _poll(wecom, streaming, message) == ("whole", True, 1)


async def test_an_answer_that_grew_is_given_time_to_go_on(
    wecom: WecomStandin, streaming: Driver
) -> None:
    message = await _ask(wecom, streaming)
    sent = await streaming.send(reply(message, "let me"))
    await streaming.edit(reply(message, "let me look"), sent)
    streaming.host.clock_ms += QUIET_MS - 1

    assert await _poll(wecom, streaming, message) == ("let me look", False, 0)
    streaming.host.clock_ms += 1
    assert await _poll(wecom, streaming, message) == ("let me look", True, 1)


async def test_two_answers_to_a_question_share_its_stream_and_a_repeat_changes_nothing(
    wecom: WecomStandin, streaming: Driver
) -> None:
    message = await _ask(wecom, streaming)
    await streaming.send(reply(message, "one"), delivery="d1")
    await streaming.send(reply(message, "two"), delivery="d2")
    await streaming.send(reply(message, "one"), delivery="d1", attempt=2)

    assert (await _poll(wecom, streaming, message))[0] == "one\n\ntwo"


async def test_after_its_stream_an_answer_goes_through_the_response_url(
    wecom: WecomStandin, streaming: Driver
) -> None:
    message = await _ask(wecom, streaming)
    await streaming.send(reply(message, "one"), delivery="d1")
    streaming.host.clock_ms += QUIET_MS
    await _poll(wecom, streaming, message)

    await streaming.send(reply(message, "two"), delivery="d2")

    assert wecom.platform.texts() == ["two"]


async def test_a_final_text_that_missed_its_stream_is_sent_whole(
    wecom: WecomStandin, streaming: Driver
) -> None:
    message = await _ask(wecom, streaming)
    sent = await streaming.send(reply(message, "begin"))
    streaming.host.clock_ms += QUIET_MS
    await _poll(wecom, streaming, message)

    await streaming.edit(reply(message, "begin and mo"), sent)
    await streaming.edit(reply(message, "begin and more"), sent, final=True)
    with pytest.raises(Duplicate):
        await streaming.edit(reply(message, "begin and more"), sent, final=True)

    assert wecom.platform.texts() == ["begin and more"]


@pytest.mark.parametrize("late_ms", [UNPOLLED_MS, STREAM_MS + 1])
async def test_a_stream_that_wecom_never_asked_for_or_gave_up_is_not_used(
    wecom: WecomStandin, streaming: Driver, late_ms: int
) -> None:
    message = await _ask(wecom, streaming)
    if late_ms > STREAM_MS:
        await _poll(wecom, streaming, message)
    streaming.host.clock_ms += late_ms

    await streaming.send(reply(message, "late"))

    assert wecom.platform.texts() == ["late"]


async def test_what_a_stream_has_no_room_for_follows_it(
    wecom: WecomStandin, streaming: Driver
) -> None:
    message = await _ask(wecom, streaming)
    text = "\n".join(f"第{number}行企业微信" for number in range(1400))

    results = await streaming.send_all(reply(message, text))

    shown = (await _poll(wecom, streaming, message))[0]
    assert [one.raw_result for one in results] == [{"way": "stream"}, {"way": "response"}]
    assert len(shown.encode()) <= STREAM_BYTES
    assert "\n".join([shown, *wecom.platform.texts()]) == text


async def test_an_edit_that_outgrows_its_stream_sends_the_rest_at_the_end(
    wecom: WecomStandin, streaming: Driver
) -> None:
    message = await _ask(wecom, streaming)
    sent = await streaming.send(reply(message, "begin"))
    text = "begin\n" + "企" * 7500

    await streaming.edit(reply(message, text), sent)
    assert wecom.platform.sent == []
    await streaming.edit(reply(message, text), sent, final=True)

    shown = (await _poll(wecom, streaming, message))[0]
    assert "".join([shown, *wecom.platform.texts()]).replace("\n", "") == text.replace("\n", "")


async def test_only_what_went_into_a_stream_can_be_edited(
    wecom: WecomStandin, bot: Driver, app: Driver
) -> None:
    message = await _ask(wecom, bot)
    sent = await bot.send(reply(message, "one"))

    with pytest.raises(UnsupportedFeature):
        await bot.edit(reply(message, "two"), sent)
    with pytest.raises(UnsupportedFeature):
        await app.edit(to_user("two"), sent)


async def test_streams_are_forgotten_when_their_time_is_over(
    wecom: WecomStandin, streaming: Driver
) -> None:
    for number in range(200):
        message = await _ask(wecom, streaming, message_id=f"M{number}")
        await streaming.send(reply(message, "x"))
        streaming.host.clock_ms += 60_000

    kept = [key for _, key in streaming.host.stored if key.startswith("stream:")]
    assert len(kept) < 60


async def test_a_full_memory_sends_the_answer_the_other_way(
    wecom: WecomStandin, streaming: Driver
) -> None:
    message = await _ask(wecom, streaming)
    for number in range(1000):
        await streaming.host.state_put(f"full:{number}", 1, "test", None)

    assert await _poll(wecom, streaming, message) == ("…", False, 0)
    await streaming.send(reply(message, "hi"))

    assert wecom.platform.texts() == ["hi"]


async def test_many_changes_at_once_lose_no_text(wecom: WecomStandin, streaming: Driver) -> None:
    message = await _ask(wecom, streaming)

    await asyncio.gather(
        *(
            streaming.send(reply(message, f"t{number}"), delivery=f"d{number}")
            for number in range(5)
        ),
        *(_poll(wecom, streaming, message) for _ in range(5)),
    )

    shown = (await _poll(wecom, streaming, message))[0]
    assert sorted(shown.split("\n\n")) == [f"t{number}" for number in range(5)]
