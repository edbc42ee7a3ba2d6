"""Whatever the platform answers, a message is said once: unclear outcomes, refusals, tokens."""

import asyncio
from typing import Any

import pytest

from tests.standins.feishu.callbacks import CHATS
from tests.standins.feishu.server import FeishuStandin
from wunder_channels.feishu.api import cached_life_s
from wunder_channels.feishu.sending import uuid_of
from wunder_channels.feishu.tests.driver import Driver, reply
from wunder_channels.feishu.tests.people import People
from wunder_sdk import ChannelError, OutboundMessage, Peer
from wunder_sdk.errors import (
    AuthFailed,
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


def _scope(error: ChannelError) -> str | None:
    data = error.to_wire().data
    return data.scope if data else None


def _to(peer_id: str, text: str = "hi", **more: Any) -> OutboundMessage:
    return OutboundMessage("feishu", "main", Peer("user", peer_id), text=text, **more)


# --- unclear outcomes ---------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["p2p", "group"])
async def test_a_lost_answer_is_unknown_and_its_repeat_is_folded(
    people: People, feishu: FeishuStandin, bot: Driver, kind: str
) -> None:
    message = await people.write(kind)
    feishu.platform.lose_next_answer()

    first = await _fails(bot, reply(message, "hi"))
    second = await bot.send(reply(message, "hi"), attempt=2)

    assert isinstance(first, OutcomeUnknown)
    assert second.provider_message_id == feishu.platform.sent[0].id
    assert len(feishu.platform.sent) == 1


@pytest.mark.parametrize("status", [500, 502, 504])
async def test_a_broken_platform_leaves_the_outcome_unknown(
    people: People, feishu: FeishuStandin, bot: Driver, status: int
) -> None:
    message = await people.write("p2p")
    feishu.platform.fail(status=status)

    assert isinstance(await _fails(bot, reply(message, "hi")), OutcomeUnknown)
    await bot.send(reply(message, "hi"), attempt=2)
    assert len(feishu.platform.sent) == 1


async def test_an_overloaded_platform_has_not_taken_it(
    people: People, feishu: FeishuStandin, bot: Driver
) -> None:
    message = await people.write("p2p")
    feishu.platform.fail(status=503)

    assert isinstance(await _fails(bot, reply(message, "hi")), ProviderUnavailable)


async def test_a_message_in_flight_is_tried_again_with_the_same_uuid(
    people: People, feishu: FeishuStandin, bot: Driver
) -> None:
    message = await people.write("p2p")
    feishu.platform.answer_with(230049, times=2)

    errors = [await _fails(bot, reply(message, "hi"), attempt=attempt) for attempt in (1, 2)]
    await bot.send(reply(message, "hi"), attempt=3)

    assert [(one.kind, one.retry_after, _scope(one)) for one in errors] == [
        ("provider_unavailable", 1.0, "message"), ("provider_unavailable", 2.0, "message"),
    ]  # fmt: skip
    assert len(feishu.platform.sent) == 1


def test_a_uuid_belongs_to_one_wording_of_one_part() -> None:
    keys = [("d#0", ""), ("d#1", ""), ("d#0", "c"), ("d#0", "t"), ("d#0", "ct"), ("e#0", "")]

    assert len({uuid_of(*key) for key in keys}) == len(keys)
    assert uuid_of("d#0", "") == uuid_of("d#0", "") and len(uuid_of("d#0", "")) == 50


# --- a reply whose question is gone -------------------------------------------------------------------


@pytest.mark.parametrize("how", ["recalled", "unknown", "deleted", "words alone"])
async def test_a_reply_to_a_message_that_is_gone_is_sent_without_the_quote(
    people: People, feishu: FeishuStandin, bot: Driver, how: str
) -> None:
    message = await people.write("group")
    if how == "recalled":
        feishu.platform.recall(message.message_id)
    elif how == "unknown":
        del feishu.platform.received[message.message_id]
    elif how == "deleted":
        feishu.platform.answer_with(230110, path="/reply")
    else:
        feishu.platform.answer_with(0, path="/reply")
        feishu.platform.faults[-1].words = "The message was withdrawn."

    await bot.send(reply(message, "hi"))

    (sent,) = feishu.platform.sent
    assert (sent.chat_id, sent.reply_to) == (CHATS["group"], "")


async def test_a_reply_that_may_have_arrived_is_not_sent_again_without_the_quote(
    people: People, feishu: FeishuStandin, bot: Driver
) -> None:
    message = await people.write("group")
    feishu.platform.lose_next_answer()
    await _fails(bot, reply(message, "hi"))
    feishu.platform.recall(message.message_id)

    assert isinstance(await _fails(bot, reply(message, "hi"), attempt=2), OutcomeUnknown)
    assert len(feishu.platform.sent) == 1
    bot.host.clock_ms += 3_600_001
    await bot.send(reply(message, "hi"), attempt=3)
    assert len(feishu.platform.sent) == 2


# --- refusals -----------------------------------------------------------------------------------------


async def test_a_throttled_account_waits_as_long_as_the_platform_says(
    people: People, feishu: FeishuStandin, bot: Driver
) -> None:
    message = await people.write("p2p")
    feishu.platform.throttle(reset_s=17.0)
    feishu.platform.throttle(code=99991400)

    said = await _fails(bot, reply(message, "hi"))
    guessed = await _fails(bot, reply(message, "hi"), attempt=3)

    assert isinstance(said, RateLimited) and (said.retry_after, _scope(said)) == (17.0, "account")
    assert (guessed.retry_after, _scope(guessed)) == (4.0, "account")


async def test_a_throttled_chat_is_no_throttled_account(
    people: People, feishu: FeishuStandin, bot: Driver
) -> None:
    feishu.platform.rules.chat_qps = 1
    message = await people.write("group")
    await bot.send(reply(message, "one"))

    error = await _fails(bot, reply(message, "two"), reply_ordinal=2)

    assert isinstance(error, RateLimited) and (error.retry_after, _scope(error)) == (1.0, "peer")
    feishu.platform.advance(1)
    await bot.send(reply(message, "two"), reply_ordinal=2, attempt=2)
    assert [one.text for one in feishu.platform.sent] == ["one", "two"]


async def test_a_chat_that_the_bot_left_is_unreachable(
    people: People, feishu: FeishuStandin, bot: Driver
) -> None:
    message = await people.write("group")
    feishu.platform.rules.refused_peers.add(CHATS["group"])

    error = await _fails(bot, reply(message, "hi"))

    assert isinstance(error, RecipientUnreachable)
    assert (error.provider_code, _scope(error)) == ("230002", "peer")


async def test_nothing_to_send_is_refused(people: People, bot: Driver) -> None:
    message = await people.write("p2p")

    assert isinstance(await _fails(bot, reply(message, "  ")), ProviderRejected)


# --- tokens -------------------------------------------------------------------------------------------


async def test_an_expired_token_is_refreshed_once_under_fifty_sends(
    people: People, feishu: FeishuStandin, bot: Driver
) -> None:
    message = await people.write("p2p")
    await bot.send(reply(message, "first"))
    feishu.platform.expire_token()

    async with asyncio.TaskGroup() as tasks:
        for ordinal in range(2, 52):
            tasks.create_task(bot.send(reply(message, str(ordinal)), reply_ordinal=ordinal))

    assert feishu.platform.requests["token"] == 2
    assert sorted(int(one.text) for one in feishu.platform.sent[1:]) == list(range(2, 52))


async def test_a_token_that_stays_refused_fails_the_account(
    people: People, feishu: FeishuStandin, bot: Driver
) -> None:
    message = await people.write("p2p")
    feishu.platform.answer_with(99991663, times=2)

    assert isinstance(await _fails(bot, reply(message, "hi")), AuthFailed)
    assert feishu.platform.requests["token"] == 2


async def test_a_wrong_secret_is_an_answer_not_an_outage(
    feishu: FeishuStandin, bot: Driver
) -> None:
    bot.configure(app_secret="wrong")

    error = await _fails(bot, _to("oc_1"))

    assert isinstance(error, AuthFailed) and error.provider_code == "10014"


@pytest.mark.parametrize(
    ("expire", "life_s"),
    [(7200, 6660.0), (1800, 1260.0), (600, 300.0), (0, 120.0), (-5, 120.0), ("7200", 120.0),
     (True, 120.0), (None, 120.0)],
)  # fmt: skip
def test_the_last_ten_minutes_of_a_token_are_not_used(expire: object, life_s: float) -> None:
    # The SDK's cache refreshes 60 s before the end of what it is told.
    assert cached_life_s(expire) == life_s


# --- the platform is down -----------------------------------------------------------------------------


async def test_after_two_minutes_of_silence_everything_arrives_once_and_in_order(
    people: People, feishu: FeishuStandin, bot: Driver
) -> None:
    message = await people.write("p2p")
    texts = [f"answer {number}" for number in range(5)]
    for ordinal, text in enumerate(texts, 1):
        feishu.platform.fail(3, status=503)
        feishu.platform.lose_next_answer()
        for attempt in (1, 2, 3, 4):
            await _fails(bot, reply(message, text), reply_ordinal=ordinal, attempt=attempt)
            feishu.platform.advance(30)
        await bot.send(reply(message, text), reply_ordinal=ordinal, attempt=5)

    assert [one.text for one in feishu.platform.sent] == texts
