"""Package rule: a `kill -9` at any step leaves the old version working and the next start clean."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.unit.plugins.raw_zip import good_zip
from wunder.plugins.verify import differences

pytestmark = [pytest.mark.process, pytest.mark.chaos]
ROOT = Path(__file__).resolve().parents[2]
STEPS = [
    "staging", "file plugin.json", "file app/plugin.py", "unpacked", "synced", "renamed", "placed",
    "recording", "recorded",
]  # fmt: skip


def run(data: Path, deadly: str, zip_path: Path, version: str = "-") -> dict[str, Any] | None:
    """Run the program; what it says, None when it was killed at its step."""
    paths = os.pathsep.join([str(ROOT / "src"), str(ROOT)])
    done = subprocess.run(
        [sys.executable, "-m", "tests.plugins.install_program", str(data), deadly, str(zip_path), version],
        env={**os.environ, "PYTHONPATH": paths}, cwd=ROOT, capture_output=True, timeout=50, check=False,
    )  # fmt: skip
    if done.returncode == -signal.SIGKILL:
        return None
    assert done.returncode == 0, done.stderr.decode()
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def upload(top: Path, version: str) -> Path:
    path = top / f"{version}.zip"
    path.write_bytes(good_zip(version=version))
    return path


def releases_on_disk(data: Path) -> set[str]:
    found = (data / "channel_plugins").glob("*/*/" + "?" * 64)
    return {path.parent.name for path in found if any(path.iterdir())}


@pytest.mark.parametrize("step", STEPS)
def test_a_killed_install_leaves_the_old_version_working(tmp_path: Path, step: str) -> None:
    data, old, new = tmp_path / "data", upload(tmp_path, "1.0.0"), upload(tmp_path, "2.0.0")
    assert run(data, "-", old, "1.0.0") is not None
    assert run(data, step, new) is None
    after = run(data, "-", old)
    assert after is not None
    assert after["started"] == {"acme.echo": "1.0.0"}
    assert after["left"] == []
    is_recorded = step == "recorded"
    assert after["versions"] == (["2.0.0", "1.0.0"] if is_recorded else ["1.0.0"])
    assert releases_on_disk(data) == set(after["versions"])
    finished = run(data, "-", new, "2.0.0")
    assert finished is not None
    assert finished["versions"] == ["2.0.0", "1.0.0"]
    assert finished["status"] == "enabled"


@pytest.mark.parametrize("step", ["set aside", "renamed"])
def test_a_killed_repair_can_be_repeated(tmp_path: Path, step: str) -> None:
    data, package = tmp_path / "data", upload(tmp_path, "1.0.0")
    run(data, "-", package, "1.0.0")
    (release,) = (data / "channel_plugins/acme.echo/1.0.0").iterdir()
    victim = release / "app/plugin.py"
    victim.chmod(0o644)
    victim.write_bytes(b"evil")
    assert run(data, step, package) is None
    again = run(data, "-", package)
    assert again is not None
    assert run(data, "-", package)["started"] == {"acme.echo": "1.0.0"}  # type: ignore[index]


@pytest.mark.parametrize("step", ["forgotten", "set aside"])
def test_a_killed_removal_is_finished_at_the_next_start(tmp_path: Path, step: str) -> None:
    data = tmp_path / "data"
    run(data, "-", upload(tmp_path, "1.0.0"), "1.0.0")
    run(data, "-", upload(tmp_path, "2.0.0"))
    assert run(data, step, Path("remove"), "2.0.0") is None
    after = run(data, "-", upload(tmp_path, "1.0.0"))
    assert after is not None
    assert after["versions"] == ["1.0.0"]
    assert releases_on_disk(data) == {"1.0.0"}


def test_nothing_that_is_installed_differs_from_what_was_recorded(tmp_path: Path) -> None:
    data = tmp_path / "data"
    run(data, "-", upload(tmp_path, "1.0.0"))
    (release,) = (data / "channel_plugins/acme.echo/1.0.0").iterdir()
    assert differences(release, {}) != []
    assert {path.kind for path in differences(release, {})} == {"extra"}
