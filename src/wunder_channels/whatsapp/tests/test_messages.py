"""What people send is read by its type; groups, batches, other accounts, people without a phone."""

from typing import Any

import pytest

from tests.standins.whatsapp.server import WhatsAppStandin
from tests.standins.whatsapp.webhooks import GROUP, NAME, PHONE, USER_ID
from wunder_channels.whatsapp.channel import WhatsAppChannel
from wunder_channels.whatsapp.tests.driver import NOW_MS, NUMBER_ID, Driver
from wunder_channels.whatsapp.tests.people import People
from wunder_sdk import AccountLookup, ChannelError, Location, Request
from wunder_sdk.testing import FakeHost, http_request

NEW_PHONE, NEW_ID = "16505559999", "US.999"

# --- types --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "attachment_kind", "mime"),
    [("image", "image", "image/jpeg"), ("video", "video", "video/mp4"),
     ("audio", "audio", "audio/ogg; codecs=opus"), ("document", "file", "application/pdf"),
     ("sticker", "image", "image/webp")],
)  # fmt: skip
async def test_media_are_attachments_with_their_caption(
    people: People, kind: str, attachment_kind: str, mime: str
) -> None:
    message = await people.write(kind, " look ", media_id="42")

    (attachment,) = message.attachments
    assert (message.type, message.text) == (attachment_kind, "look")
    assert (attachment.kind, attachment.media_id, attachment.mime) == (attachment_kind, "42", mime)
    assert attachment.name == ("发票.pdf" if kind == "document" else None)
    assert attachment.url is None


async def test_a_medium_without_an_id_is_no_attachment(people: People) -> None:
    message = await people.write("image", content={"image": {"caption": "x"}})

    assert (message.type, message.attachments, message.text) == ("event", (), "x")


async def test_a_place_has_coordinates_and_words(people: People) -> None:
    message = await people.write("location")

    assert message.location == Location(31.23, 121.47, "中山东一路")
    assert message.text == "外滩, 中山东一路 (31.23,121.47)"


@pytest.mark.parametrize("place", [{}, {"latitude": "x", "longitude": 1}, {"latitude": 91, "longitude": 0},
                                   {"latitude": True, "longitude": 1}])  # fmt: skip
async def test_a_place_that_is_none_is_a_notice(people: People, place: dict[str, Any]) -> None:
    message = await people.write("location", content={"location": place})

    assert (message.type, message.location) == ("event", None)


async def test_contacts_are_summed_up(people: People) -> None:
    cards = [
        {"name": {"formatted_name": "Li Lei"}, "phones": [{"phone": "+86 138"}, {"wa_id": "86139"}],
         "emails": [{"email": "l@x.cn"}], "org": {"company": "Acme"}},
        {"name": {"first_name": "Han", "last_name": "Meimei"}},
    ]  # fmt: skip

    message = await people.write("contacts", content={"contacts": cards})

    assert message.type == "text"
    assert message.text == "[contact] Li Lei (Acme): +86 138, 86139, l@x.cn\n[contact] Han Meimei"


@pytest.mark.parametrize(
    ("kind", "content", "text", "payload"),
    [
        ("interactive", {"type": "button_reply", "button_reply": {"id": "b", "title": "B"}}, "B", "b"),
        ("interactive", {"type": "list_reply",
                         "list_reply": {"id": "l", "title": "L", "description": "d"}}, "L", "l"),
        ("interactive", {"type": "nfm_reply", "nfm_reply": {"name": "flow", "body": "Sent",
                         "response_json": '{"a":1}'}}, 'Sent\n{"a":1}', "flow"),
        ("interactive", {"type": "product_reply", "product_reply": {"x": 1}}, '{"x": 1}', None),
        ("interactive", {}, "[interactive]", None),
        ("button", {"text": "Yes", "payload": "p"}, "Yes", "p"),
        ("button", {"payload": "p"}, "p", "p"),
    ],
)  # fmt: skip
async def test_a_tapped_answer_is_a_text_with_its_payload(
    people: People, kind: str, content: dict[str, Any], text: str, payload: str | None
) -> None:
    message = await people.write(kind, content={kind: content})

    assert (message.type, message.text) == ("text", text)
    assert message.meta.get("payload_id") == payload


@pytest.mark.parametrize(
    ("kind", "content", "event", "text", "about"),
    [
        ("reaction", None, "reaction", "👍", "wamid.T"),
        ("reaction", {"reaction": {"message_id": "wamid.T", "emoji": ""}}, "reaction", "", "wamid.T"),
        ("order", None, "order", "[order]\n2 x sku (9.5 EUR)", None),
        ("edit", None, "edit", "better", "wamid.T"),
        ("revoke", None, "revoke", "", "wamid.T"),
        ("unsupported", None, "unsupported", "[Message type unknown]", None),
        ("system", {"system": {"type": "user_identity_changed", "body": "changed"}},
         "user_identity_changed", "changed", None),
        ("request_welcome", {}, "request_welcome", "[request_welcome]", None),
        ("poll_creation", {}, "poll_creation", "[poll_creation]", None),
    ],
)  # fmt: skip
async def test_what_only_happened_is_an_event(
    people: People, kind: str, content: Any, event: str, text: str, about: str | None
) -> None:
    asked = {} if content is None else {"content": content}
    message = await people.write(kind, "better", target="wamid.T", **asked)

    assert (message.type, message.meta["event_type"]) == ("event", event)
    assert (message.text, message.reply_to) == (text, about)


async def test_where_somebody_came_from_is_kept_but_not_shown(people: People) -> None:
    content = {
        "text": {"body": "hi"},
        "context": {"forwarded": True},
        "referral": {"source_id": "ad1", "headline": "h" * 900, "body": "not kept"},
    }

    message = await people.write("text", content=content)

    assert message.meta["forwarded"] is True
    assert message.meta["referral"] == {"source_id": "ad1", "headline": "h" * 500}


async def test_a_message_of_our_own_number_is_dropped(meta: WhatsAppStandin, bot: Driver) -> None:
    callback = meta.webhooks.write({"from": meta.platform.display_phone_number})

    result = await bot.parse(callback)

    assert not result.messages and "message_not_usable" in bot.lines


# --- groups -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "quotes_from", "addressed", "left"),
    [
        ("hi all", None, False, "hi all"),
        ("Wunder, what time is it", None, True, "what time is it"),
        ("@wunder 你好", None, True, "你好"),
        ("wunderbar", None, False, "wunderbar"),
        ("yes", "15550783881", True, "yes"),
        ("yes", "+1 555-078-3881", True, "yes"),
        ("yes", "16505550000", False, "yes"),
    ],
)
async def test_a_group_speaks_to_the_bot_by_name_or_by_quoting_it(
    people: People, bot: Driver, text: str, quotes_from: str | None, addressed: bool, left: str
) -> None:
    bot.configure(bot_name="Wunder")
    asked = {"quotes": "wamid.OUT1", "quotes_from": quotes_from} if quotes_from else {}

    message = await people.write("text", text, group=True, **asked)

    assert (message.peer.kind, message.peer.id, message.sender.id) == ("group", GROUP, PHONE)
    assert (message.mentions_bot, message.text) == (addressed, left)
    assert message.peer.name is None and message.sender.name == NAME


async def test_a_chinese_name_needs_no_space_after_it(people: People, bot: Driver) -> None:
    bot.configure(bot_name="小助手")

    message = await people.write("text", "小助手今天几号", group=True)

    assert (message.mentions_bot, message.text) == (True, "今天几号")


# --- batches and accounts ------------------------------------------------------------------------------


async def test_a_batch_keeps_its_order_and_each_account_keeps_its_own(
    meta: WhatsAppStandin, bot: Driver
) -> None:
    others = Driver(phone_number_id="777", api_base=meta.url)
    batch = meta.webhooks.write(
        {"text": "one"}, {"text": "two", "phone_number_id": "777"}, {"text": "three"}, {"kind": "reaction"}
    )  # fmt: skip

    ours, theirs = await bot.parse(batch), await others.parse(batch)

    assert [one.text for one in ours.messages] == ["one", "three", "👍"]
    assert [one.text for one in theirs.messages] == ["two"]
    assert ours.ignored is None and theirs.ignored is None


async def test_a_batch_for_somebody_else_is_quietly_accepted(
    meta: WhatsAppStandin, bot: Driver
) -> None:
    result = await bot.parse(meta.webhooks.write({"phone_number_id": "777"}))

    assert (result.messages, result.receipts, result.ignored) == ((), (), "other_number")
    assert result.immediate_response is not None and result.immediate_response.status == 200
    assert not [line for line in bot.host.lines if line[0] in ("warning", "error")]


async def test_a_request_names_its_account_where_there_is_only_one(meta: WhatsAppStandin) -> None:
    one = meta.webhooks.write({}, {"text": "again"}).body
    several = meta.webhooks.write({}, {"phone_number_id": "777"}).body

    async def identify(body: bytes) -> AccountLookup | None:
        return await WhatsAppChannel().identify_account(Request(http_request(body)))

    assert await identify(one) == AccountLookup("phone_number_id", NUMBER_ID)
    for body in (
        several,
        b"",
        b"{",
        b"[]",
        b'{"entry":[{"changes":[{"field":"account_update"}]}]}',
    ):
        assert await identify(body) is None


async def test_a_batch_of_three_megabytes_is_read(meta: WhatsAppStandin, bot: Driver) -> None:
    batch = meta.webhooks.write(*({"text": "x" * 2900, "from": str(n)} for n in range(900)))
    assert 2_900_000 < len(batch.body) <= 3 * 1_048_576

    result = await bot.parse(batch)

    assert len(result.messages) == 900


@pytest.mark.parametrize("field", ["account_update", "smb_message_echoes", "history"])
async def test_other_fields_are_counted_and_logged(
    meta: WhatsAppStandin, bot: Driver, field: str
) -> None:
    callback = meta.webhooks.sign(
        {"entry": [{"changes": [{"field": field, "value": {"event": "E"}}]}]}
    )

    assert (await bot.parse(callback)).ignored == field
    assert bot.host.lines[-1][1:] == ("field_ignored", {"field": field, "told": "E"})


# --- receipts -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "receipt"),
    [("sent", None), ("delivered", "delivered"), ("read", "read"), ("played", "read"),
     ("failed", "failed"), ("deleted", None)],
)  # fmt: skip
async def test_a_status_is_a_receipt(
    people: People, meta: WhatsAppStandin, bot: Driver, status: str, receipt: str | None
) -> None:
    from_us = await bot.send_text_to(people)
    sent = meta.platform.sent[0]

    result = await bot.parse(meta.webhooks.status(sent, status))

    found = [(one.provider_message_id, one.status) for one in result.receipts]
    assert found == ([(from_us, receipt)] if receipt else [])
    assert (result.ignored == "nothing_to_keep") == (receipt is None)


async def test_a_failed_status_says_why_and_what_to_do(
    people: People, meta: WhatsAppStandin, bot: Driver
) -> None:
    await bot.send_text_to(people)

    callback = meta.webhooks.status(meta.platform.sent[0], "failed", code=131047)
    (receipt,) = (await bot.parse(callback)).receipts

    assert receipt.detail is not None
    assert receipt.detail.startswith("131047 Re-engagement message: more than 24 hours have passed")
    assert "24-hour window is closed" in receipt.detail


async def test_one_participant_who_cannot_be_reached_does_not_fail_a_group_message(
    meta: WhatsAppStandin, bot: Driver
) -> None:
    statuses = [{"id": "wamid.G", "status": "failed", "timestamp": "1", "recipient_type": "group",
                 "recipient_participant_id": "1650"}]  # fmt: skip
    value = {"metadata": {"phone_number_id": NUMBER_ID}, "statuses": statuses}
    callback = meta.webhooks.sign({"entry": [{"changes": [{"field": "messages", "value": value}]}]})

    assert not (await bot.parse(callback)).receipts


# --- people ---------------------------------------------------------------------------------------------


async def test_somebody_who_hides_the_phone_stays_in_the_conversation(
    people: People, meta: WhatsAppStandin, bot: Driver
) -> None:
    await people.write("text", "with phone")
    afterwards = Driver(bot.host, api_base=meta.url)

    (hidden,) = (await afterwards.parse(meta.webhooks.write({"from": ""}))).messages

    assert (hidden.peer.id, hidden.sender.id) == (PHONE, PHONE)
    assert hidden.meta["recipient"] == USER_ID and "to" not in hidden.meta


async def test_somebody_who_shows_the_phone_later_stays_in_the_conversation(
    people: People, meta: WhatsAppStandin, bot: Driver
) -> None:
    first = await people.write("text", "no phone", **{"from": ""})
    afterwards = Driver(bot.host, api_base=meta.url)

    (later,) = (await afterwards.parse(meta.webhooks.write({}))).messages

    assert first.peer.id == later.peer.id == USER_ID
    assert later.meta["to"] == PHONE


async def test_a_batch_that_names_somebody_both_ways_is_one_conversation(
    meta: WhatsAppStandin, bot: Driver
) -> None:
    result = await bot.parse(meta.webhooks.write({"from": ""}, {}))

    assert [one.peer.id for one in result.messages] == [PHONE, PHONE]


@pytest.mark.parametrize(
    "system",
    [{"type": "user_changed_number", "wa_id": NEW_PHONE, "user_id": NEW_ID,
      "previous_user_id": USER_ID},
     {"type": "user_changed_user_id", "user_id": NEW_ID, "previous_user_id": USER_ID}],
)  # fmt: skip
async def test_a_new_number_goes_on_with_the_old_conversation(
    people: People, meta: WhatsAppStandin, bot: Driver, system: dict[str, Any]
) -> None:
    await people.write("text", "old number")
    notice = await people.write("system", content={"system": system})
    afterwards = Driver(bot.host, api_base=meta.url)

    new = {"from": NEW_PHONE if "wa_id" in system else "", "user_id": NEW_ID}
    (message,) = (await afterwards.parse(meta.webhooks.write(new))).messages

    assert (notice.type, notice.peer.id) == ("event", PHONE)
    assert message.peer.id == PHONE
    assert message.meta.get("to") == (NEW_PHONE if "wa_id" in system else None)


class _BrokenState(FakeHost):
    async def state_get(self, key: str, account_id: str | None) -> Any:
        raise ChannelError("the store is away")


async def test_people_are_known_by_what_they_say_when_the_memory_fails(
    meta: WhatsAppStandin,
) -> None:
    bot = Driver(_BrokenState(NOW_MS))

    (message,) = (await bot.parse(meta.webhooks.write({}))).messages

    assert message.peer.id == PHONE


async def test_memory_of_people_stays_within_the_gateways_quota(
    meta: WhatsAppStandin, bot: Driver
) -> None:
    for batch in range(3):
        people = (
            {"from": f"1650{batch}{n:04}", "user_id": f"US.{batch}{n:04}"} for n in range(900)
        )
        await bot.parse(meta.webhooks.write(*people))

    assert len(bot.host.stored) <= 256
    assert "people_not_remembered" not in bot.lines


async def test_a_late_message_says_that_its_window_is_closed(
    meta: WhatsAppStandin, bot: Driver
) -> None:
    (late,) = (await bot.parse(meta.webhooks.write({"age_s": 7 * 86_400}))).messages
    (fresh,) = (await bot.parse(meta.webhooks.write({}))).messages

    assert late.meta["window_open"] is False and "window_open" not in fresh.meta
