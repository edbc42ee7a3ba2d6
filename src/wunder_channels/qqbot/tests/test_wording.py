"""How a message is worded: markdown, attachments, long texts in parts."""

from typing import Any

import pytest

from tests.standins.qq.server import QqStandin
from wunder_channels.qqbot.length import TRUNCATED
from wunder_channels.qqbot.tests.driver import Driver, reply
from wunder_channels.qqbot.tests.people import People
from wunder_sdk import Attachment, ChannelError, OutboundMessage
from wunder_sdk.errors import Duplicate, OutcomeUnknown, TooLarge, UnsupportedFeature


async def _fails(bot: Driver, message: OutboundMessage, **how: Any) -> ChannelError:
    with pytest.raises(ChannelError) as failed:
        await bot.send(message, **how)
    return failed.value


# --- markdown ----------------------------------------------------------------------------------------------


async def test_markdown_is_sent_as_markdown(people: People, qq: QqStandin, bot: Driver) -> None:
    await bot.send(reply(await people.write("c2c"), "# title", format="markdown"))

    body = qq.platform.sent[0].body
    assert (body["msg_type"], body["markdown"]) == (2, {"content": "# title"})
    assert "content" not in body


async def test_refused_markdown_becomes_text_and_is_not_tried_again_that_day(
    people: People, qq: QqStandin, bot: Driver
) -> None:
    qq.platform.rules.markdown = False
    message = await people.write("c2c")

    await bot.send(reply(message, "# one", format="markdown"))
    await bot.send(reply(message, "# two", format="markdown"), reply_ordinal=2)
    bot.host.clock_ms += 24 * 3_600_000
    qq.platform.rules.markdown = True
    await bot.send(reply(message, "# three", format="markdown"), reply_ordinal=3)

    assert [one.body["msg_type"] for one in qq.platform.sent] == [0, 0, 2]
    assert [one["code"] for one in qq.platform.refused] == [50056]


@pytest.mark.parametrize(
    ("setting", "kind", "said_in", "msg_type"),
    [("off", "c2c", "markdown", 0), ("on", "c2c", "plain", 2), ("auto", "c2c", "plain", 0)],
)
async def test_markdown_follows_the_setting(
    people: People, qq: QqStandin, bot: Driver, setting: str, kind: str, said_in: str, msg_type: int
) -> None:
    bot.configure(markdown=setting)

    await bot.send(reply(await people.write(kind), "x", format=said_in))

    assert qq.platform.sent[0].body["msg_type"] == msg_type


# --- attachments ---------------------------------------------------------------------------------------------


async def test_text_and_image_are_two_messages(people: People, qq: QqStandin, bot: Driver) -> None:
    image = Attachment("image", url="https://example.com/a.png")

    results = await bot.send_all(reply(await people.write("c2c"), "look", attachments=(image,)))

    text, picture = qq.platform.sent
    # The upload between them is no message, and has no number.
    assert len(results) == 3 and text.body["msg_seq"] == 1
    assert (picture.body["msg_type"], picture.body["msg_seq"]) == (7, 2)


async def test_a_guild_takes_the_address_of_an_image(
    people: People, qq: QqStandin, bot: Driver
) -> None:
    message = await people.write("guild_at")
    image = Attachment("image", url="https://example.com/a.png")
    video = Attachment("video", url="https://example.com/a.mp4")

    await bot.send(reply(message, None, attachments=(image,)))

    assert qq.platform.sent[0].body["image"] == "https://example.com/a.png"
    error = await _fails(bot, reply(message, None, attachments=(video,)))
    assert isinstance(error, UnsupportedFeature)


# --- long texts ------------------------------------------------------------------------------------------------


async def test_a_long_text_is_sent_in_parts(people: People, qq: QqStandin, bot: Driver) -> None:
    text = "\n\n".join(f"{n}: " + "字" * 990 for n in range(6))

    await bot.send_all(reply(await people.write("c2c"), text))

    assert [one.body["msg_seq"] for one in qq.platform.sent] == [1, 2, 3]
    assert "".join("".join(one.text for one in qq.platform.sent).split()) == "".join(text.split())


async def test_a_text_beyond_all_replies_says_that_it_is_cut(
    people: People, qq: QqStandin, bot: Driver
) -> None:
    message = await people.write("group_at")

    await bot.send_all(reply(message, "字" * 30_000), reply_ordinal=3)

    assert len(qq.platform.sent) == 2
    assert qq.platform.sent[-1].text.endswith(TRUNCATED)


async def test_a_guild_takes_any_number_of_parts(
    people: People, qq: QqStandin, bot: Driver
) -> None:
    await bot.send_all(reply(await people.write("guild_at"), "字" * 12_000))

    assert [len(one.text) for one in qq.platform.sent] == [2000] * 6


async def test_a_part_repeated_after_a_lost_answer_is_the_same_part(
    people: People, qq: QqStandin, bot: Driver
) -> None:
    outgoing = reply(await people.write("c2c"), "字" * 5000)
    first = await bot.send(outgoing)
    assert first.next is not None
    qq.platform.lose_next_answer()

    again = {"part": 1, "state": first.next.state}
    assert isinstance(await _fails(bot, outgoing, **again), OutcomeUnknown)
    assert isinstance(await _fails(bot, outgoing, **again, attempt=2), Duplicate)

    assert [one.body["msg_seq"] for one in qq.platform.sent] == [1, 2]


async def test_a_text_that_qq_finds_too_long_is_halved(
    people: People, qq: QqStandin, bot: Driver
) -> None:
    qq.platform.rules.text_max = 1200
    text = "字" * 3000

    await bot.send_all(reply(await people.write("c2c"), text))

    assert [len(one.text) for one in qq.platform.sent] == [1000, 1000, 1000]
    assert [one.body["msg_seq"] for one in qq.platform.sent] == [26, 2, 3]


async def test_a_text_too_long_at_any_length_is_given_up(
    people: People, qq: QqStandin, bot: Driver
) -> None:
    qq.platform.rules.text_max = 3

    assert isinstance(await _fails(bot, reply(await people.write("c2c"), "字" * 3000)), TooLarge)
