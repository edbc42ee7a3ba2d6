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
TESTS_FAILED = 1  # pytest's exit status


@dataclass(frozen=True)
class Phase:
    """A run of pytest: its name, what pytest is told, and how many failures get a second look (ADR 0096)."""

    name: str
    words: tuple[str, ...]
    second_look: int = 0


@dataclass(frozen=True)
class Ended:
    """What became of a phase: pytest's exit status, its tests by outcome, how long it took, what wavered."""

    name: str
    status: int
    tests: Counter[str]
    took_s: float
    wavered: tuple[str, ...] = ()


def phases() -> list[Phase]:
    """The quick majority; those in a browser; those that kill and starve, apart from the others.

    Each is for two processors. A third process works while the others wait for disks, servers and processes;
    `worksteal` leaves a file, and what its tests share, to one process until another has nothing to do.
    """
    # Only where such tests lie: each process would spend ten seconds on reading the others.
    return [
        Phase("quick", ("-n", "3", "--dist", "worksteal", "-m", "not chaos and not e2e")),
        Phase(
            "browser", ("-n", "2", "--dist", "worksteal", "-m", "e2e", "tests/e2e"), second_look=2
        ),
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
    """Run a phase, and once more what few tests of it failed; what it says goes to the terminal."""
    began = time.monotonic()
    status, report = run_pytest(phase.words)
    tests, wavered = count(report), failures(report)
    if status == TESTS_FAILED and not tests["error"] and len(wavered) <= phase.second_look:
        print(f"== {phase.name}, a second look at: {', '.join(wavered)}", flush=True)
        status, _ = run_pytest((*phase.words, "--last-failed", "--last-failed-no-failures", "none"))
    else:
        wavered = ()
    if wavered and not status:
        tests += Counter(passed=len(wavered))
        tests["failed"] = 0
    return Ended(phase.name, status, tests, time.monotonic() - began, () if status else wavered)


def run_pytest(words: Sequence[str]) -> tuple[int, ElementTree.Element]:
    """Run pytest; its exit status and its report, an empty one where it ended before it could tell."""
    with tempfile.TemporaryDirectory(prefix="phase") as folder:
        report = Path(folder) / "report.xml"
        command = [sys.executable, "-m", "pytest", "-q", f"--junit-xml={report}", *words]
        status = subprocess.run(command, check=False).returncode
        try:
            # Our own pytest wrote it.
            return status, ElementTree.parse(report).getroot()
        except (OSError, ElementTree.ParseError):
            return status, ElementTree.Element("testsuites")


def failures(report: ElementTree.Element) -> tuple[str, ...]:
    """The names of the tests that failed."""
    cases = report.iter("testcase")
    return tuple(
        f"{case.get('classname')}.{case.get('name')}"
        for case in cases
        if case.find("failure") is not None
    )


def count(report: ElementTree.Element) -> Counter[str]:
    """The tests of a phase by outcome."""
    found: Counter[str] = Counter()
    for suite in report.iter("testsuite"):
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
    lines = [f"{one.name:<10}{told(one.tests, one.took_s)}{_verdict(one)}" for one in ended]
    total = told(sum((one.tests for one in ended), Counter()), sum(one.took_s for one in ended))
    failed = ", ".join(one.name for one in ended if one.status)
    return [*lines, f"{total}, failed in: {failed}" if failed else total]


def _verdict(one: Ended) -> str:
    if one.status:
        return f": FAILED, exit status {one.status}"
    return f": WAVERED, passed at the second look: {', '.join(one.wavered)}" if one.wavered else ""


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
