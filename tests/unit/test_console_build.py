"""The console is built by whatever Node there is, only when something changed, and nothing breaks without."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
#: Stands in for npm: `ci` brings nothing, `build` writes a page into the folder after --outDir.
NPM = """#!/bin/sh
echo "$*" >> "$CALLS"
while [ $# -gt 0 ]; do
    [ "$1" = --outDir ] && { mkdir -p "$2/assets"; date +%N > "$2/index.html"; }
    shift
done
"""


class Checkout:
    """A checkout with the tool and a console of one file, and a PATH of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.calls = folder, folder / "calls"
        (folder / "tools").mkdir()
        for name in ("console.py", "console-node.txt"):
            shutil.copy(ROOT / "tools" / name, folder / "tools" / name)
        (folder / "console/src").mkdir(parents=True)
        (folder / "console/src/main.tsx").write_text("1")
        (folder / "console/package-lock.json").write_text("{}")
        (folder / "src/wunder").mkdir(parents=True)
        (folder / "bin").mkdir()
        for name in ("sh", "date", "mkdir"):
            (folder / "bin" / name).symlink_to(shutil.which(name) or name)

    def has_node(self, version: str) -> None:
        """Put a Node on the PATH that calls itself so."""
        for name, text in (("node", f"#!/bin/sh\necho {version}\n"), ("npm", NPM)):
            (self.folder / "bin" / name).write_text(text)
            (self.folder / "bin" / name).chmod(0o755)

    def run(self, **environ: str) -> subprocess.CompletedProcess[str]:
        """Build. pip finds nothing anywhere: what is missing stays missing."""
        kept = {"PATH": str(self.folder / "bin"), "CALLS": str(self.calls), "PIP_NO_INDEX": "1"}
        return subprocess.run(
            [sys.executable, "-I", str(self.folder / "tools/console.py")],
            env={"HOME": os.environ.get("HOME", "/"), **kept, **environ},
            capture_output=True,
            encoding="utf-8",
            timeout=60,
            check=False,
        )

    @property
    def page(self) -> Path:
        return self.folder / "src/wunder/console_build/index.html"


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


def test_without_node_it_says_how_to_get_one_and_fails_only_in_ci(checkout: Checkout) -> None:
    said = checkout.run()
    assert said.returncode == 0
    assert "apt install nodejs" in said.stderr
    assert not checkout.page.exists()
    assert checkout.run(CI="true").returncode == 1


def test_a_node_that_is_too_old_is_none(checkout: Checkout) -> None:
    checkout.has_node("v20.18.3")
    assert "skipped" in checkout.run().stderr
    assert not checkout.calls.exists()


@pytest.mark.parametrize("version", ["v20.19.0", "v22.12.0", "v24.1.0"])
def test_it_builds_once_and_again_when_a_source_changed(checkout: Checkout, version: str) -> None:
    checkout.has_node(version)
    assert checkout.run().returncode == 0
    first = checkout.page.read_text()
    assert checkout.run().returncode == 0
    assert checkout.page.read_text() == first
    (checkout.folder / "console/src/main.tsx").write_text("2")
    assert checkout.run().returncode == 0
    assert checkout.page.read_text() != first
    calls = checkout.calls.read_text().splitlines()
    assert [line.split()[0] for line in calls] == ["ci", "run", "run"]
    assert "--ignore-scripts" in calls[0]


def test_a_build_that_fails_leaves_the_one_before_and_says_what_npm_said(
    checkout: Checkout,
) -> None:
    checkout.has_node("v24.1.0")
    checkout.run()
    before = checkout.page.read_text()
    (checkout.folder / "console/src/main.tsx").write_text("2")
    (checkout.folder / "bin/npm").write_text("#!/bin/sh\necho 'no such module'\nexit 1\n")
    said = checkout.run()
    assert said.returncode == 1
    assert "no such module" in said.stderr
    assert checkout.page.read_text() == before
    assert not list((checkout.folder / "console").glob("console-*"))
