"""Journeys: somebody writes on the platform, the account answers under the platform's rules."""

import asyncio
from typing import Any

import pytest

from tests.standins.qq.server import QqStandin
from wunder_channels.qqbot.api import token_life_s
from wunder_channels.qqbot.reply import msg_seq, stream_seq
from wunder_channels.qqbot.tests.driver import Driver, reply
from wunder_channels.qqbot.tests.people import People
from wunder_sdk import ChannelError, OutboundMessage, Peer, Send
from wunder_sdk.errors import (
    AuthFailed,
    Duplicate,
    OutcomeUnknown,
    ProviderRejected,
    ProviderUnavailable,
    RateLimited,
    RecipientUnreachable,
)

USER = Peer("user", "E4F4AEA33253A2797FB897C50B81D7ED")


async def _fails(bot: Driver, message: OutboundMessage, **how: Any) -> ChannelError:
    with pytest.raises(ChannelError) as failed:
        await bot.send(message, **how)
    return failed.value


def _scope(error: ChannelError) -> str | None:
    data = error.to_wire().data
    return data.scope if data else None


def _active(text: str) -> OutboundMessage:
    return OutboundMessage("qq", "main", USER, text=text)


# --- replies ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "scope"),
    [("c2c", "c2c"), ("group_at", "group"), ("group", "group"), ("guild_at", "channel"),
     ("guild", "channel"), ("guild_dm", "guild_dm")],
)  # fmt: skip
async def test_a_reply_reaches_whoever_wrote(
    people: People, qq: QqStandin, bot: Driver, kind: str, scope: str
) -> None:
    message = await people.write(kind)

    result = await bot.send(reply(message, "hi <b> & you"))

    (sent,) = qq.platform.sent
    assert (sent.scope, sent.peer, sent.body["msg_id"]) == (
        scope,
        message.peer.id,
        message.message_id,
    )
    assert result.provider_message_id == sent.id
    assert result.raw_result is not None and result.raw_result["trace_id"] == "standin-trace"
    in_guild = scope in ("channel", "guild_dm")
    assert sent.text == ("hi &lt;b&gt; &amp; you" if in_guild else "hi <b> & you")
    assert ("msg_seq" in sent.body, "msg_type" in sent.body) == (not in_guild, not in_guild)


@pytest.mark.parametrize("kind", ["friend_add", "group_add"])
async def test_a_welcome_answers_the_event(
    people: People, qq: QqStandin, bot: Driver, kind: str
) -> None:
    message = await people.write(kind)

    await bot.send(reply(message, "welcome"))

    assert qq.platform.sent[0].body["event_id"] == message.message_id
    assert "msg_id" not in qq.platform.sent[0].body


async def test_four_deliveries_may_answer_one_message_and_no_more(
    people: People, qq: QqStandin, bot: Driver
) -> None:
    message = await people.write("c2c")

    for ordinal in (1, 2, 3, 4):
        await bot.send(reply(message, f"answer {ordinal}"), reply_ordinal=ordinal)
    error = await _fails(bot, reply(message, "one too many"), reply_ordinal=5)

    assert [one.body["msg_seq"] for one in qq.platform.sent] == [1, 101, 201, 301]
    assert isinstance(error, RecipientUnreachable) and _scope(error) == "message"


async def test_a_closed_window_is_the_end_of_a_reply(
    people: People, qq: QqStandin, bot: Driver
) -> None:
    message = await people.write("group_at")
    qq.platform.advance(301)

    error = await _fails(bot, reply(message, "too late"))

    assert isinstance(error, RecipientUnreachable) and error.provider_code == "304027"


def test_every_part_of_every_delivery_has_a_number_of_its_own() -> None:
    message = OutboundMessage("qq", "main", USER, text="x")
    numbers = [
        msg_seq(Send(message, "k", attempt, ordinal), said, shortenings)
        for attempt in (1,)
        for ordinal in range(1, 8)
        for said in range(24)
        for shortenings in range(4)
    ]
    numbers += [stream_seq(Send(message, "k", 1, ordinal)) for ordinal in range(1, 8)]

    assert len(set(numbers)) == len(numbers) and min(numbers) == 1
    assert msg_seq(Send(message, "k", 9, 2), 1) == msg_seq(Send(message, "k", 1, 2), 1) == 102


# --- unclear outcomes ---------------------------------------------------------------------------------


async def test_a_lost_answer_is_unknown_and_its_repeat_a_duplicate(
    people: People, qq: QqStandin, bot: Driver
) -> None:
    message = await people.write("c2c")
    qq.platform.lose_next_answer()

    first = await _fails(bot, reply(message, "hi"))
    second = await _fails(bot, reply(message, "hi"), attempt=2)

    assert isinstance(first, OutcomeUnknown) and isinstance(second, Duplicate)
    assert len(qq.platform.sent) == 1


@pytest.mark.parametrize("status", [500, 502, 504])
async def test_a_broken_platform_leaves_the_outcome_unknown(
    people: People, qq: QqStandin, bot: Driver, status: int
) -> None:
    message = await people.write("c2c")
    qq.platform.fail(status=status)

    assert isinstance(await _fails(bot, reply(message, "hi")), OutcomeUnknown)
    await bot.send(reply(message, "hi"), attempt=2)
    assert [one.body["msg_seq"] for one in qq.platform.sent] == [1]


@pytest.mark.parametrize("kind", ["guild_at", "guild_dm"])
async def test_where_qq_folds_nothing_an_unclear_reply_is_not_repeated(
    people: People, qq: QqStandin, bot: Driver, kind: str
) -> None:
    message = await people.write(kind)
    qq.platform.lose_next_answer()

    for attempt in (1, 2, 3):
        assert isinstance(await _fails(bot, reply(message, "hi"), attempt=attempt), OutcomeUnknown)
    await bot.send(reply(message, "another"), reply_ordinal=2)

    assert [one.text for one in qq.platform.sent] == ["hi", "another"]


async def test_a_person_may_repeat_it_later(people: People, qq: QqStandin, bot: Driver) -> None:
    message = await people.write("guild_dm")
    qq.platform.fail()
    await _fails(bot, reply(message, "hi"))
    bot.host.clock_ms += 301_000

    await bot.send(reply(message, "hi"), attempt=2)

    assert len(qq.platform.sent) == 1


async def test_a_late_repeat_does_not_become_an_active_message(
    people: People, qq: QqStandin, bot: Driver
) -> None:
    bot.configure(allow_active=True)
    qq.platform.rules.active = True
    message = await people.write("group_at")
    qq.platform.lose_next_answer()
    await _fails(bot, reply(message, "hi"))
    bot.host.clock_ms += 295_000

    assert isinstance(await _fails(bot, reply(message, "hi"), attempt=2), OutcomeUnknown)
    assert len(qq.platform.sent) == 1


async def test_a_platform_that_is_not_there_got_nothing(people: People, bot: Driver) -> None:
    message = await people.write("c2c")
    bot.configure(api_base="http://127.0.0.1:1")

    error = await _fails(bot, reply(message, "hi"))

    assert isinstance(error, ProviderUnavailable) and error.outcome == "not_sent"


async def test_a_silent_platform_does_not_hold_the_call_for_ever(
    people: People, qq: QqStandin, bot: Driver
) -> None:
    message = await people.write("c2c")
    qq.platform.hang()

    sending = asyncio.ensure_future(_fails(bot, reply(message, "hi")))
    async with asyncio.timeout(5):
        await qq.is_hanging.wait()
        qq.stop_hanging()
        assert isinstance(await sending, OutcomeUnknown)


# --- the platform says no -----------------------------------------------------------------------------


async def test_throttling_says_how_long(people: People, qq: QqStandin, bot: Driver) -> None:
    message = await people.write("c2c")
    qq.platform.throttle(retry_after=7)
    qq.platform.throttle()

    with_header = await _fails(bot, reply(message, "hi"))
    by_code = await _fails(bot, reply(message, "hi"), attempt=2)

    assert isinstance(with_header, RateLimited) and with_header.retry_after == 7
    assert isinstance(by_code, RateLimited) and by_code.retry_after == 6
    assert (await bot.send(reply(message, "hi"), attempt=3)).provider_message_id


async def test_a_person_who_refuses_the_bot_is_unreachable(
    people: People, qq: QqStandin, bot: Driver
) -> None:
    message = await people.write("c2c")
    qq.platform.rules.refused_peers.add(message.peer.id)

    error = await _fails(bot, reply(message, "hi"))

    assert isinstance(error, RecipientUnreachable) and _scope(error) == "peer"


async def test_a_message_under_review_counts_as_sent(
    people: People, qq: QqStandin, bot: Driver
) -> None:
    message = await people.write("c2c")
    qq.platform.rules.review = True

    result = await bot.send(reply(message, "hi"))

    assert result.raw_result is not None and result.raw_result["pending_review"] is True
    assert result.provider_message_id == result.raw_result["audit_id"]


async def test_links_are_taken_out_when_qq_refuses_them(
    people: People, qq: QqStandin, bot: Driver
) -> None:
    message = await people.write("c2c")
    qq.platform.rules.links = False

    await bot.send(reply(message, "see https://example.com/a"))

    assert [one.text for one in qq.platform.sent] == ["see [链接]"]


async def test_links_can_be_taken_out_always(people: People, qq: QqStandin, bot: Driver) -> None:
    bot.configure(links="strip")

    await bot.send(reply(await people.write("c2c"), "see https://example.com/a"))

    assert (qq.platform.sent[0].text, qq.platform.refused) == ("see [链接]", [])


async def test_nothing_to_send_is_refused_here(people: People, qq: QqStandin, bot: Driver) -> None:
    error = await _fails(bot, reply(await people.write("c2c"), " \n"))

    assert isinstance(error, ProviderRejected) and not qq.platform.requests["message"]


# --- tokens --------------------------------------------------------------------------------------------


async def test_one_token_serves_everybody_at_once(
    people: People, qq: QqStandin, bot: Driver
) -> None:
    messages = [await people.write("c2c", peer=f"{n:032X}") for n in range(10)]

    await asyncio.gather(*(bot.send(reply(one, "hi")) for one in messages))

    assert (qq.platform.requests["token"], len(qq.platform.sent)) == (1, 10)


async def test_an_expired_token_is_replaced_once_for_everybody(
    people: People, qq: QqStandin, bot: Driver
) -> None:
    messages = [await people.write("c2c", peer=f"{n:032X}") for n in range(5)]
    await bot.send(reply(messages[0], "hi"))
    qq.platform.expire_token()

    await asyncio.gather(*(bot.send(reply(one, "hi")) for one in messages[1:]))

    assert (qq.platform.requests["token"], len(qq.platform.sent)) == (2, 5)


async def test_a_token_refused_twice_is_a_matter_for_the_operator(
    people: People, qq: QqStandin, bot: Driver
) -> None:
    message = await people.write("c2c")
    qq.platform.answer_with(11244, status=401, times=2)

    assert isinstance(await _fails(bot, reply(message, "hi")), AuthFailed)
    assert qq.platform.requests["message"] == 2


@pytest.mark.parametrize(
    ("expires_in", "lives_s"), [("7200", 7200), (756, 756), (99.5, 99.5), ("soon", 60), (None, 60)]
)
def test_the_life_of_a_token_is_read_in_any_form(expires_in: object, lives_s: float) -> None:
    assert token_life_s(expires_in) == lives_s


async def test_a_wrong_secret_is_a_matter_for_the_operator(qq: QqStandin, bot: Driver) -> None:
    bot.configure(client_secret="wrong", allow_active=True)

    error = await _fails(bot, _active("hi"))

    assert isinstance(error, AuthFailed) and error.provider_code == "100016"
    assert "wrong" not in error.message


# --- active messages -------------------------------------------------------------------------------------


async def test_active_messages_are_off_by_default(qq: QqStandin, bot: Driver) -> None:
    assert isinstance(await _fails(bot, _active("hi")), ProviderRejected)
    assert not qq.platform.requests["message"]


async def test_an_active_message_carries_no_number(qq: QqStandin, bot: Driver) -> None:
    bot.configure(allow_active=True)
    qq.platform.rules.active = True

    await bot.send(_active("hi"))

    assert qq.platform.sent[0].body == {"msg_type": 0, "content": "hi"}


async def test_a_reply_that_comes_too_late_goes_out_actively_where_allowed(
    people: People, qq: QqStandin, bot: Driver
) -> None:
    bot.configure(allow_active=True)
    qq.platform.rules.active = True
    message = await people.write("group_at")
    qq.platform.advance(301)

    await bot.send(reply(message, "late"))

    assert "msg_id" not in qq.platform.sent[0].body
