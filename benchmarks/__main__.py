"""Run every benchmark, print one table with the goals, and keep the figures.

    python -m benchmarks [--quick] [--only NAME ..] [--no-save] [--nonebot [PYTHON]] [--postgres]

Each benchmark is a module of this folder with a `main`; it prints its report as JSON. Ratios and
medians of one run travel between machines, absolute figures do not: results/ says what each run was
measured on. Nothing here fails a build: a missed goal is shown.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.goals import GOALS, figure
from benchmarks.machine import facts, short_name

ROOT = Path(__file__).resolve().parents[1]
#: In this order; quick arguments where the usual ones take more than half a minute.
QUICK: dict[str, list[str]] = {
    "cold_start": ["--rounds", "5"],
    "memory": ["--messages", "100"],
    "rpc_roundtrip": ["--rounds", "6"],
    "webhook_parse": ["--rounds", "7"],
    "store_group_commit": ["--messages", "1000"],
    "store_growth": ["--sizes", "1000,10000"],
    "idle": ["--plugins", "8", "--accounts", "50", "--seconds", "8"],
    "console_api": ["--messages", "100000", "--seconds", "5"],
    "console_first": ["--rounds", "3"],
    "journey": ["--rounds", "1", "--seconds", "2"],
    "neighbours": ["--rounds", "4"],
}
#: What measures the other engine as well, and how it is told.
WITH_POSTGRES = {
    "journey": ["--postgres"],
    "store_group_commit": ["--engine", "sqlite,postgres"],
    "store_growth": ["--engine", "sqlite,postgres"],
}
LIMIT_S = 900.0


def names() -> list[str]:
    """Every benchmark: the known ones first, then whatever else is a store's."""
    found = {path.stem for path in Path(__file__).parent.glob("store_*.py")}
    return [*QUICK, *sorted(found - QUICK.keys())]


def run(name: str, arguments: list[str]) -> Any:
    """Run one benchmark in a process of its own; its report, or why there is none."""
    command = [sys.executable, "-m", f"benchmarks.{name}", *arguments]
    try:
        ended = subprocess.run(
            command, cwd=ROOT, stdout=subprocess.PIPE, timeout=LIMIT_S, check=False, text=True
        )
    except subprocess.TimeoutExpired:
        return {"error": f"not done after {LIMIT_S:.0f} s"}
    if ended.returncode:
        return {"error": f"exit {ended.returncode}"}
    return report_in(ended.stdout)


def report_in(text: str) -> Any:
    """Find the report: all of the output, or its last line."""
    for candidate in (text, text.strip().rpartition("\n")[2]):
        try:
            return json.loads(candidate)
        except ValueError:
            continue
    return {"error": "printed no report", "output": text[-2_000:]}


def table(reports: dict[str, Any]) -> list[str]:
    """Every figure that has a place in the goals."""
    lines = [f"{'figure':<46}{'value':>12}  {'goal':<22}"]
    for goal in GOALS:
        if goal.benchmark not in reports:
            continue
        value = figure(reports[goal.benchmark], goal.path)
        if value is None:
            lines.append(f"{goal.what:<46}{'-':>12}  {goal.asked:<22} not measured")
            continue
        shown = f"{value:,.1f} {goal.unit}".strip()
        lines.append(f"{goal.what:<46}{shown:>12}  {goal.asked:<22} {goal.verdict(value)}".rstrip())
    return lines


def main() -> int:
    """Run, show, keep."""
    options = argparse.ArgumentParser(prog="python -m benchmarks")
    options.add_argument("--quick", action="store_true", help="about two minutes instead of eight")
    options.add_argument("--only", nargs="*", default=None, metavar="NAME")
    options.add_argument("--no-save", action="store_true")
    options.add_argument("--nonebot", nargs="?", const="install", default="", metavar="PYTHON")
    options.add_argument("--postgres", action="store_true", help="measure PostgreSQL beside SQLite")
    chosen = options.parse_args()
    machine = facts()
    reports: dict[str, Any] = {}
    for name in chosen.only or names():
        began = time.monotonic()
        sys.stderr.write(f"{name} ...\n")
        arguments = QUICK.get(name, []) if chosen.quick else []
        if name == "journey" and chosen.nonebot:
            arguments = [*arguments, "--nonebot", chosen.nonebot]
        if name in WITH_POSTGRES and chosen.postgres:
            arguments = [*arguments, *WITH_POSTGRES[name]]
        reports[name] = run(name, arguments)
        problem = reports[name].get("error", "") if isinstance(reports[name], dict) else ""
        sys.stderr.write(f"{name} {problem or 'done'} in {time.monotonic() - began:.0f} s\n")
    machine["load_1min_after"] = round(os.getloadavg()[0], 2)
    print(f"\n{machine['cpu']}, {machine['cores']} cores, {machine['kernel']}, ", end="")
    print(f"Python {machine['python']}, fdatasync p50 {machine['fsync_p50_us']} us, ", end="")
    print(f"load {machine['load_1min']} before and {machine['load_1min_after']} after\n")
    print("\n".join(table(reports)))
    if not chosen.no_save:
        path = ROOT / "benchmarks/results" / f"{datetime.now(UTC):%Y-%m-%d}-{short_name()}.json"
        path.parent.mkdir(exist_ok=True)
        kept = {"machine": machine, "is_quick": chosen.quick, "reports": reports}
        path.write_text(json.dumps(kept, indent=1) + "\n", "utf-8")
        print(f"\nkept in {path.relative_to(ROOT)}")
    return int(any("error" in one for one in reports.values() if isinstance(one, dict)))


if __name__ == "__main__":
    sys.exit(main())
