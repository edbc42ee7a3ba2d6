"""`make demo` shows the main job (rows C2-C4, N4, N5, N7, P1, P2, P7): seen in full, or told what was missing."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.process, pytest.mark.timeout(240)]
ROOT = Path(__file__).resolve().parents[2]
DEMO = [sys.executable, str(ROOT / "demo" / "main_job.py")]


def environment(folder: Path) -> dict[str, str]:
    # Whatever an operator has set for another gateway must not reach this one.
    return {
        **os.environ,
        "TMPDIR": str(folder),
        "WUNDER_SERVER_PORT": "1",
        "PYTHONPATH": "/nowhere",
    }


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def pids_in(output: str) -> list[int]:
    return [int(pid) for pid in re.findall(r"(?:pid|-9|->) (\d+)", output)]


def test_the_demo_sees_all_that_is_promised_and_leaves_nothing_behind(tmp_path: Path) -> None:
    done = subprocess.run(
        DEMO, env=environment(tmp_path), capture_output=True, encoding="utf-8", cwd=tmp_path
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"all \d+ seen in", done.stdout)
    assert "✘" not in done.stdout
    assert "\x1b" not in done.stdout, "no colours where nobody looks"
    assert list(tmp_path.iterdir()) == []
    pids = pids_in(done.stdout)
    assert len(pids) >= 5
    assert not any(map(is_running, pids))


def test_a_demo_whose_gateway_dies_says_what_was_missing_and_tidies_up(tmp_path: Path) -> None:
    with subprocess.Popen(
        DEMO,
        env=environment(tmp_path),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    ) as demo:
        assert demo.stdout is not None
        said = ""
        for line in demo.stdout:
            said += line
            if found := re.search(r"gateway: .*pid (\d+)", line):
                os.kill(int(found[1]), signal.SIGKILL)
    assert demo.returncode == 1, said
    assert "MISSED" in said
    assert re.search(r"missing: .*gateway killed: replies arrive once", said)
    assert list(tmp_path.iterdir()) == []
    assert not any(map(is_running, pids_in(said)))
