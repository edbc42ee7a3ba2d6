"""`make chaos`: every scenario on every setup in its long form; prints and keeps the table.

`--only TEXT` and `--setup NAME` choose, `--short` plays as few as every build does, `--save` writes the
figures to benchmarks/results and the table into docs/reliability.md and its twin, beside the rows of the
same day that were not played again. A machine that has other work takes fewer messages a second:
`--pace 0.3` posts so much less, `--budget 0.5` ends runs sooner.
"""

import argparse
import asyncio
import sys
import tempfile
import time
import traceback
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from benchmarks.machine import facts, short_name
from tests.chaos import report
from tests.chaos.play import Played, play
from tests.chaos.scenarios import ALL, SCENARIOS, Scenario
from tests.chaos.world import ACCOUNTS_A_CHANNEL, CHANNELS, CONVERSATIONS_AN_ACCOUNT
from tests.postgres_server import stop_postgres

ROOT = Path(__file__).resolve().parents[2]
#: A run that does not come to rest must not hold up the others.
LIMIT_S = 400.0


def main() -> int:
    """Play what was asked for; 0 when every promise held."""
    given = _arguments()
    setups = {setup.name: setup for setup in ALL}
    chosen = [
        (scenario, setup)
        for scenario in SCENARIOS
        for setup in scenario.setups
        if given.only in scenario.name and given.setup in ("", setup.name)
    ]
    if not chosen or (given.setup and given.setup not in setups):
        sys.stderr.write(f"nothing to play; setups: {', '.join(setups)}\n")
        return 2
    accounts = len(CHANNELS) * ACCOUNTS_A_CHANNEL
    _say(f"{len(chosen)} runs, {accounts} accounts, {accounts * CONVERSATIONS_AN_ACCOUNT} lanes")
    rows: list[Played] = []
    broken = 0
    began = time.monotonic()
    try:
        for scenario, setup in chosen:
            row = _played(at_pace(scenario, given.pace, given.budget), setup.name, given.short)
            broken += row is None or bool(row.faults)
            if row is not None:
                rows.append(row)
            if given.save and rows:
                _keep(rows, (time.monotonic() - began) / 60)
    finally:
        stop_postgres()
    minutes = (time.monotonic() - began) / 60
    _say(
        f"{len(rows)} of {len(chosen)} runs came to rest in {minutes:.0f} minutes; {broken} broken"
    )
    if given.save and rows:
        save(rows, minutes, given.pace)
    return min(1, broken)


def at_pace(scenario: Scenario, pace: float, budget: float) -> Scenario:
    """The scenario with so much of its load and of its time."""
    return replace(scenario, per_s=scenario.per_s * pace, budget_s=scenario.budget_s * budget)


def _played(scenario: Scenario, setup_name: str, is_short: bool) -> Played | None:
    setup = next(one for one in ALL if one.name == setup_name)
    times = scenario.short if is_short else scenario.long
    with tempfile.TemporaryDirectory(prefix="chaos", ignore_cleanup_errors=True) as folder:
        try:
            row = asyncio.run(play(scenario, setup, times, Path(folder), LIMIT_S))
        except Exception:  # noqa: BLE001 - one run that failed must not hide the others
            _say(f"BROKEN {scenario.name} on {setup_name}\n{traceback.format_exc()}")
            return None
    _say(report.line(row))
    if row.faults:
        _say(row.text + f"\n  CHAOS_SEED={row.seed}\n  " + "\n  ".join(row.faults[:20]))
    return row


def _keep(rows: list[Played], minutes: float) -> tuple[dict[str, Any], str, list[Played]]:
    """Write the figures, with those of the day's earlier runs that were not played again."""
    machine = facts()
    name = f"chaos-{datetime.now(UTC):%Y-%m-%d}-{short_name()}.json"
    path = ROOT / "benchmarks/results" / name
    earlier = msgspec.json.decode(path.read_bytes(), type=_Kept).rows if path.exists() else []
    by_place = {(row.scenario, row.setup): row for row in [*earlier, *rows]}
    order = [(scenario.name, setup.name) for scenario in SCENARIOS for setup in scenario.setups]
    found = [by_place[place] for place in order if place in by_place]
    kept = {"machine": machine, "minutes": round(minutes), "rows": msgspec.to_builtins(found)}
    path.write_bytes(msgspec.json.format(msgspec.json.encode(kept), indent=1))
    return machine, name, found


class _Kept(msgspec.Struct):
    rows: list[Played]


def save(rows: list[Played], minutes: float, pace: float) -> None:
    """Write the figures and both tables."""
    machine, name, found = _keep(rows, minutes)
    load = machine["load_1min"]
    words = {
        "en": f"{machine['at'][:10]}, {machine['cpu']}, {machine['cores']} cores, load {load:.0f} at the end, "
        f"pace {pace:g}, {minutes:.0f} minutes; figures and remarks in `benchmarks/results/{name}`.",
        "zh": f"{machine['at'][:10]}，{machine['cpu']}，{machine['cores']} 核，结束时负载 {load:.0f}，"
        f"节奏 {pace:g}，{minutes:.0f} 分钟；数字与备注见 `benchmarks/results/{name}`。",
    }
    for page, language in report.PAGES.items():
        report.write_into(ROOT / page, found, language, words[language])
    _say(f"written: {name}, {', '.join(report.PAGES)}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make chaos ARGS=")
    parser.add_argument(
        "--only", default="", metavar="TEXT", help="scenarios with TEXT in the name"
    )
    parser.add_argument("--setup", default="", metavar="NAME", help="one setup")
    parser.add_argument("--short", action="store_true", help="as few as every build plays")
    parser.add_argument("--pace", type=float, default=1.0, help="of the messages a second")
    parser.add_argument("--budget", type=float, default=1.0, help="of the time of a run")
    parser.add_argument("--save", action="store_true", help="write results and the table")
    return parser.parse_args()


def _say(words: str) -> None:
    sys.stdout.write(words + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
