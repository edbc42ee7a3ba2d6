"""Row S1, promises P1, P2, P3: `kill -9` of plugins at random instants; the gateway stays up."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from tests.chaos.world import flooding, until, world

pytestmark = [pytest.mark.process, pytest.mark.chaos]
KILLS = 24
MESSAGES_PER_S = 40.0
LIMIT_S = 90.0
#: Production gives up on a plugin that crashes so often; here it has to come back each time.
PATIENCE = {
    "WUNDER_RUNTIME_LIFE_CRASHES_ALLOWED": "1000",
    "WUNDER_RUNTIME_LIFE_FAILED_STARTS_ALLOWED": "1000",
    "WUNDER_RUNTIME_LIFE_BACKOFF_FIRST_S": "0.05",
    "WUNDER_RUNTIME_LIFE_BACKOFF_CAP_S": "0.2",
}


@pytest.mark.timeout(LIMIT_S + 100)
async def test_whatever_was_accepted_is_answered_once_and_in_order_through_plugin_kills(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with world(tmp_path, MESSAGES_PER_S, **PATIENCE) as here:
        gateway_pid = here.gateway.pid
        async with asyncio.timeout(LIMIT_S), flooding(here):
            for _ in range(KILLS):
                await until(lambda: bool(here.plugin_pids()), 20)
                await asyncio.sleep(here.dice.uniform(0.0, 0.8))
                if pids := await asyncio.to_thread(here.plugin_pids):
                    os.kill(here.dice.choice(pids), signal.SIGKILL)
        verdict = await here.judge()
        assert here.gateway.pid == gateway_pid
        assert here.gateway.get("/healthz")
    with capsys.disabled():
        sys.stdout.write(
            "\n" + verdict.table(f"kill -9 of plugins, {KILLS} times, seed {here.seed}") + "\n"
        )
    assert not verdict.faults, f"CHAOS_SEED={here.seed}\n" + "\n".join(verdict.faults)
    assert verdict.accepted == verdict.posted > 0
    assert not verdict.ended
