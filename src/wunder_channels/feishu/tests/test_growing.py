"""Cards that grow as if typed, and answers to tap."""

import json
from dataclasses import replace

import pytest

from tests.standins.feishu.platform import GROW_S
from tests.standins.feishu.server import FeishuStandin
from wunder_channels.feishu.tests.driver import Driver, reply
from wunder_channels.feishu.tests.people import People
from wunder_sdk import ChannelMessage, OutboundMessage

QUESTION = "Shall I?\n\n- [好的](reply:yes)\n- [不要](reply:no)"


def growing(to: ChannelMessage, text: str) -> OutboundMessage:
    """A frame as the gateway sends it."""
    message = reply(to, text, format="markdown")
    return replace(message, meta={**message.meta, "streaming": True})


async def _begun(people: People, bot: Driver, text: str = "Once") -> tuple[str, ChannelMessage]:
    question = await people.write("p2p")
    result = await bot.send(growing(question, text), idempotency_key=question.message_id)
    assert result.provider_message_id
    bot.host.clock_ms += 1_000
    return result.provider_message_id, question


async def _end(bot: Driver, message_id: str, to: ChannelMessage, text: str, seq: int = 900) -> None:
    await bot.edit(message_id, reply(to, text, format="markdown"), seq=seq, final=True)


async def test_an_answer_grows_in_one_card_and_ends(
    people: People, feishu: FeishuStandin, bot: Driver
) -> None:
    message_id, question = await _begun(people, bot)

    await bot.edit(message_id, growing(question, "Once upon"), seq=100)
    await _end(bot, message_id, question, "Once upon a time.")

    (sent,) = feishu.platform.sent
    (card,) = feishu.platform.cards.values()
    assert (sent.id, sent.text, card.grows_until) == (message_id, "Once upon a time.", 0.0)
    assert not feishu.platform.refused and "PATCH /messages" not in feishu.platform.requests


async def test_another_process_finds_the_card_and_ends_it(
    people: People, feishu: FeishuStandin, bot: Driver
) -> None:
    message_id, question = await _begun(people, bot)
    await bot.restart()

    await _end(bot, message_id, question, "Once more.")

    (card,) = feishu.platform.cards.values()
    assert feishu.platform.sent[0].text == "Once more." and card.grows_until == 0.0


async def test_after_ten_minutes_nothing_is_tried_in_vain_and_the_end_is_shown(
    people: People, feishu: FeishuStandin, bot: Driver
) -> None:
    message_id, question = await _begun(people, bot)
    feishu.platform.advance(GROW_S)
    for seq in range(100, 110):
        bot.host.clock_ms += 1_000
        await bot.edit(message_id, growing(question, f"Once {seq}"), seq=seq)

    await _end(bot, message_id, question, "The end.")

    assert [one["code"] for one in feishu.platform.refused] == [300309, 300309]
    assert feishu.platform.sent[0].text == "The end."


async def test_a_number_that_feishu_has_passed_is_leapt_over(
    people: People, feishu: FeishuStandin, bot: Driver
) -> None:
    message_id, question = await _begun(people, bot)
    (card,) = feishu.platform.cards.values()
    card.sequence = 5_000

    await bot.edit(message_id, growing(question, "Once upon"), seq=100)

    assert feishu.platform.sent[0].text == "Once upon"


async def test_without_the_permission_cards_are_replaced_and_it_is_not_asked_again(
    people: People, feishu: FeishuStandin, bot: Driver
) -> None:
    feishu.platform.rules.scopes.remove("cardkit:card:write")
    for _ in range(2):
        message_id, question = await _begun(people, bot)
        await _end(bot, message_id, question, "Once upon a time.")

    assert [one.text for one in feishu.platform.sent] == ["Once upon a time."] * 2
    made = [one for one in feishu.platform.refused if one["path"].endswith("/cards")]
    assert len(made) == 1


async def test_a_final_text_too_large_for_the_card_goes_on_below_it(
    people: People, feishu: FeishuStandin, bot: Driver
) -> None:
    message_id, question = await _begun(people, bot, "字")

    await _end(bot, message_id, question, "字" * 20_000)

    assert "".join(one.text for one in feishu.platform.sent) == "字" * 20_000


@pytest.mark.parametrize("is_growing", [True, False])
async def test_choices_are_buttons_under_the_answer_and_a_press_is_said(
    people: People, feishu: FeishuStandin, bot: Driver, is_growing: bool
) -> None:
    if is_growing:
        message_id, question = await _begun(people, bot, "Shall I?\n\n- [好")
        await _end(bot, message_id, question, QUESTION)
    else:
        question = await people.write("p2p")
        await bot.send(reply(question, QUESTION, format="markdown"))
    (sent,) = feishu.platform.sent
    shown = json.loads(sent.edits[-1] if sent.edits else sent.content)
    _, first, _ = shown["body"]["elements"]

    said = await people.write("button", value=first["behaviors"][0]["value"])

    assert sent.text == "Shall I?" and first["text"]["content"] == "好的"
    assert (said.type, said.text, said.meta["payload_id"]) == ("text", "好的", "yes")
    assert said.mentions_bot and said.peer == question.peer


@pytest.mark.parametrize("style", ["text", "post"])
async def test_where_there_is_no_card_choices_are_lines(
    people: People, feishu: FeishuStandin, bot: Driver, style: str
) -> None:
    bot.configure(reply_style=style)

    await bot.send(reply(await people.write("p2p"), QUESTION, format="markdown"))

    assert feishu.platform.sent[0].text == "Shall I?\n\n1. 好的\n2. 不要"
