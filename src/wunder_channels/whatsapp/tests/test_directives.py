"""Templates and reactions: what an agent asks for besides words."""

import pytest

from tests.standins.whatsapp.server import WhatsAppStandin
from wunder_channels.whatsapp.tests.driver import Driver, reply, to_phone
from wunder_channels.whatsapp.tests.people import People
from wunder_sdk import ProviderRejected, RecipientUnreachable
from wunder_sdk.directives import Template, take_reaction, take_template

PHONE = "16505551234"
READY = '[Order ready](template:order_ready/zh_CN "Ming | 42")'


async def test_a_template_is_filled_and_taken_outside_the_window(
    meta: WhatsAppStandin, bot: Driver
) -> None:
    await bot.send_all(to_phone(PHONE, READY, format="markdown"))

    template = meta.platform.sent[0].body["template"]
    assert (template["name"], template["language"]) == ("order_ready", {"code": "zh_CN"})
    (body,) = template["components"]
    assert [one["text"] for one in body["parameters"]] == ["Ming", "42"]


async def test_a_template_filled_wrongly_is_refused_with_metas_words(bot: Driver) -> None:
    with pytest.raises(ProviderRejected) as failed:
        await bot.send(to_phone(PHONE, "[x](template:order_ready)", format="markdown"))

    assert failed.value.provider_code == "132000"


async def test_a_reaction_goes_under_the_message_that_is_answered(
    people: People, meta: WhatsAppStandin, bot: Driver
) -> None:
    message = await people.write(text="done!")

    await bot.send_all(reply(message, "[👍](react:)\n\nWell done", format="markdown"))

    reaction, text = meta.platform.sent
    assert reaction.body["reaction"] == {"message_id": message.message_id, "emoji": "👍"}
    assert "context" not in reaction.body and text.text == "Well done"


async def test_a_reaction_to_nothing_is_left_out(meta: WhatsAppStandin, bot: Driver) -> None:
    meta.platform.heard(PHONE, "wamid.x")

    await bot.send_all(to_phone(PHONE, "[👍](react:)\nhello", format="markdown"))

    assert [one.text for one in meta.platform.sent] == ["hello"]


async def test_the_invitation_outside_the_window_is_filled_too(
    people: People, meta: WhatsAppStandin, bot: Driver
) -> None:
    bot.configure(fallback_template="order_ready", fallback_parameters="{name}|soon")
    message = await people.write(text="x")
    meta.platform.advance(25 * 3600)

    with pytest.raises(RecipientUnreachable) as failed:
        await bot.send(reply(message, "too late"))
    assert "the template order_ready was sent" in failed.value.message

    (body,) = meta.platform.sent[0].body["template"]["components"]
    assert [one["text"] for one in body["parameters"]] == [message.sender.name, "soon"]


@pytest.mark.parametrize(
    ("markdown", "text", "template"),
    [("a\n[x](template:t)\nb", "a\n\nb", Template("t")), ("[x](template:t) y", "[x](template:t) y", None),
     ('[x](template:t/en_US "")', "", Template("t", "en_US")), ("plain", "plain", None)],
)  # fmt: skip
def test_a_template_stands_alone_on_its_line(
    markdown: str, text: str, template: Template | None
) -> None:
    assert take_template(markdown) == (text, template)


def test_a_reaction_stands_alone_on_its_line() -> None:
    assert take_reaction("[👍](react:)") == ("", "👍")
    assert take_reaction("see [👍](react:)") == ("see [👍](react:)", "")
