"""Journeys: somebody writes to the account, the account answers under WeChat's rules."""

import asyncio
from typing import Any

import pytest

from tests.standins.wechat_mp.callbacks import USER
from tests.standins.wechat_mp.server import MpStandin
from wunder_channels.wechat_mp.leftovers import MORE, TRUNCATED
from wunder_channels.wechat_mp.plain_text import LIMIT_BYTES
from wunder_channels.wechat_mp.tests.driver import Driver, body_of, reply
from wunder_channels.wechat_mp.tests.people import People
from wunder_sdk import Attachment, ChannelError, OutboundMessage, Peer
from wunder_sdk.errors import (
    AuthFailed,
    OutcomeUnknown,
    ProviderRejected,
    ProviderUnavailable,
    RateLimited,
    RecipientUnreachable,
    TooLarge,
    UnsupportedFeature,
)
from wunder_sdk.splitting import utf8_size

SEND = "/cgi-bin/message/custom/send"


async def _fails(bot: Driver, message: OutboundMessage, **how: Any) -> ChannelError:
    with pytest.raises(ChannelError) as failed:
        await bot.send(message, **how)
    return failed.value


# --- texts ---------------------------------------------------------------------------------------------


async def test_a_reply_reaches_whoever_wrote(people: People, mp: MpStandin, bot: Driver) -> None:
    message = await people.write("hi")

    result = await bot.send(reply(message, "你好 <b> & 😀"))

    (sent,) = mp.platform.sent
    assert (sent.touser, sent.msgtype, sent.text) == (USER, "text", "你好 <b> & 😀")
    assert result.raw_result == {"errcode": 0, "errmsg": "ok"} and result.next is None


async def test_markdown_is_sent_as_plain_text(people: People, mp: MpStandin, bot: Driver) -> None:
    message = await people.write()

    await bot.send(reply(message, "# **Hi**\n[doc](https://e.com)", format="markdown"))
    await bot.send(reply(message, "# **as it is**"), reply_ordinal=2)

    assert [one.text for one in mp.platform.sent] == ["Hi\ndoc https://e.com", "# **as it is**"]


async def test_a_long_text_is_sent_in_parts_and_in_order(
    people: People, mp: MpStandin, bot: Driver
) -> None:
    message = await people.write()
    text = "\n\n".join(f"{n}. " + "字" * 400 for n in range(4))

    results = await bot.send_all(reply(message, text))

    parts = [one.text for one in mp.platform.sent]
    assert len(parts) == len(results) == 4
    assert "\n\n".join(parts) == text


async def test_what_exceeds_the_quota_is_fetched_by_the_user(
    people: People, mp: MpStandin, bot: Driver
) -> None:
    message = await people.write()
    text = " ".join(f"word{n}" for n in range(1500))

    await bot.send_all(reply(message, text))
    said = [one.text for one in mp.platform.sent]
    assert len(said) == 4 and said[-1].endswith(MORE)
    while said[-1].endswith(MORE):
        result = await bot.parse(mp.callbacks.write({"text": "1"}))
        found = mp.callbacks.read_answer(body_of(result.immediate_response))
        assert found
        said.append(found["Content"])

    assert all(utf8_size(one) <= LIMIT_BYTES for one in said)
    assert " ".join(one.removesuffix(MORE) for one in said) == text


async def test_without_the_offer_a_text_beyond_the_quota_says_that_it_is_cut(
    people: People, mp: MpStandin, bot: Driver
) -> None:
    bot.configure(fetch_more=False)

    await bot.send_all(reply(await people.write(), "字" * 5_000))

    said = [one.text for one in mp.platform.sent]
    assert len(said) == 4 and said[-1].endswith(TRUNCATED)


async def test_the_last_message_is_left_for_a_later_delivery(
    people: People, mp: MpStandin, bot: Driver
) -> None:
    message = await people.write()

    await bot.send_all(reply(message, "字" * 5_000))
    await bot.send_all(reply(message, "and done"), reply_ordinal=2)

    assert len(mp.platform.sent) == 5 and mp.platform.sent[-1].text == "and done"
    error = await _fails(bot, reply(message, "one too many"), reply_ordinal=3)
    assert isinstance(error, RecipientUnreachable) and error.provider_code == "45047"


async def test_an_event_allows_three_messages_in_a_minute(
    people: People, mp: MpStandin, bot: Driver
) -> None:
    message = await people.write("KEY", kind="CLICK")

    results = await bot.send_all(reply(message, "字" * 5_000))
    mp.platform.advance(61)

    assert len(results) == 2
    error = await _fails(bot, reply(message, "too late"), reply_ordinal=2)
    assert isinstance(error, RecipientUnreachable) and error.provider_code == "45015"


async def test_files_count_too(people: People, mp: MpStandin, bot: Driver) -> None:
    message = await people.write()
    files = tuple(Attachment("image", url=f"https://e.com/{n}.png") for n in range(2))

    await bot.send_all(reply(message, "字" * 5_000, attachments=files))

    assert [one.msgtype for one in mp.platform.sent] == ["text", "text", "news", "news"]
    assert mp.platform.sent[1].text.endswith(MORE)


async def test_a_text_that_wechat_finds_too_long_is_shortened(
    people: People, mp: MpStandin, bot: Driver
) -> None:
    mp.platform.rules.text_max = 1_200
    text = "\n".join("字" * 100 for _ in range(6))

    await bot.send_all(reply(await people.write(), text))

    assert "\n".join(one.text for one in mp.platform.sent) == text
    assert [one["code"] for one in mp.platform.refused] == [45002]


async def test_a_text_that_is_always_too_long_is_given_up(
    people: People, mp: MpStandin, bot: Driver
) -> None:
    mp.platform.rules.text_max = 10

    error = await _fails(bot, reply(await people.write(), "字" * 700))

    assert isinstance(error, TooLarge)
    assert mp.platform.requests[SEND] == 3


async def test_nothing_to_send_is_refused_here(people: People, mp: MpStandin, bot: Driver) -> None:
    error = await _fails(bot, reply(await people.write(), " \n"))

    assert isinstance(error, ProviderRejected) and not mp.platform.requests[SEND]


async def test_an_active_message_needs_no_inbound_one(
    people: People, mp: MpStandin, bot: Driver
) -> None:
    await people.write()

    await bot.send(OutboundMessage("mp", "test", Peer("user", USER), text="news"))

    assert [one.text for one in mp.platform.sent] == ["news"]


# --- unclear outcomes ----------------------------------------------------------------------------------


async def test_a_lost_answer_leaves_the_outcome_unknown(
    people: People, mp: MpStandin, bot: Driver
) -> None:
    message = await people.write()
    mp.platform.lose_next_answer()

    error = await _fails(bot, reply(message, "hi"))

    assert isinstance(error, OutcomeUnknown) and error.outcome == "unknown"
    assert len(mp.platform.sent) == 1 and mp.platform.requests[SEND] == 1


async def test_a_silent_platform_leaves_the_outcome_unknown(
    people: People, mp: MpStandin, bot: Driver
) -> None:
    message = await people.write()
    mp.platform.hang()

    sending = asyncio.ensure_future(_fails(bot, reply(message, "hi")))
    async with asyncio.timeout(5):
        await mp.is_hanging.wait()
        mp.stop_hanging()
        assert isinstance(await sending, OutcomeUnknown)


@pytest.mark.parametrize(
    ("status", "kind"),
    [(500, ProviderUnavailable), (502, ProviderUnavailable), (503, ProviderUnavailable), (504, OutcomeUnknown)],
)  # fmt: skip
async def test_a_broken_platform(
    people: People, mp: MpStandin, bot: Driver, status: int, kind: type[ChannelError]
) -> None:
    message = await people.write()
    mp.platform.fail(status=status)

    assert isinstance(await _fails(bot, reply(message, "hi")), kind)
    await bot.send(reply(message, "hi"), attempt=2)
    assert [one.text for one in mp.platform.sent] == ["hi"]


async def test_a_platform_that_is_not_there_got_nothing(people: People, bot: Driver) -> None:
    message = await people.write()
    bot.configure(domain="http://127.0.0.1:1")

    error = await _fails(bot, reply(message, "hi"))

    assert isinstance(error, ProviderUnavailable) and error.outcome == "not_sent"


# --- the platform says no ------------------------------------------------------------------------------


async def test_throttling_waits_a_minute(people: People, mp: MpStandin, bot: Driver) -> None:
    message = await people.write()
    mp.platform.throttle()

    error = await _fails(bot, reply(message, "hi"))

    assert isinstance(error, RateLimited) and error.retry_after == 60
    await bot.send(reply(message, "hi"), attempt=2)


async def test_a_person_who_refuses_the_account_is_unreachable(
    people: People, mp: MpStandin, bot: Driver
) -> None:
    message = await people.write()
    mp.platform.rules.refused_users.add(USER)

    error = await _fails(bot, reply(message, "hi"))

    assert isinstance(error, RecipientUnreachable) and error.provider_code == "48002"


async def test_an_active_account_that_is_not_verified_says_so(
    people: People, mp: MpStandin, bot: Driver
) -> None:
    bot.configure(reply_mode="active")
    mp.platform.rules.verified = False

    error = await _fails(bot, reply(await people.write(), "hi"))

    assert isinstance(error, AuthFailed) and error.provider_code == "48001"
    assert "not verified" in error.message


async def test_where_nothing_can_be_kept_an_unverified_account_says_so_too(
    people: People, mp: MpStandin, bot: Driver
) -> None:
    bot.configure(fetch_more=False)
    mp.platform.rules.verified = False

    error = await _fails(bot, reply(await people.write(), "hi"))

    assert isinstance(error, AuthFailed) and error.provider_code == "48001"


# --- tokens --------------------------------------------------------------------------------------------


async def test_one_token_serves_fifty_at_once_and_an_expired_one_is_replaced_once(
    people: People, mp: MpStandin, bot: Driver
) -> None:
    messages = [await people.write(openid=f"oUser{n}") for n in range(50)]
    await asyncio.gather(*(bot.send(reply(one, "hi")) for one in messages))
    assert mp.platform.requests["token"] == 1
    mp.platform.expire_token()

    await asyncio.gather(*(bot.send(reply(one, "again"), reply_ordinal=2) for one in messages))

    assert (mp.platform.requests["token"], len(mp.platform.sent)) == (2, 100)
    assert not mp.platform.requests["forced"]


async def test_a_token_that_was_replaced_elsewhere_is_forced_anew_once(
    people: People, mp: MpStandin, bot: Driver
) -> None:
    message = await people.write()
    await bot.send(reply(message, "hi"))
    mp.platform.revoke_token()

    await bot.send(reply(message, "still there"), reply_ordinal=2)

    assert mp.platform.requests["forced"] == 1
    mp.platform.revoke_token()
    error = await _fails(bot, reply(message, "again"), reply_ordinal=3)
    assert isinstance(error, AuthFailed) and mp.platform.requests["forced"] == 1


@pytest.mark.parametrize("code", [40001, 40014, 42001, 41001])
async def test_a_token_refused_twice_is_a_matter_for_the_operator(
    people: People, mp: MpStandin, bot: Driver, code: int
) -> None:
    message = await people.write()
    mp.platform.answer_with(code, times=2)

    assert isinstance(await _fails(bot, reply(message, "hi")), AuthFailed)
    assert mp.platform.requests[SEND] == 2


async def test_a_wrong_secret_is_a_matter_for_the_operator(
    people: People, mp: MpStandin, bot: Driver
) -> None:
    message = await people.write()
    bot.configure(app_secret="wrong")

    error = await _fails(bot, reply(message, "hi"))

    assert isinstance(error, AuthFailed) and error.provider_code == "40125"
    assert "wrong or was reset" in error.message


async def test_no_secret_appears_in_an_error_or_a_log(
    people: People, mp: MpStandin, bot: Driver
) -> None:
    message = await people.write()
    await bot.send(reply(message, "hi"))
    token = mp.platform.give_token(
        {
            "grant_type": "client_credential",
            "appid": mp.platform.app_id,
            "secret": mp.platform.secret,
        }
    )["access_token"]
    mp.platform.lose_next_answer()

    error = await _fails(bot, reply(message, "hi"), reply_ordinal=2)

    assert token not in f"{error.message} {bot.host.lines}"
    assert mp.platform.secret not in f"{error.message} {bot.host.lines}"


# --- typing --------------------------------------------------------------------------------------------


async def test_typing_is_shown_to_who_wrote(people: People, mp: MpStandin, bot: Driver) -> None:
    await people.write()

    await bot.type(USER)

    assert mp.platform.typing == [{"touser": USER, "command": "Typing"}]


@pytest.mark.parametrize("code", [45072, 45080, 45081])
async def test_typing_is_a_courtesy(mp: MpStandin, bot: Driver, code: int) -> None:
    mp.platform.answer_with(code, path="/typing")

    await bot.type(USER)

    assert mp.platform.refused[0]["code"] == code


async def test_typing_tells_when_it_is_throttled(mp: MpStandin, bot: Driver) -> None:
    mp.platform.answer_with(45011, path="/typing")

    with pytest.raises(RateLimited):
        await bot.type(USER)


async def test_a_passive_account_shows_nothing(mp: MpStandin, bot: Driver) -> None:
    bot.configure(reply_mode="passive")

    await bot.type(USER)

    assert not mp.platform.requests
    with pytest.raises(UnsupportedFeature):
        await bot.type(USER, "read")
