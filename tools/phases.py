"""Run every phase of the tests, also after one has failed, and say in the last line which failed.

    python tools/phases.py

The exit status is that of the first phase that failed.
"""

import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parents[1]
CHAOS_MARK = "mark.chaos"


@dataclass(frozen=True)
class Phase:
    """A run of pytest: its name, and what pytest is told."""

    name: str
    words: tuple[str, ...]


@dataclass(frozen=True)
class Ended:
    """What became of a phase: pytest's exit status, its tests by outcome, and how long it took."""

    name: str
    status: int
    tests: Counter[str]
    took_s: float


def phases() -> list[Phase]:
    """The quick majority; those in a browser; those that kill and starve, apart from the others.

    Each is for two processors. A third process works while the others wait for disks, servers and processes;
    `worksteal` leaves a file, and what its tests share, to one process until another has nothing to do.
    """
    # Only where such tests lie: each process would spend ten seconds on reading the others.
    return [
        Phase("quick", ("-n", "3", "--dist", "worksteal", "-m", "not chaos and not e2e")),
        Phase("browser", ("-n", "2", "--dist", "worksteal", "-m", "e2e", "tests/e2e")),
        Phase("chaos", ("-n", "2", "--dist", "worksteal", "-m", "chaos", *chaos_files())),
    ]


def chaos_files() -> list[str]:
    """Every file in which something bears the mark `chaos`."""
    return sorted(
        path.relative_to(ROOT).as_posix()
        for folder in ("tests", "src/wunder_channels")
        for path in (ROOT / folder).rglob("test_*.py")
        if CHAOS_MARK in path.read_text("utf-8")
    )


def play(phase: Phase) -> Ended:
    """Run a phase; what it says goes to the terminal."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="phase") as folder:
        report = Path(folder) / "report.xml"
        command = [sys.executable, "-m", "pytest", "-q", f"--junit-xml={report}", *phase.words]
        status = subprocess.run(command, check=False).returncode
        tests = count(report)
    return Ended(phase.name, status, tests, time.monotonic() - began)


def count(report: Path) -> Counter[str]:
    """The tests of a phase by outcome; nothing where it ended before it could tell."""
    try:
        # Our own pytest wrote it.
        suites = ElementTree.parse(report).getroot().iter("testsuite")
    except (OSError, ElementTree.ParseError):
        return Counter()
    found: Counter[str] = Counter()
    for suite in suites:
        given = {key: int(suite.get(key, "0")) for key in ("failures", "errors", "skipped")}
        found["failed"] += given["failures"]
        found["error"] += given["errors"]
        found["skipped"] += given["skipped"]
        found["passed"] += int(suite.get("tests", "0")) - sum(given.values())
    return found


def told(tests: Counter[str], took_s: float) -> str:
    """Counts and time, in pytest's own words."""
    order = ("failed", "passed", "skipped", "error")
    counts = ", ".join(f"{tests[name]} {name}" for name in order if tests[name])
    return f"{counts or 'no tests ran'} in {took_s:.2f}s"


def summary(ended: Sequence[Ended]) -> list[str]:
    """A line a phase, and a last one that says which failed."""
    lines = [f"{one.name:<10}{told(one.tests, one.took_s)}{_verdict(one.status)}" for one in ended]
    total = told(sum((one.tests for one in ended), Counter()), sum(one.took_s for one in ended))
    failed = ", ".join(one.name for one in ended if one.status)
    return [*lines, f"{total}, failed in: {failed}" if failed else total]


def _verdict(status: int) -> str:
    return f": FAILED, exit status {status}" if status else ""


def run(chosen: Sequence[Phase]) -> int:
    """Play all of them; the last line printed says which failed.

    Returns:
        The exit status of the first that failed, else 0.
    """
    ended = []
    for phase in chosen:
        print(f"== {phase.name}", flush=True)
        ended.append(play(phase))
    print("", *summary(ended), sep="\n", flush=True)
    failed = next((one.status for one in ended if one.status), 0)
    # A signal is a negative status, of which a shell makes 128 and its number.
    return failed if failed >= 0 else 128 - failed


if __name__ == "__main__":
    raise SystemExit(run(phases()))
