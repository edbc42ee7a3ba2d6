"""Plays a scenario on a setup from an empty store to rest, and judges it."""

import asyncio
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from tests.chaos.cluster import Ground, Setup
from tests.chaos.scenarios import Scenario
from tests.chaos.small_disk import small_disk
from tests.chaos.verdict import Verdict, waits_s
from tests.chaos.world import flooding, world
from tests.postgres_server import PostgresServer, binaries


class Played(msgspec.Struct):
    """One row of the table, and what broke a promise."""

    scenario: str
    setup: str
    times: int
    seed: int
    took_s: float
    note: str
    figures: dict[str, Any]
    faults: list[str]
    text: str


async def play(
    scenario: Scenario, setup: Setup, times: int, tmp_path: Path, limit_s: float = 300.0
) -> Played:
    """Break things `times` times under load.

    Raises: TimeoutError, AssertionError where it never came to rest.
    """
    began = time.monotonic()
    with ground_for(scenario, setup) as ground:
        async with world(tmp_path, scenario.per_s, setup, ground, **scenario.settings) as here:
            if scenario.moods:
                await asyncio.to_thread(here.platform.tell, **scenario.moods)
            here.ends_at = time.monotonic() + scenario.budget_s
            async with asyncio.timeout(limit_s), flooding(here):
                note = await scenario.breakage(here, times) or ""
            if scenario.afterwards is not None:
                await here.rest()
                await scenario.afterwards(here)
            verdict = await here.judge()
            note = note or scenario.remark(here)
            waits = sorted(
                w for ws in waits_s(here.flood.posted, here.journal).values() for w in ws
            )
    return Played(
        scenario=scenario.name,
        setup=setup.name,
        times=here.times or times,
        seed=here.seed,
        took_s=round(time.monotonic() - began, 1),
        note=note,
        figures={**verdict.row(), "posted": verdict.posted, "p99_s": _p99(waits)},
        faults=faults_of(verdict, scenario.keeps, scenario.keeps_share),
        text=verdict.table(
            f"{scenario.name} on {setup.name}, {here.times or times}, seed {here.seed}"
        ),
    )


@contextmanager
def ground_for(scenario: Scenario, setup: Setup) -> Iterator[Ground]:
    """Put a small disk under the store where the scenario asks for one."""
    if not scenario.disk_bytes:
        yield Ground(is_wired=scenario.is_wired)
        return
    # Short: the path of a socket has at most 107 bytes.
    with tempfile.TemporaryDirectory(prefix="wd", dir="/tmp") as top:
        os.chmod(top, 0o755)
        with small_disk(Path(top) / "disk", scenario.disk_bytes) as disk:
            if setup.engine == "sqlite":
                yield Ground(data=disk)
                return
            found = binaries()
            assert found is not None, "run tools/postgres.sh"
            server = PostgresServer(found, disk)
            server.start()
            try:
                yield Ground(server=server)
            finally:
                server.remove()


def faults_of(verdict: Verdict, keeps: tuple[str, ...], share: float) -> list[str]:
    """What must not be there: also what was never accepted, and what ended otherwise."""
    found = verdict.faults
    if verdict.accepted != verdict.posted:
        found.append(f"accepted {verdict.accepted} of {verdict.posted}")
    if not verdict.posted:
        found.append("nothing was posted")
    found += [
        f"ended: {count} {state}"
        for state, count in verdict.ended.items()
        if not state.startswith(keeps or ("\n",))
    ]
    if (kept := sum(verdict.ended.values())) > 1 + share * verdict.accepted:
        found.append(f"{kept} were given up, more than {share:.1%}: {verdict.ended}")
    return found


def _p99(waits: list[float]) -> float:
    return round(waits[len(waits) * 99 // 100], 2) if waits else 0.0
