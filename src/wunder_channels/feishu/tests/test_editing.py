"""An answer that is still being written appears bit by bit, within the platform's limits."""

import json
from typing import Any

import pytest

from tests.standins.feishu.server import FeishuStandin
from wunder_channels.feishu.tests.driver import Driver, reply
from wunder_channels.feishu.tests.people import People
from wunder_sdk import ChannelMessage
from wunder_sdk.errors import ProviderRejected, ProviderUnavailable, RateLimited

LONG = "\n\n".join(f"第 {number} 段：" + "内容" * 60 for number in range(200))


async def _begin(people: People, bot: Driver, text: str, **more: Any) -> tuple[str, ChannelMessage]:
    message = await people.write("group")
    result = await bot.send(reply(message, text, **more))
    assert result.provider_message_id is not None
    return result.provider_message_id, message


def _pass(feishu: FeishuStandin, bot: Driver, seconds: float) -> None:
    bot.host.clock_ms += int(seconds * 1000)
    feishu.platform.advance(seconds)


async def test_a_card_grows_with_the_answer_and_ends_right(
    people: People, feishu: FeishuStandin, bot: Driver
) -> None:
    text = "**今天**的天气是：晴，二十度，微风。"
    message_id, message = await _begin(people, bot, text[:8], format="markdown")
    for seq, end in enumerate(range(10, len(text), 3), 1):
        _pass(feishu, bot, 0.3)
        await bot.edit(message_id, reply(message, text[:end], format="markdown"), seq=seq)
    await bot.edit(message_id, reply(message, text, format="markdown"), seq=99, final=True)

    (sent,) = feishu.platform.sent
    assert sent.text == text
    assert len(sent.edits) == len(range(10, len(text), 3)) + 1
    assert not feishu.platform.refused


async def test_edits_that_come_too_fast_are_left_out_but_never_the_last(
    people: People, feishu: FeishuStandin, bot: Driver
) -> None:
    message_id, message = await _begin(people, bot, "# one", format="markdown")
    for seq in range(1, 40):
        _pass(feishu, bot, 0.05)
        await bot.edit(message_id, reply(message, f"# one {seq}", format="markdown"), seq=seq)
    await bot.edit(message_id, reply(message, "# the end", format="markdown"), seq=40, final=True)

    (sent,) = feishu.platform.sent
    assert sent.text == "# the end"
    assert 5 <= len(sent.edits) <= 12 and not feishu.platform.refused


async def test_a_text_is_edited_fewer_than_twenty_times_over_any_answer(
    people: People, feishu: FeishuStandin, bot: Driver
) -> None:
    message_id, message = await _begin(people, bot, "w0")
    for seq in range(1, 400):
        _pass(feishu, bot, 0.5)
        await bot.edit(message_id, reply(message, f"w{seq}"), seq=seq)
    await bot.edit(message_id, reply(message, "done"), seq=400, final=True)

    (sent,) = feishu.platform.sent
    assert (sent.msg_type, sent.text) == ("text", "done")
    assert 10 <= len(sent.edits) <= 20 and not feishu.platform.refused


async def test_the_rest_of_a_final_text_follows_in_messages_of_its_own_once(
    people: People, feishu: FeishuStandin, bot: Driver
) -> None:
    message_id, message = await _begin(people, bot, "# begin", format="markdown")
    final = reply(message, LONG, format="markdown")
    await bot.edit(message_id, final, seq=1, final=True)
    _pass(feishu, bot, 1)
    await bot.edit(message_id, final, seq=1, final=True)

    texts = [one.text for one in feishu.platform.sent]
    assert len(texts) > 2
    assert "".join("".join(one.split()) for one in texts) == "".join(LONG.split())


async def test_a_long_text_that_is_still_being_written_shows_what_fits(
    people: People, feishu: FeishuStandin, bot: Driver
) -> None:
    message_id, message = await _begin(people, bot, "# begin", format="markdown")
    await bot.edit(message_id, reply(message, LONG, format="markdown"), seq=1)

    (sent,) = feishu.platform.sent
    assert LONG.startswith(sent.text.rstrip()) and len(sent.text) > 5000


async def test_after_a_restart_feishu_says_what_kind_of_message_it_was(
    people: People, feishu: FeishuStandin, bot: Driver
) -> None:
    message_id, message = await _begin(people, bot, "plain")
    await bot.restart()

    await bot.edit(message_id, reply(message, "plain and done"), seq=7, final=True)

    assert feishu.platform.sent[0].text == "plain and done"


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [(99991400, 400, RateLimited), (230020, 400, RateLimited), (0, 500, ProviderUnavailable),
     (230075, 400, ProviderRejected), (230022, 400, ProviderRejected)],
)  # fmt: skip
async def test_a_refused_edit_says_whether_to_try_again(
    people: People,
    feishu: FeishuStandin,
    bot: Driver,
    code: int,
    status: int,
    kind: type[Exception],
) -> None:
    message_id, message = await _begin(people, bot, "# one", format="markdown")
    feishu.platform.answer_with(code, status=status)
    final = reply(message, "# two", format="markdown")

    with pytest.raises(kind):
        await bot.edit(message_id, final, seq=1, final=True)
    await bot.edit(message_id, final, seq=1, final=True)

    assert feishu.platform.sent[0].text == "# two"


async def test_an_edited_card_is_still_a_card_for_everybody(
    people: People, feishu: FeishuStandin, bot: Driver
) -> None:
    message_id, message = await _begin(people, bot, "# one", format="markdown")

    await bot.edit(message_id, reply(message, "# two", format="markdown"), seq=1, final=True)

    card = json.loads(feishu.platform.sent[0].edits[0])
    assert card["config"] == {"update_multi": True}
    assert card["body"]["elements"][0]["element_id"] == "md1"
