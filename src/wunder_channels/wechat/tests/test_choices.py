"""Answers to tap: a card of an app, lines everywhere else; a tap is said."""

from typing import Any

import pytest

from tests.standins.wecom.server import WecomStandin
from wunder_channels.wechat.tests.driver import Driver
from wunder_sdk import OutboundMessage, Peer

QUESTION = "Shall I?\n\n- [好的](reply:yes)\n- [不要](reply:no)"
LINES = "Shall I?\n\n1. 好的\n2. 不要"


def question(peer: Peer | None = None, **more: Any) -> OutboundMessage:
    """A text with two answers to tap."""
    to = peer or Peer("user", "zhangsan")
    return OutboundMessage("wechat", "main", to, text=QUESTION, format="markdown", **more)


async def test_choices_are_a_card_below_the_text_and_a_tap_is_said(
    wecom: WecomStandin, app: Driver
) -> None:
    await app.send_all(question())
    text, card = wecom.platform.sent
    first, _ = card.body["template_card"]["button_list"]

    fields = {"EventKey": first["key"], "TaskId": "t1", "CardType": "button_interaction"}
    said = await app.read(
        wecom.callbacks.write({"kind": "event", "event": "template_card_event", "fields": fields})
    )

    assert (text.text, first["text"]) == ("Shall I?", "好的")
    assert (said.type, said.text, said.meta["payload_id"]) == ("text", "好的", "yes")


async def test_a_card_repeated_after_a_lost_answer_is_shown_once(
    wecom: WecomStandin, app: Driver
) -> None:
    for attempt in (1, 2):
        await app.send_all(question(), attempt=attempt)

    assert [one.kind for one in wecom.platform.sent] == ["markdown", "template_card"]


async def test_a_card_that_wecom_refuses_becomes_lines(wecom: WecomStandin, app: Driver) -> None:
    first = await app.send(question())
    assert first.next is not None
    wecom.platform.answer_with(40058)

    await app.send(question(), part=1, state=first.next.state)

    assert [one.text for one in wecom.platform.sent] == ["Shall I?", "1. 好的\n2. 不要"]


@pytest.mark.parametrize("case", ["no markdown", "group", "too many"])
async def test_elsewhere_choices_are_lines(wecom: WecomStandin, app: Driver, case: str) -> None:
    message = question()
    if case == "no markdown":
        app.configure(markdown="off")
    elif case == "group":
        wecom.platform.rules.groups.add("g1")
        message = question(Peer("group", "g1"))
    else:
        many = "\n".join(f"- [b{number}](reply:{number})" for number in range(7))
        message = OutboundMessage("wechat", "main", message.peer, text=many, format="markdown")

    await app.send_all(message)

    (sent,) = wecom.platform.sent
    assert sent.text.startswith("1. b0" if case == "too many" else LINES)
