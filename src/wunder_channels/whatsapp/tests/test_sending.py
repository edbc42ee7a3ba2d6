"""Journeys: somebody writes on the platform, the account answers under the platform's rules."""

import asyncio
import hashlib
import hmac
from typing import Any

import pytest

from tests.standins.whatsapp.server import WhatsAppStandin
from tests.standins.whatsapp.webhooks import GROUP, PHONE, USER_ID
from wunder_channels.whatsapp.tests.driver import SECRETS, Driver, reply, to_phone
from wunder_channels.whatsapp.tests.people import People
from wunder_sdk import ChannelError, OutboundMessage, Peer
from wunder_sdk.errors import (
    AuthFailed,
    Busy,
    OutcomeUnknown,
    ProviderRejected,
    ProviderUnavailable,
    RateLimited,
    RecipientUnreachable,
)


async def _fails(bot: Driver, message: OutboundMessage, **how: Any) -> ChannelError:
    with pytest.raises(ChannelError) as failed:
        await bot.send(message, **how)
    return failed.value


# --- to whom ------------------------------------------------------------------------------------------


async def test_a_reply_reaches_whoever_wrote(
    people: People, meta: WhatsAppStandin, bot: Driver
) -> None:
    result = await bot.send(reply(await people.write(), "hi *you*"))

    (sent,) = meta.platform.sent
    assert sent.body == {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": PHONE,
        "type": "text",
        "text": {"body": "hi *you*", "preview_url": False},
        "biz_opaque_callback_data": "delivery-1#0",
    }
    assert result.provider_message_id == sent.id and result.next is None
    assert result.raw_result == {"wa_id": PHONE, "message_status": "accepted"}


async def test_somebody_without_a_phone_is_answered_by_id(
    people: People, meta: WhatsAppStandin, bot: Driver
) -> None:
    await bot.send(reply(await people.write("text", "x", **{"from": ""}), "hi"))

    body = meta.platform.sent[0].body
    assert body["recipient"] == USER_ID and "to" not in body


async def test_an_id_is_enough_to_write_to_somebody(meta: WhatsAppStandin, bot: Driver) -> None:
    for one in (PHONE, USER_ID, "US.ENT.11815799212886844830"):
        meta.platform.heard(one, "wamid.1")
        await bot.send(to_phone(one, "hello"))

    assert [
        (one.body.get("to"), one.body.get("recipient")) for one in meta.platform.sent
    ] == [(PHONE, None), (None, USER_ID), (None, "US.ENT.11815799212886844830")]  # fmt: skip


async def test_somebody_who_moved_is_written_to_where_they_are(
    people: People, meta: WhatsAppStandin, bot: Driver
) -> None:
    system = {"type": "user_changed_number", "wa_id": "16505559999", "user_id": "US.999"}
    await people.write("system", content={"system": system})
    meta.platform.heard("16505559999", "wamid.1")

    await bot.send(to_phone(PHONE, "hello"))

    assert meta.platform.sent[0].to == "16505559999"


async def test_a_group_is_answered_as_a_group_with_a_quote(
    people: People, meta: WhatsAppStandin, bot: Driver
) -> None:
    message = await people.write("text", group=True)

    await bot.send(reply(message, "hi"))

    body = meta.platform.sent[0].body
    assert (body["recipient_type"], body["to"]) == ("group", GROUP)
    assert body["context"] == {"message_id": message.message_id}


@pytest.mark.parametrize(
    ("setting", "group", "quotes"),
    [("always", False, True), ("never", True, False), ("groups", False, False)],
)
async def test_quoting_follows_the_setting_and_only_the_first_part_quotes(
    people: People, meta: WhatsAppStandin, bot: Driver, setting: str, group: bool, quotes: bool
) -> None:
    bot.configure(quote=setting)

    await bot.send_all(reply(await people.write("text", group=group), "word " * 1000))

    assert ["context" in one.body for one in meta.platform.sent] == [quotes, False]


# --- the window -----------------------------------------------------------------------------------------


async def test_a_closed_window_is_a_clear_dead_letter(
    people: People, meta: WhatsAppStandin, bot: Driver
) -> None:
    message = await people.write()
    meta.platform.advance(86_401)

    error = await _fails(bot, reply(message, "too late"))

    assert isinstance(error, RecipientUnreachable) and not error.retryable
    assert (error.provider_code, error.outcome) == ("131047", "not_sent")
    assert error.message.startswith("the 24-hour window is closed: this person has to write first")


async def test_a_window_that_closed_unseen_fails_by_receipt(
    people: People, meta: WhatsAppStandin, bot: Driver
) -> None:
    meta.platform.rules.window_is_told_later = True
    message = await people.write()
    meta.platform.advance(86_401)

    result = await bot.send(reply(message, "too late"))
    ((sent, code),) = meta.platform.failed_later
    (receipt,) = (await bot.parse(meta.webhooks.status(sent, "failed", code=code))).receipts

    assert (receipt.provider_message_id, receipt.status) == (result.provider_message_id, "failed")
    assert receipt.detail is not None and "24-hour window" in receipt.detail


@pytest.mark.parametrize(
    ("template", "words", "templates"),
    [("hello", "was sent: replay this message", 1), ("unknown", "was refused: 132001", 0)],
)
async def test_a_template_invites_whoever_is_out_of_the_window(
    people: People, meta: WhatsAppStandin, bot: Driver, template: str, words: str, templates: int
) -> None:
    bot.configure(fallback_template=template, fallback_language="zh_CN")
    message = await people.write()
    meta.platform.advance(86_401)

    error = await _fails(bot, reply(message, "too late"))

    assert isinstance(error, RecipientUnreachable) and words in error.message
    assert [one.body["template"] for one in meta.platform.sent] == [
        {"name": "hello", "language": {"code": "zh_CN"}}
    ] * templates


async def test_a_lost_answer_of_the_template_changes_nothing(
    people: People, meta: WhatsAppStandin, bot: Driver
) -> None:
    bot.configure(fallback_template="hello")
    message = await people.write()
    meta.platform.answer_with(131047)
    meta.platform.lose_next_answer()

    error = await _fails(bot, reply(message, "x"))

    assert isinstance(error, RecipientUnreachable) and "may not have been sent" in error.message


# --- rates and faults -----------------------------------------------------------------------------------


async def test_the_pair_rate_pauses_one_person_only(
    people: People, meta: WhatsAppStandin, bot: Driver
) -> None:
    message = await people.write()
    for _ in range(45):
        await bot.send(reply(message, "x"))

    error = await _fails(bot, reply(message, "x"), attempt=2)

    assert isinstance(error, RateLimited)
    assert (error.scope, error.retry_after, error.provider_code) == ("peer", 4.0, "131056")
    other = await people.write("text", **{"from": "16505550000", "user_id": ""})
    await bot.send(reply(other, "x"))
    meta.platform.advance(6)
    await bot.send(reply(message, "x"))


async def test_the_throughput_pauses_the_number(
    people: People, meta: WhatsAppStandin, bot: Driver
) -> None:
    meta.platform.throttle()

    error = await _fails(bot, reply(await people.write(), "x"), attempt=3)

    assert isinstance(error, RateLimited)
    assert (error.scope, error.retry_after) == ("account", 4.0)


async def test_the_usage_header_says_how_long_to_wait(
    people: People, meta: WhatsAppStandin, bot: Driver
) -> None:
    meta.platform.throttle(code=80007, regain_minutes=19)

    error = await _fails(bot, reply(await people.write(), "x"))

    assert error.retry_after == 19 * 60


@pytest.mark.parametrize(
    ("code", "kind"),
    [(190, AuthFailed), (131026, RecipientUnreachable), (131009, ProviderRejected),
     (131016, ProviderUnavailable), (131042, AuthFailed)],
)  # fmt: skip
async def test_a_refusal_is_told_as_what_it_is(
    people: People, meta: WhatsAppStandin, bot: Driver, code: int, kind: type[ChannelError]
) -> None:
    meta.platform.answer_with(code)

    error = await _fails(bot, reply(await people.write(), "x"))

    assert isinstance(error, kind) and error.provider_code == str(code)
    assert "standin-trace" in error.message and not meta.platform.sent


async def test_a_refused_recipient_is_refused_for_good(
    people: People, meta: WhatsAppStandin, bot: Driver
) -> None:
    meta.platform.rules.refused_peers.add(PHONE)

    assert isinstance(await _fails(bot, reply(await people.write(), "x")), RecipientUnreachable)


async def test_an_ended_token_is_told_once_and_the_next_one_works(
    people: People, meta: WhatsAppStandin, bot: Driver
) -> None:
    message = await people.write()
    meta.platform.expire_token()

    async with asyncio.TaskGroup() as group:
        failures = [group.create_task(_fails(bot, reply(message, "x"))) for _ in range(20)]
    assert all(isinstance(one.result(), AuthFailed) for one in failures)
    assert meta.platform.requests["message"] == 20
    assert "paste a new one" in failures[0].result().message

    meta.platform.accept_token("EAAnew")
    bot.configure(access_token="EAAnew")
    await bot.send(reply(message, "x"))


async def test_a_number_that_is_not_ours_is_named(people: People, bot: Driver) -> None:
    message = await people.write()
    bot.configure(phone_number_id="123456123")

    error = await _fails(bot, reply(message, "x"))

    assert isinstance(error, ProviderRejected) and "123456123" in error.message


async def test_a_platform_that_is_not_there_took_nothing(people: People, bot: Driver) -> None:
    message = await people.write()
    bot.configure(api_base="http://127.0.0.1:1")

    assert isinstance(await _fails(bot, reply(message, "x")), ProviderUnavailable)


async def test_the_proof_of_the_app_secret_goes_along_where_it_is_wanted(
    people: People, meta: WhatsAppStandin, bot: Driver
) -> None:
    bot.configure(appsecret_proof=True)

    await bot.send(reply(await people.write(), "x"))

    key, token = SECRETS["app_secret"].encode(), SECRETS["access_token"].encode()
    proof = hmac.new(key, token, hashlib.sha256).hexdigest()
    assert meta.platform.queries == [{"appsecret_proof": proof}]


# --- unclear outcomes -------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["lose", "fail", "hang"])
async def test_no_answer_leaves_the_outcome_open(
    people: People, meta: WhatsAppStandin, bot: Driver, fault: str
) -> None:
    message = await people.write()
    {"lose": meta.platform.lose_next_answer, "fail": meta.platform.fail,
     "hang": lambda: meta.platform.hang(hang_s=0.05)}[fault]()  # fmt: skip

    error = await _fails(bot, reply(message, "x"))

    assert isinstance(error, OutcomeUnknown) and error.outcome == "unknown"


async def test_a_status_proves_that_a_lost_message_had_arrived(
    people: People, meta: WhatsAppStandin, bot: Driver
) -> None:
    message = await people.write()
    meta.platform.lose_next_answer()
    await _fails(bot, reply(message, "x"))

    early = await _fails(bot, reply(message, "x"), attempt=2)
    await bot.parse(meta.webhooks.status(meta.platform.sent[0], "sent"))
    result = await bot.send(reply(message, "x"), attempt=3)

    assert isinstance(early, Busy) and early.retry_after == 30.0
    assert result.provider_message_id == meta.platform.sent[0].id
    assert result.raw_result == {"confirmed_by": "status"}
    assert len(meta.platform.sent) == 1


async def test_without_any_status_a_message_is_sent_again_after_half_a_minute(
    people: People, meta: WhatsAppStandin, bot: Driver
) -> None:
    message = await people.write()
    meta.platform.fail()
    await _fails(bot, reply(message, "x"))
    bot.host.clock_ms += 30_000

    await bot.send(reply(message, "x"), attempt=2)

    assert [one.text for one in meta.platform.sent] == ["x"]


async def test_a_failed_status_proves_no_arrival(
    people: People, meta: WhatsAppStandin, bot: Driver
) -> None:
    message = await people.write()
    meta.platform.lose_next_answer()
    await _fails(bot, reply(message, "x"))
    await bot.parse(meta.webhooks.status(meta.platform.sent[0], "failed", code=131000))
    bot.host.clock_ms += 30_000

    await bot.send(reply(message, "x"), attempt=2)

    assert len(meta.platform.sent) == 2


async def test_a_retry_after_a_refusal_looks_for_nothing(
    people: People, meta: WhatsAppStandin, bot: Driver
) -> None:
    message = await people.write()
    meta.platform.answer_with(131016)
    await _fails(bot, reply(message, "x"))

    await bot.send(reply(message, "x"), attempt=2)

    assert len(meta.platform.sent) == 1


# --- read and typing ----------------------------------------------------------------------------------------


async def test_a_message_is_marked_read_and_typing_is_shown(
    people: People, meta: WhatsAppStandin, bot: Driver
) -> None:
    message = await people.write()

    await bot.act("read", message.peer, message.message_id)
    await bot.act("typing", message.peer, message.message_id)

    assert meta.platform.read == [
        {"messaging_product": "whatsapp", "status": "read", "message_id": message.message_id},
        {"messaging_product": "whatsapp", "status": "read", "message_id": message.message_id,
         "typing_indicator": {"type": "text"}},
    ]  # fmt: skip


async def test_activity_follows_the_settings(
    people: People, meta: WhatsAppStandin, bot: Driver
) -> None:
    message = await people.write()

    await bot.act("typing", message.peer)
    await bot.act("read", Peer("group", GROUP), message.message_id)
    bot.configure(typing=False)
    await bot.act("typing", message.peer, message.message_id)
    bot.configure(typing=True, mark_read=False)
    await bot.act("typing", message.peer, message.message_id)
    await bot.act("read", message.peer, message.message_id)

    assert not meta.platform.read and not meta.platform.requests["message"]


async def test_activity_is_a_courtesy_that_never_fails(
    people: People, meta: WhatsAppStandin, bot: Driver
) -> None:
    await bot.act("read", Peer("user", PHONE), "wamid.UNKNOWN")
    bot.configure(api_base="http://127.0.0.1:1")
    await bot.act("typing", Peer("user", PHONE), "wamid.UNKNOWN")

    assert bot.lines == ["activity_not_shown", "activity_not_shown"]
    assert meta.platform.requests["message"] == 1
