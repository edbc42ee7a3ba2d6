"""Every phase of the tests runs, whatever became of the one before, and the last line says which failed."""

import re
from collections import Counter
from pathlib import Path

import pytest

from tools.phases import Ended, Phase, chaos_files, phases, run, summary

GOOD = "def test_good() -> None: pass\n"
BAD = "def test_bad() -> None: assert False\n"
BROKEN = "import nothing_of_this_name\n"
DEADLY = "import os\n\ndef test_deadly() -> None: os.kill(os.getpid(), 9)\n"


@pytest.fixture
def phase(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    # Ours take two seconds to load, and a phase of one line needs none.
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")

    def of(name: str, text: str) -> Phase:
        file = tmp_path / f"test_{name}.py"
        file.write_text(text)
        return Phase(
            name, ("-p", "no:cacheprovider", "-c", str(tmp_path / "pytest.ini"), str(file))
        )

    return of


def last_line(capfd: pytest.CaptureFixture[str]) -> str:
    return re.sub(r"[\d.]+s", "Ns", capfd.readouterr().out.splitlines()[-1])


def test_all_phases_run_and_the_last_line_says_which_failed(phase, capfd) -> None:
    played = [phase("one", GOOD), phase("two", BROKEN), phase("three", BAD + GOOD)]
    assert run(played) == 2, "the status is that of the first that failed"
    assert last_line(capfd) == "1 failed, 2 passed, 1 error in Ns, failed in: two, three"


def test_a_phase_that_is_killed_or_finds_no_tests_has_failed(phase, capfd) -> None:
    assert run([phase("one", DEADLY), phase("two", ""), phase("three", GOOD)]) == 137
    assert last_line(capfd) == "1 passed in Ns, failed in: one, two"


def test_phases_that_pass_are_counted_together() -> None:
    ended = [
        Ended("one", 0, Counter(passed=3, skipped=1, failed=0), 1.5),
        Ended("two", 0, Counter(passed=2), 2.25),
    ]
    assert summary(ended) == [
        "one       3 passed, 1 skipped in 1.50s",
        "two       2 passed in 2.25s",
        "5 passed, 1 skipped in 3.75s",
    ]


def test_every_test_is_in_one_phase() -> None:
    """A mark that another folder bears would be of no phase, and its tests would never run."""
    root = Path(__file__).resolve().parents[2]
    marked = {
        path.relative_to(root).as_posix()
        for path in (root / "tests").rglob("*.py")
        if re.search(r"mark\.e2e\b|add_marker\(.e2e", path.read_text("utf-8"))
    }
    assert marked <= {"tests/e2e/conftest.py", "tests/unit/test_phases.py"}
    quick, browser, chaos = (one.words for one in phases())
    assert "not chaos and not e2e" in quick
    assert browser[-2:] == ("e2e", "tests/e2e")
    assert [*chaos][-len(chaos_files()) - 1 :] == ["chaos", *chaos_files()]
    assert {"tests/chaos/test_bad_plugins.py", "tests/plugins/test_killed_installs.py"} <= {*chaos}
