"""What comes too late or is too long for a response: kept, and fetched by sending 1."""

import json
from typing import Any

import pytest

from tests.standins.wechat_mp.callbacks import Callback
from wunder_channels.wechat_mp.leftovers import MORE, OTHERS, TRUNCATED, WORKING
from wunder_channels.wechat_mp.plain_text import LIMIT_BYTES
from wunder_channels.wechat_mp.tests.driver import Driver, body_of, reply, writer
from wunder_sdk import ChannelError, ChannelMessage, RecipientUnreachable, StateConflict
from wunder_sdk.errors import Quota
from wunder_sdk.splitting import utf8_size

CREATED_S = 1_767_225_600


def _bot(**config: Any) -> Driver:
    return Driver(**{"reply_mode": "passive", **config})


async def _ask(bot: Driver, text: str = "hello", **asked: Any) -> tuple[Callback, ChannelMessage]:
    callback = writer().write({"text": text, "created_s": bot.host.clock_ms // 1000, **asked})
    (message,) = (await bot.parse(callback)).messages
    return callback, message


async def _say(bot: Driver, text: str, **asked: Any) -> dict[str, Any]:
    """Write a message that is answered at once, and return what the user sees."""
    callback = writer().write({"text": text, "created_s": bot.host.clock_ms // 1000, **asked})
    result = await bot.parse(callback)
    assert not result.messages and result.inline_reply is None
    seen = writer().read_answer(body_of(result.immediate_response))
    assert seen
    return seen


def _seen(body: bytes) -> dict[str, Any]:
    found = writer().read_answer(body)
    assert found
    return found


# --- long replies --------------------------------------------------------------------------------------


async def test_a_long_reply_is_fetched_page_by_page() -> None:
    bot = _bot()
    text = "\n".join(f"{n}: " + "字" * 300 for n in range(6))
    callback, message = await _ask(bot)

    pages = [_seen(await bot.render(callback, reply(message, text)))["Content"]]
    while pages[-1].endswith(MORE):
        pages.append((await _say(bot, "1"))["Content"])

    assert all(utf8_size(one) <= LIMIT_BYTES for one in pages) and len(pages) == 3
    assert "\n".join(one.removesuffix(MORE) for one in pages) == text
    assert (await _ask(bot, "1"))[1].text == "1"


async def test_repeats_of_a_request_for_more_get_the_same_page() -> None:
    bot = _bot()
    callback, message = await _ask(bot)
    await bot.render(callback, reply(message, " ".join(map(str, range(1_500)))))

    first = await _say(bot, "1", message_id="77")
    again = await _say(bot, "1", message_id="77")
    other = await _say(bot, "1", message_id="78")

    assert first["Content"] == again["Content"] != other["Content"]
    last = await _say(bot, "1", message_id="78")
    assert last["Content"] == other["Content"]


async def test_without_the_offer_a_long_reply_says_that_it_is_cut() -> None:
    bot = _bot(fetch_more=False)
    callback, message = await _ask(bot)

    shown = _seen(await bot.render(callback, reply(message, "字" * 2000)))["Content"]

    assert shown.endswith(TRUNCATED) and utf8_size(shown) <= LIMIT_BYTES
    assert (await _ask(bot, "1"))[1].text == "1"


async def test_another_user_fetches_nothing() -> None:
    bot = _bot()
    callback, message = await _ask(bot)
    await bot.render(callback, reply(message, "字" * 2000))

    assert (await _ask(bot, "1", openid="oSomebodyElse"))[1].text == "1"


# --- late replies --------------------------------------------------------------------------------------


async def test_a_late_reply_is_kept_and_fetched_and_its_delivery_confirmed() -> None:
    bot, callback = _bot(), writer().write({"created_s": CREATED_S})
    results = [await bot.parse(callback) for _ in range(3)]
    (message,) = results[2].messages
    assert (await _say(bot, "1"))["Content"] == WORKING

    sent = await bot.send(reply(message, "the answer"))
    asked = writer().write({"text": " 1\n"})
    fetched = await bot.parse(asked)

    assert sent.raw_result == {"kept_until_fetched": True}
    assert _seen(body_of(fetched.immediate_response))["Content"] == "the answer"
    (receipt,) = fetched.receipts
    assert (receipt.provider_message_id, receipt.status) == (sent.provider_message_id, "delivered")
    assert fetched.ignored == "fetched" and not fetched.messages
    assert (await _ask(bot, "1"))[1].text == "1"


async def test_a_reply_in_time_ends_the_offer() -> None:
    bot, callback = _bot(), writer().write({"created_s": CREATED_S})
    results = [await bot.parse(callback) for _ in range(3)]

    await bot.render(callback, reply(results[2].messages[0], "just in time"))

    assert (await _ask(bot, "1"))[1].text == "1"


async def test_a_repeat_after_the_reply_is_only_acknowledged() -> None:
    bot, callback = _bot(), writer().write({"created_s": CREATED_S})
    results = [await bot.parse(callback) for _ in range(2)]
    await bot.render(callback, reply(results[1].messages[0], "answered"))

    assert body_of((await bot.parse(callback)).immediate_response) == b"success"


async def test_an_unread_reply_is_mentioned_in_the_next() -> None:
    bot = _bot()
    _, first = await _ask(bot, "first")
    await bot.send(reply(first, "late"))
    callback, second = await _ask(bot, "second")

    assert _seen(await bot.render(callback, reply(second, "quick")))["Content"] == "quick" + OTHERS
    assert (await _say(bot, "1"))["Content"] == "late"


async def test_a_late_reply_sent_twice_is_kept_once() -> None:
    bot = _bot()
    _, message = await _ask(bot)
    first = await bot.send(reply(message, "late"))
    second = await bot.send(reply(message, "late"), attempt=2)

    assert first == second
    assert (await _say(bot, "1"))["Content"] == "late"
    assert (await _ask(bot, "1"))[1].text == "1"


async def test_nothing_is_kept_for_ever() -> None:
    bot = _bot()
    _, message = await _ask(bot)
    await bot.send(reply(message, "late"))
    bot.host.clock_ms += 48 * 3_600_000 + 1

    assert (await _ask(bot, "1"))[1].text == "1"


async def test_a_reply_that_never_comes_is_not_waited_for_for_ever() -> None:
    bot, callback = _bot(), writer().write({"created_s": CREATED_S})
    for _ in range(3):
        await bot.parse(callback)
    bot.host.clock_ms += 600_001

    assert (await _ask(bot, "1"))[1].text == "1"


async def test_many_users_fit_and_the_oldest_are_forgotten_first() -> None:
    bot = _bot()
    for number in range(300):
        _, message = await _ask(bot, openid=f"oUser{number}")
        await bot.send(reply(message, f"{number} " + "x" * 6_000))

    assert all(len(str(one.value)) < 64_000 for one in bot.host.stored.values())
    assert len(bot.host.stored) <= 16
    assert (await _say(bot, "1", openid="oUser299"))["Content"].startswith("299 ")
    assert (await _ask(bot, "1", openid="oUser0"))[1].text == "1"


@pytest.mark.parametrize("text", ["late", None])
async def test_what_nobody_could_fetch_is_a_clear_failure(text: str | None) -> None:
    bot = _bot(fetch_more=text is None)
    _, message = await _ask(bot)

    with pytest.raises(RecipientUnreachable) as failed:
        await bot.send(reply(message, text))
    assert "cannot send customer service messages" in failed.value.message


async def test_an_active_message_of_a_passive_account_is_a_clear_failure() -> None:
    bot = _bot()
    _, message = await _ask(bot)
    unasked = reply(message, "hi")
    object.__setattr__(unasked, "reply_to", None)

    with pytest.raises(ChannelError) as failed:
        await bot.send(unasked)
    assert failed.value.kind == "recipient_unreachable"


async def test_a_text_that_doubles_in_the_store_still_fits() -> None:
    bot = _bot()
    for number in range(4):
        _, message = await _ask(bot, f"question {number}")
        await bot.send(reply(message, f"{number}" + '"\n' * 20_000))

    (shelf,) = bot.host.stored.values()
    assert len(json.dumps(shelf.value, ensure_ascii=False).encode()) < 60_000
    assert (await _say(bot, "1"))["Content"].startswith("3")


@pytest.mark.parametrize("error", [StateConflict, Quota])
async def test_where_nothing_can_be_noted_the_last_delivery_is_only_acknowledged(
    error: type[ChannelError], monkeypatch: pytest.MonkeyPatch
) -> None:
    bot, callback = _bot(), writer().write({"created_s": CREATED_S})

    async def refuse(*_: Any) -> int:
        raise error

    monkeypatch.setattr(bot.host, "state_put", refuse)
    answers = [body_of((await bot.parse(callback)).immediate_response) for _ in range(3)]

    assert answers == [b"success"] * 3
    with pytest.raises(ChannelError):
        await bot.send(reply((await bot.parse(callback)).messages[0], "late"))
