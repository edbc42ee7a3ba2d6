"""The program as it was before a step of the schema, taken out of this repository's own history."""

import subprocess
import sys
from pathlib import Path

import pytest

from wunder.store.postgres.migrations import steps

ROOT = Path(__file__).resolve().parents[2]
STEPS = "src/wunder/store/migrations"
#: Runs what lies in the folder given, whatever is installed.
FROM_FOLDER = (
    "import sys; sys.path.insert(0, sys.argv.pop(1)); import wunder;"
    " assert wunder.__path__[0].startswith(sys.path[0]), wunder.__path__;"
    " from wunder.cli.main import main; sys.exit(main())"
)


def program_with_schema(version: int, parent: Path) -> tuple[str, ...]:
    """Take out the last program that knew no later step; how it is run.

    Skips where the history was not fetched: a shallow clone, or an archive of the source.
    """
    step = next(one for one in steps() if one.number == version + 1)
    path = f"{STEPS}/{step.number:04}_{step.name}.sql"
    added = _git("log", "--diff-filter=A", "--format=%H", "-1", "--", path).decode().strip()
    # A step that nobody has committed yet: what is committed does not know it.
    source = _git("archive", f"{added}^" if added else "HEAD", "src")
    if not source:
        pytest.skip(f"the history of {path} is not here: fetch all of it")
    parent.mkdir()
    subprocess.run(["tar", "-x", "-C", parent], input=source, check=True)
    return (sys.executable, "-c", FROM_FOLDER, str(parent / "src"))


def _git(*arguments: str) -> bytes:
    """What git says; nothing where it cannot."""
    try:
        return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return b""
