"""A user, the platform, a gateway, an agent: in and out, both ways of answering."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.standins.wechat_mp.callbacks import USER
from tests.standins.wechat_mp.platform import FAULT_TEXT
from tests.standins.wechat_mp.world import World, world
from tests.waiting import until
from wunder_channels.wechat_mp.leftovers import MORE, WORKING

MODES = ["plain", "compat", "safe"]
#: Longer than the gateway holds a delivery, shorter than the platform waits.
HELD_S = 4.6


# --- a verified account --------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", MODES)
async def test_a_message_is_answered_by_customer_service_message(mode: str, tmp_path: Path) -> None:
    async with world(tmp_path, mode) as here:
        (answer,) = await here.say("你好 <&>")

        assert answer == {"status": 200, "body": "success"}
        await here.until_seen("你好 <&>")
        await here.until_states("sent")


async def test_repeats_of_a_message_and_of_an_event_are_answered_once(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        for asked in ({"text": "hi"}, {"text": "KEY", "kind": "CLICK"}):
            now_s = int(here.clock.now() / 1000)
            callback = here.mp.callbacks.write({**asked, "created_s": now_s})
            for _ in range(3):
                await here.mp.deliver(callback)

        await here.until_states("sent", "sent")
        assert here.seen() == ["hi", "KEY"]
        assert len(here.agent.turns) == 2


@pytest.mark.parametrize(
    ("code", "state"),
    [(45015, "failed"), (45047, "failed"), (43004, "failed"), (48002, "failed"), (40003, "failed"),
     (87014, "failed"), (45002, "sent"), (40001, "sent"), (42001, "sent")],
)  # fmt: skip
async def test_a_refusal_settles_the_delivery(code: int, state: str, tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        here.mp.platform.answer_with(code)
        await here.say("字" * 300)

        await here.until_states(state)
        (delivery,) = await here.deliveries()
        assert here.seen() == (["字" * 300] if state == "sent" else [])
        if state == "failed":
            assert str(code) in str(delivery)


@pytest.mark.parametrize(("code", "wait_s"), [(-1, 1), (45011, 60), (45009, 3600)])
async def test_a_passing_refusal_is_waited_out(code: int, wait_s: int, tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        here.mp.platform.answer_with(code)
        await here.say("patience")
        await until(lambda: here.mp.platform.refused)
        await here.until_states("pending")

        assert not here.seen()
        here.clock.advance(wait_s + 0.1)
        await here.until_seen("patience")
        await here.until_states("sent")


async def test_a_lost_answer_is_not_repeated(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        here.mp.platform.lose_next_answer()
        await here.say("once")

        await here.until_states("unknown")
        await here.pass_time(90)
        assert here.seen() == ["once"]


async def test_after_two_minutes_of_silence_everything_arrives_once_and_in_order(
    tmp_path: Path,
) -> None:
    users = ["oAnn", "oBob", "oEve"]
    async with world(tmp_path) as here:
        here.mp.platform.fail(10_000, status=503)
        for number in range(3):
            for user in users:
                await here.say(f"{number}", openid=user)
        await here.pass_time(120)
        assert not here.seen()

        here.mp.platform.faults.clear()
        for _ in range(400):
            await here.pass_time(1)
            if len(here.seen()) == 9:
                break
        await here.until_states(*["sent"] * 9)
        assert [here.seen(user) for user in users] == [["0", "1", "2"]] * 3


# --- an account that can only answer in the response ---------------------------------------------------


async def _waiting(here: World, text: str, deliveries: int) -> "asyncio.Task[list[dict[str, Any]]]":
    """Write while the agent thinks, and let `deliveries` of the platform's three go by."""
    here.agent.hang()
    delivering = asyncio.create_task(here.say(text))
    await until(lambda: here.agent.turns)
    for missed in range(1, deliveries + 1):
        await here.until_held(missed)
        here.clock.advance(HELD_S)
        await until(lambda missed=missed: here.mp.posts > missed or delivering.done())
    return delivering


@pytest.mark.parametrize("mode", MODES)
async def test_a_quick_reply_travels_in_the_response(mode: str, tmp_path: Path) -> None:
    async with world(tmp_path, mode, reply_mode="passive") as here:
        await here.say("hello")

        await here.until_states("sent")
        assert here.seen() == ["hello"]
        assert here.mp.platform.sent[0].passive


@pytest.mark.parametrize("missed", [1, 2])
async def test_a_slow_reply_is_collected_by_a_later_delivery(missed: int, tmp_path: Path) -> None:
    async with world(tmp_path, reply_mode="passive") as here:
        delivering = await _waiting(here, "slow", missed)
        here.agent.go_on.set()

        answers = await delivering
        assert [one["status"] for one in answers] == [0] * missed + [200]
        await here.until_states("sent")
        assert here.seen() == ["slow"] and len(here.agent.turns) == 1


async def test_a_reply_after_the_last_delivery_is_fetched_by_sending_1(tmp_path: Path) -> None:
    async with world(tmp_path, reply_mode="passive") as here:
        delivering = await _waiting(here, "very slow", 3)
        assert [one["status"] for one in await delivering] == [0, 0, 200]
        assert here.seen() == [WORKING]
        await here.say("1")
        assert here.seen() == [WORKING, WORKING]

        here.agent.go_on.set()
        await here.pass_time(2)
        await here.until_states("sent")
        await here.say("1")

        assert here.seen() == [WORKING, WORKING, "very slow"]
        (delivery,) = await here.deliveries()
        assert len(here.agent.turns) == 1
        assert str(delivery.receipt) == "delivered"


async def test_a_long_reply_is_read_page_by_page(tmp_path: Path) -> None:
    async with world(tmp_path, reply_mode="passive") as here:
        text = " ".join(f"word{n}" for n in range(700))
        await here.say(text)
        while here.seen()[-1].endswith(MORE):
            await here.say("1")

        await here.until_states("sent")
        assert " ".join(one.removesuffix(MORE) for one in here.seen()) == text
        assert len(here.seen()) == 3


async def test_an_account_that_is_not_verified_learns_it_and_answers_passively(
    tmp_path: Path,
) -> None:
    async with world(tmp_path) as here:
        here.mp.platform.rules.verified = False
        await here.say("first")
        await here.until_states("sent")
        await here.say("1")
        await here.say("second")

        await here.until_states("sent", "sent")
        assert here.seen() == ["first", "second"]
        assert all(one.passive for one in here.mp.platform.sent)


async def test_nobody_ever_sees_the_platforms_words_for_a_broken_account(tmp_path: Path) -> None:
    async with world(tmp_path, reply_mode="passive", fetch_more=False) as here:
        delivering = await _waiting(here, "too slow", 3)
        await delivering
        here.agent.go_on.set()
        await here.pass_time(2)

        await here.until_states("failed")
        assert FAULT_TEXT not in here.seen(USER)
