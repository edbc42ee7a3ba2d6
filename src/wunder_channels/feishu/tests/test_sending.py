"""Journeys: somebody writes on the platform, the account answers under the platform's rules."""

import json
from typing import Any

import pytest

from tests.standins.feishu.callbacks import CHATS
from tests.standins.feishu.server import FeishuStandin
from wunder_channels.feishu.tests.driver import Driver, reply
from wunder_channels.feishu.tests.people import People
from wunder_sdk import OutboundMessage, Peer

LONG = "\n\n".join(f"第 {number} 段：" + "内容" * 60 for number in range(40))


def _to(peer_id: str, text: str = "hi", **more: Any) -> OutboundMessage:
    return OutboundMessage("feishu", "main", Peer("user", peer_id), text=text, **more)


# --- where a message goes -----------------------------------------------------------------------------


async def test_a_private_answer_goes_to_the_chat_and_quotes_nothing(
    people: People, feishu: FeishuStandin, bot: Driver
) -> None:
    message = await people.write("p2p")

    result = await bot.send(reply(message, "hi"))

    (sent,) = feishu.platform.sent
    assert (sent.chat_id, sent.msg_type, sent.text, sent.reply_to) == (
        CHATS["p2p"],
        "text",
        "hi",
        "",
    )
    assert result.provider_message_id == sent.id
    assert result.raw_result == {
        "message_id": sent.id, "chat_id": CHATS["p2p"], "log_id": "standin-log",
    }  # fmt: skip


async def test_an_answer_in_a_group_quotes_the_question(
    people: People, feishu: FeishuStandin, bot: Driver
) -> None:
    message = await people.write("group", at_bot=True)

    await bot.send(reply(message, "hi"))

    (sent,) = feishu.platform.sent
    assert (sent.chat_id, sent.reply_to, sent.in_thread) == (
        CHATS["group"], message.message_id, False,
    )  # fmt: skip


async def test_every_part_of_an_answer_stays_in_the_thread(
    people: People, feishu: FeishuStandin, bot: Driver
) -> None:
    bot.configure(reply_style="text")
    message = await people.write("group", thread_id="omt_1")

    results = await bot.send_all(reply(message, LONG))

    assert len(results) > 1
    assert {(one.reply_to, one.in_thread) for one in feishu.platform.sent} == {
        (message.message_id, True)
    }


@pytest.mark.parametrize(
    ("quote", "kind", "quotes"),
    [("never", "group", False), ("always", "p2p", True), ("groups", "p2p", False)],
)
async def test_whether_to_quote_can_be_chosen(
    people: People, feishu: FeishuStandin, bot: Driver, quote: str, kind: str, quotes: bool
) -> None:
    bot.configure(quote=quote)
    message = await people.write(kind)

    await bot.send(reply(message, "hi"))

    assert bool(feishu.platform.sent[0].reply_to) is quotes


async def test_a_pressed_button_is_answered_in_its_chat(
    people: People, feishu: FeishuStandin, bot: Driver
) -> None:
    await people.write("p2p")
    event = await people.write("button")

    await bot.send(reply(event, "thank you"))

    assert (event.peer.kind, event.type, event.text) == ("user", "event", '{"answer":"yes"}')
    assert feishu.platform.sent[0].chat_id == CHATS["p2p"]


@pytest.mark.parametrize(
    ("peer_id", "setting"),
    [("oc_1", "open_id"), ("ou_1", "chat_id"), ("on_1", "chat_id"), ("a@b.cn", "chat_id"),
     ("e33ggbyz", "user_id")],
)  # fmt: skip
async def test_an_id_says_itself_what_it_is_where_it_can(
    feishu: FeishuStandin, bot: Driver, peer_id: str, setting: str
) -> None:
    bot.configure(receive_id_type=setting)

    await bot.send(_to(peer_id))

    assert feishu.platform.sent[0].chat_id == peer_id


# --- in which form ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "format", "style", "msg_type"),
    [("hi", "plain", "auto", "text"), ("**hi**", "plain", "auto", "text"),
     ("hi", "markdown", "auto", "interactive"), ("**hi**", "markdown", "auto", "interactive"),
     ("| a | b |\n|---|---|", "markdown", "auto", "interactive"),
     ("hi", "plain", "card", "interactive"), ("**hi**", "markdown", "post", "post"),
     ("hi", "plain", "post", "post"), ("**hi**", "markdown", "text", "text")],
)  # fmt: skip
async def test_a_text_takes_the_form_it_needs(
    people: People, feishu: FeishuStandin, bot: Driver, text: str, format: Any, style: str,
    msg_type: str,
) -> None:  # fmt: skip
    bot.configure(reply_style=style)
    message = await people.write("p2p")

    await bot.send(reply(message, text, format=format))

    (sent,) = feishu.platform.sent
    assert (sent.msg_type, sent.text) == (msg_type, text)


@pytest.mark.parametrize("format", ["plain", "markdown"])
async def test_a_long_answer_becomes_one_card(
    people: People, feishu: FeishuStandin, bot: Driver, format: Any
) -> None:
    message = await people.write("group")

    results = await bot.send_all(reply(message, LONG, format=format))

    (sent,) = feishu.platform.sent
    assert (len(results), sent.msg_type, sent.text) == (1, "interactive", LONG)
    assert json.loads(sent.content)["config"] == {"update_multi": True}


async def test_an_answer_too_long_for_one_card_goes_on_in_the_next(
    people: People, feishu: FeishuStandin, bot: Driver
) -> None:
    message = await people.write("group")

    await bot.send_all(reply(message, LONG * 6, format="markdown"))

    sent = feishu.platform.sent
    assert len(sent) > 2 and len({one.uuid for one in sent}) == len(sent)
    assert "".join("".join(one.text.split()) for one in sent) == "".join((LONG * 6).split())
    assert [bool(one.reply_to) for one in sent] == [True, *([False] * (len(sent) - 1))]


async def test_a_card_that_feishu_refuses_is_said_as_text(
    people: People, feishu: FeishuStandin, bot: Driver
) -> None:
    feishu.platform.rules.cards = False
    message = await people.write("group")

    await bot.send_all(reply(message, "**hi**", format="markdown"))
    again = await bot.send(reply(message, "**hi**", format="markdown"), attempt=2)

    (sent,) = feishu.platform.sent
    assert (sent.msg_type, sent.text, sent.reply_to) == ("text", "**hi**", message.message_id)
    assert again.provider_message_id == sent.id


async def test_a_mention_reaches_its_person_and_never_everybody(
    people: People, feishu: FeishuStandin, bot: Driver
) -> None:
    text = '<at user_id="ou_1">李四</at> <at user_id="all">所有人</at> <AT user_id=x <at>'
    message = await people.write("p2p")

    await bot.send(reply(message, text))
    await bot.send(reply(message, text + " **b**", format="markdown"), reply_ordinal=2)
    bot.configure(allow_at_all=True)
    await bot.send(reply(message, text), reply_ordinal=3)

    plain, card, loud = (one.text for one in feishu.platform.sent)
    assert plain == '<at user_id="ou_1">李四</at> @所有人 <\u200bAT user_id=x <\u200bat>'
    assert card == "<at id=ou_1></at> @所有人 <\u200bAT user_id=x <\u200bat> **b**"
    assert '<at user_id="all">所有人</at>' in loud
