"""Promises P1, P2, P3, P9: whatever is broken, nothing accepted is lost, doubled or reordered.

The short form: each scenario on one setup, the heavy ones on more; `make chaos` plays all on all.
"""

import sys
from pathlib import Path

import pytest

from tests.chaos.cluster import NODES, POSTGRES, SQLITE, Setup
from tests.chaos.play import play
from tests.chaos.scenarios import SCENARIOS, named

pytestmark = [pytest.mark.process, pytest.mark.chaos]
LIMIT_S = 100.0
PLAYS = [
    ("kill -9 of a gateway", SQLITE),
    ("kill -9 of a gateway", NODES),
    ("kill -9 of a plugin", SQLITE),
    ("rolling restart", NODES),
    ("gateway paused past its lease", NODES),
    ("paused between mark and frame", NODES),
    ("paused between frame and answer", NODES),
    ("connection cut around COMMIT", POSTGRES),
    ("kill -9 of PostgreSQL", POSTGRES),
    ("gateway cut off from PostgreSQL", NODES),
    ("clock set by an hour", SQLITE),
    ("clock set by an hour", NODES),
    ("burst", POSTGRES),
    ("one hung account", SQLITE),
    ("one hung plugin", SQLITE),
    ("platform away", POSTGRES),
    ("hostile strings", POSTGRES),
    ("shuffled batches", NODES),
    ("1,008 conversations at once", NODES),
    ("disk full", POSTGRES),
    ("restore of a backup", SQLITE),
]


@pytest.mark.timeout(LIMIT_S + 60)
@pytest.mark.parametrize(("name", "setup"), PLAYS, ids=[f"{n} on {s.name}" for n, s in PLAYS])
async def test_whatever_was_accepted_arrives_once_and_in_order_through(
    name: str, setup: Setup, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scenario = named(name)
    played = await play(scenario, setup, scenario.short, tmp_path, LIMIT_S)
    with capsys.disabled():
        sys.stdout.write(f"\n{played.text}\n  took {played.took_s} s {played.note}\n")
    assert not played.faults, f"CHAOS_SEED={played.seed}\n" + "\n".join(played.faults)


def test_every_scenario_is_played_in_every_build() -> None:
    assert {name for name, _ in PLAYS} == {scenario.name for scenario in SCENARIOS}
