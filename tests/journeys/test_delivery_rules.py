"""Delivery semantics through the rooms: limits of time that only show when the clock moves."""

import contextlib
import sqlite3

import pytest

from tests.journeys.corridor import corridor
from wunder.errors import AgentFailed, RequestRefused
from wunder.inbound.intake import DEDUPE_DAYS
from wunder.model.delivery import DeliveryState
from wunder.model.fault import FaultKind
from wunder.model.turn import Reply
from wunder.upkeep.ledger import DeliveryFilter

HELLO = {"id": "1", "peer": "ann", "text": "hi"}
DAY_MS = 86_400_000


async def test_a_failing_agent_is_not_asked_again_after_a_minute(tmp_path) -> None:
    async with corridor(tmp_path) as here:

        async def slow_and_broken(turn):
            here.clock.advance(40)
            raise AgentFailed("down")

        here.agents.answer_with = slow_and_broken
        await here.post(HELLO)

        def apologised() -> bool:
            here.clock.advance(1)
            return bool(here.platform.arrivals)

        await here.until(apologised)
        assert len(here.agents.turns) == 2, "the third would have begun after 82 s"
        await here.until_messages("failed")


@pytest.mark.parametrize(("took_s", "is_carried"), [(3.9, True), (4.1, False)])
async def test_a_reply_is_carried_until_half_a_second_before_the_platform_gives_up(
    tmp_path, took_s: float, is_carried: bool
) -> None:
    async with corridor(tmp_path) as here:
        here.platform.inline_s = (4.5, 4.5)

        async def thinking(turn):
            here.clock.advance(took_s)
            return (Reply("thought"),)

        here.agents.answer_with = thinking
        answer = await here.post(HELLO)
        assert bool(answer.ticket) is is_carried


async def test_a_reply_worded_too_late_is_not_written_and_goes_the_normal_way(tmp_path) -> None:
    async with corridor(tmp_path) as here:
        here.platform.inline_s = (4.5, 4.5)
        word = here.platform.render_inline_reply

        async def slowly(*asked):
            here.clock.advance(4.1)
            return await word(*asked)

        here.platform.render_inline_reply = slowly
        answer = await here.post(HELLO)
        assert (answer.status, answer.ticket) == (200, ""), "nothing was written"
        (row,) = (await here.store.ledger.deliveries(DeliveryFilter(), 9, "")).items
        assert row.state is DeliveryState.PENDING
        here.clock.advance(1)
        await here.until(lambda: here.platform.texts() == ["hi"])


async def test_what_a_webhook_says_of_credentials_parks_no_account(tmp_path) -> None:
    """Anybody may post a webhook: only calls that the gateway itself decides to make may park."""
    async with corridor(tmp_path) as here:
        for _ in range(4):
            here.platform.fail_parse(FaultKind.AUTH_FAILED)
            here.platform.fail_parse(FaultKind.ACCOUNT_CONFIG_INVALID)
            for _ in range(2):
                with contextlib.suppress(RequestRefused):
                    await here.post(HELLO)
            here.clock.advance(40)
        assert here.slots.parked() == []
        here.platform.parse_faults.clear()
        await here.post(HELLO)
        await here.until(lambda: here.platform.texts() == ["hi"])


async def test_keys_are_kept_for_two_weeks_or_as_long_as_the_platform_repeats(tmp_path) -> None:
    for days, expected in ((1, DEDUPE_DAYS), (30, 30)):
        folder = tmp_path / str(days)
        async with corridor(folder, redelivery_days=days) as here:
            await here.post(HELLO)
            with sqlite3.connect(folder / "wunder.db") as file:
                (kept_until,) = file.execute("SELECT keep_until FROM channel_dedupe").fetchone()
            assert kept_until == here.clock.now() + expected * DAY_MS
    assert DEDUPE_DAYS == 14
