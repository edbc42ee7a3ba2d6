"""An answer that grows in a private chat, buttons under one, and "typing"."""

from dataclasses import replace

import pytest

from tests.standins.qq.server import QqStandin
from wunder_channels.qqbot.keyboard import keyboard
from wunder_channels.qqbot.tests.driver import Driver, reply
from wunder_channels.qqbot.tests.people import People
from wunder_sdk import ChannelMessage, OutboundMessage, ProviderRejected, UnsupportedFeature
from wunder_sdk.choices import Choice

QUESTION = 'Shall I?\n\n- [好的](reply:yes)\n- [不要](reply:no "never")'


def growing(to: ChannelMessage, text: str) -> OutboundMessage:
    """A frame as the gateway sends it."""
    message = reply(to, text, format="markdown")
    return replace(message, meta={**message.meta, "streaming": True})


# --- frames -------------------------------------------------------------------------------------------------


async def test_an_answer_grows_in_one_message(people: People, qq: QqStandin, bot: Driver) -> None:
    question = await people.write("c2c")
    begun = await bot.send(growing(question, "Once"))
    shown_as = begun.provider_message_id or ""

    await bot.edit(shown_as, growing(question, "Once upon"), seq=70)
    await bot.edit(shown_as, reply(question, "Once upon a time.", format="markdown"), seq=140,
                   final=True)  # fmt: skip

    (sent,) = qq.platform.sent
    (stream,) = qq.platform.streams.values()
    assert (sent.text, stream.is_ended, stream.seq) == ("Once upon a time.", True, 100)


async def test_another_process_may_end_it(people: People, qq: QqStandin, bot: Driver) -> None:
    question = await people.write("c2c")
    begun = await bot.send(growing(question, "Once"))
    other = Driver(api_base=qq.url)
    try:
        await other.edit(begun.provider_message_id or "", reply(question, "Once more", format="markdown"),
                         seq=700, final=True)  # fmt: skip
    finally:
        await other.close()

    assert [one.text for one in qq.platform.sent] == ["Once more"]


async def test_an_end_that_contradicts_what_was_shown_becomes_a_message_of_its_own(
    people: People, qq: QqStandin, bot: Driver
) -> None:
    question = await people.write("c2c")
    begun = await bot.send(growing(question, "I think that"))

    with pytest.raises(ProviderRejected):
        await bot.edit(begun.provider_message_id or "", reply(question, "No."), final=True)
    await bot.send(reply(question, "No."))

    (stream,) = qq.platform.streams.values()
    assert stream.is_ended and [one.text for one in qq.platform.sent] == ["I think that", "No."]


async def test_what_a_stream_cannot_hold_follows_it_once(
    people: People, qq: QqStandin, bot: Driver
) -> None:
    question, text = await people.write("c2c"), "字" * 9000
    begun = await bot.send(growing(question, text[:50]))

    for seq in (50, 90):  # the same end again: its answer was lost on the way to the gateway
        await bot.edit(begun.provider_message_id or "", reply(question, text), seq=seq, final=True)

    assert "".join(one.text for one in qq.platform.sent) == text
    assert [one.body.get("msg_seq") for one in qq.platform.sent[1:]] == [2]


@pytest.mark.parametrize("kind", ["group_at", "guild_at"])
async def test_elsewhere_the_answer_comes_as_a_whole(
    people: People, bot: Driver, kind: str
) -> None:
    question = await people.write(kind)

    assert question.meta["streams"] is False
    with pytest.raises(UnsupportedFeature):
        await bot.send(growing(question, "x"))


async def test_a_choice_that_is_still_being_written_is_not_shown(
    people: People, qq: QqStandin, bot: Driver
) -> None:
    question = await people.write("c2c")
    begun = await bot.send(growing(question, "Shall I?\n\n- [好"))
    assert qq.platform.sent[0].text == "Shall I?"

    await bot.edit(begun.provider_message_id or "", reply(question, QUESTION, format="markdown"),
                   final=True)  # fmt: skip

    assert qq.platform.sent[0].text == "Shall I?\n\n1. 好的\n2. 不要 - never"


async def test_any_other_message_cannot_be_changed(people: People, bot: Driver) -> None:
    question = await people.write("c2c")
    sent = await bot.send(reply(question, "x"))

    with pytest.raises(UnsupportedFeature):
        await bot.edit(sent.provider_message_id or "", reply(question, "y"))


# --- buttons ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scope", ["c2c", "group"])
async def test_a_choice_is_a_button_and_its_press_is_said(
    people: People, qq: QqStandin, bot: Driver, scope: str
) -> None:
    question = await people.write("c2c" if scope == "c2c" else "group_at")
    await bot.send(reply(question, QUESTION, format="markdown"))
    (sent,) = qq.platform.sent
    first = sent.body["keyboard"]["content"]["rows"][0]["buttons"][0]

    said = await people.write("button", scope=scope, data=first["action"]["data"])

    assert sent.text == "Shall I?"
    assert (said.type, said.text, said.meta["payload_id"]) == ("text", "好的", "yes")
    assert said.mentions_bot and said.peer.id == question.peer.id
    assert qq.platform.acknowledged
    await bot.send(reply(said, "done"))
    assert qq.platform.sent[-1].body["event_id"]


async def test_a_button_of_somebody_elses_is_an_event(people: People) -> None:
    assert (await people.write("button", data="ok:42")).type == "event"


async def test_without_markdown_choices_are_lines(
    people: People, qq: QqStandin, bot: Driver
) -> None:
    qq.platform.rules.markdown = False

    await bot.send(reply(await people.write("c2c"), QUESTION, format="markdown"))

    assert qq.platform.sent[0].text == "Shall I?\n\n1. 好的\n2. 不要 - never"


def test_a_keyboard_has_five_rows_of_five_at_most() -> None:
    def buttons(count: int, title: str = "b") -> tuple[Choice, ...]:
        return tuple(Choice(f"{one}", f"{title}{one}") for one in range(count))

    def rows(count: int) -> list[int]:
        found = keyboard(buttons(count))
        assert found is not None
        return [len(row["buttons"]) for row in found["content"]["rows"]]  # type: ignore[index,call-overload]  # JSON

    assert (rows(3), rows(11), rows(25)) == ([2, 1], [3, 3, 3, 2], [5] * 5)
    assert keyboard(buttons(26)) is None and keyboard(buttons(1, "long" * 3)) is None
    assert keyboard(()) is None and keyboard(buttons(1) * 2) is None


# --- typing -------------------------------------------------------------------------------------------------


async def test_typing_costs_one_reply_and_is_off_unless_wanted(
    people: People, qq: QqStandin, bot: Driver
) -> None:
    question = await people.write("c2c")
    await bot.type(question)
    assert not qq.platform.typing
    bot.configure(typing=True)

    await bot.type(question)
    await bot.type(question)
    await bot.send_all(reply(question, "字" * 30_000))

    assert qq.platform.typing == [question.peer.id]
    assert len(qq.platform.sent) == 3
