"""Delivery semantics, Inline replies: the reply travels in the webhook's own response, once."""

import asyncio

from tests.journeys.corridor import corridor
from wunder.model.delivery import DeliveryState
from wunder.model.provider import WebhookAnswer
from wunder.model.turn import Reply
from wunder.upkeep.ledger import DeliveryFilter

SENT, PENDING, UNKNOWN = DeliveryState.SENT, DeliveryState.PENDING, DeliveryState.UNKNOWN
HELLO = {"id": "1", "peer": "ann", "text": "hi"}


async def answered(here, answer: WebhookAnswer, *, is_written: bool = True) -> bytes:
    assert answer.ticket
    await here.webhooks.answered(answer.ticket, is_written=is_written)
    return answer.body


async def test_a_quick_reply_travels_in_the_response_and_is_not_sent_again(tmp_path) -> None:
    async with corridor(tmp_path) as here:
        here.platform.inline_s = (4.5, 14.0)
        assert await answered(here, await here.post(HELLO)) == b"reply:hi"
        await here.until_states(SENT)
        here.clock.advance(60)
        assert here.platform.arrivals == []


async def test_all_texts_of_the_turn_are_joined(tmp_path) -> None:
    async with corridor(tmp_path) as here:
        here.platform.inline_s = (4.5, 14.0)

        async def twice(turn):
            return (Reply("one"), Reply("two"))

        here.agents.answer_with = twice
        assert await answered(here, await here.post(HELLO)) == b"reply:one\n\ntwo"
        await here.until_states(SENT)


async def test_a_slow_reply_is_collected_by_a_repeat_of_the_request(tmp_path) -> None:
    async with corridor(tmp_path) as here:
        here.platform.inline_s = (4.5, 14.0)
        gate = asyncio.Event()

        async def slow(turn):
            await gate.wait()
            return (Reply("late"),)

        here.agents.answer_with = slow
        first = asyncio.ensure_future(here.post(HELLO))
        await here.until(lambda: here.agents.turns)
        here.clock.advance(4.5)
        assert (await first).status == 0  # unanswered: the platform delivers again
        second = asyncio.ensure_future(here.post(HELLO))
        gate.set()
        assert await answered(here, await second) == b"reply:late"
        await here.until_states(SENT)
        assert len(here.agents.turns) == 1


async def test_what_comes_after_the_window_is_sent_the_normal_way(tmp_path) -> None:
    async with corridor(tmp_path) as here:
        here.platform.inline_s = (4.5, 4.5)
        gate = asyncio.Event()

        async def slow(turn):
            await gate.wait()
            return (Reply("late"),)

        here.agents.answer_with = slow
        post = asyncio.ensure_future(here.post(HELLO))
        await here.until(lambda: here.agents.turns)
        here.clock.advance(4.6)
        answer = await post
        assert (answer.status, answer.ticket) == (200, "")
        gate.set()
        await here.until(lambda: here.platform.texts() == ["late"])


async def test_the_dispatcher_leaves_a_held_reply_alone_until_its_window_ends(tmp_path) -> None:
    async with corridor(tmp_path) as here:
        here.platform.inline_s = (0.0, 14.0)  # no time to wait, but repeats may come
        assert (await here.post(HELLO)).status == 0
        await here.until_states(PENDING)
        here.clock.advance(13.9)
        await asyncio.sleep(0.1)
        assert here.platform.arrivals == []
        here.clock.advance(0.2)
        await here.until(lambda: here.platform.texts() == ["hi"])


async def test_two_webhooks_that_hold_one_message_do_not_both_carry_the_reply(tmp_path) -> None:
    async with corridor(tmp_path) as here:
        here.platform.inline_s = (4.5, 14.0)
        async with asyncio.TaskGroup() as tg:
            posts = [tg.create_task(here.post(HELLO)) for _ in range(3)]
        carrying = [post.result() for post in posts if post.result().ticket]
        assert len(carrying) == 1
        await answered(here, carrying[0])
        await here.until_states(SENT)
        assert here.platform.arrivals == []


async def test_a_response_that_broke_off_leaves_the_delivery_unknown(tmp_path) -> None:
    async with corridor(tmp_path) as here:
        here.platform.inline_s = (4.5, 14.0)
        answer = await here.post(HELLO)
        await answered(here, answer, is_written=False)
        await here.until_states(UNKNOWN)
        (found,) = (await here.store.ledger.deliveries(DeliveryFilter(), 9, "")).items
        _, (attempt,) = await here.store.ledger.delivery(found.delivery_id)
        assert attempt.outcome == "unknown", "what decides whether a duplicate counts as a success"


async def test_a_message_without_an_answer_is_acknowledged_at_once(tmp_path) -> None:
    async with corridor(tmp_path) as here:
        here.platform.inline_s = (4.5, 14.0)

        async def nothing(turn):
            return ()

        here.agents.answer_with = nothing
        answer = await here.post(HELLO)
        assert (answer.status, answer.ticket) == (200, "")
