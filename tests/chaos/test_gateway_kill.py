"""Promises P1, P2, P3: `kill -9` of the gateway at random instants loses, doubles, reorders nothing."""

import asyncio
import sys
from pathlib import Path

import pytest

from tests.chaos.world import flooding, world

pytestmark = [pytest.mark.process, pytest.mark.chaos]
KILLS_UNDER_LOAD, KILLS_WHILE_STARTING = 50, 10
MESSAGES_PER_S = 40.0
LIMIT_S = 200.0


@pytest.mark.timeout(LIMIT_S + 100)
async def test_whatever_was_accepted_is_answered_once_and_in_order_through_fifty_kills(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with world(tmp_path, MESSAGES_PER_S) as here:
        async with asyncio.timeout(LIMIT_S), flooding(here):
            plan = [True] * KILLS_UNDER_LOAD + [False] * KILLS_WHILE_STARTING
            here.dice.shuffle(plan)
            here.kill()
            for is_under_load in plan:
                if is_under_load:
                    await here.start()
                    await asyncio.sleep(here.dice.uniform(0.0, 0.7))
                    here.kill()
                else:
                    await here.kill_while_starting()
            await here.start()
        verdict = await here.judge()
    with capsys.disabled():
        sys.stdout.write(
            "\n"
            + verdict.table(f"kill -9 of the gateway, {len(plan)} times, seed {here.seed}")
            + "\n"
        )
    assert not verdict.faults, f"CHAOS_SEED={here.seed}\n" + "\n".join(verdict.faults)
    assert verdict.accepted == verdict.posted > 0
    assert not verdict.ended
