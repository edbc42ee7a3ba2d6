"""Installs a Python plugin's own requirements into app/vendor, by recorded hashes only."""

import hashlib
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from wunder.errors import Invalid
from wunder.plugins.recipe import LOCK_NAME, Recipe

VENDOR_FOLDER = "app/vendor"
PIP_TIMEOUT_S = 600
_EXACT = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)==([A-Za-z0-9][A-Za-z0-9.!+_-]*)\Z")
_LOCKED = re.compile(r"(\S+==\S+) --hash=sha256:[0-9a-f]{64}\Z")
#: Pure Python only: the interpreter and the platform that will run it are not known here.
_PURE = ("--only-binary", ":all:", "--no-deps", "--platform", "any", "--implementation", "py", "--abi", "none")  # fmt: skip
#: pip leaves these beside what it installs; they name this machine, or run nothing in a plugin.
_LEFT_BY_PIP = frozenset({"bin", "__pycache__"})


def vendor(recipe: Recipe) -> dict[str, bytes]:
    """Return path in the zip -> content of everything the recipe vendors. Blocking; runs pip.

    The first time, hashes are written to vendor.lock beside the recipe: keep that file under
    version control. Later only packages with these hashes are taken.

    Raises: Invalid when a requirement is not exact or pip fails.
    """
    if not recipe.vendor:
        return {}
    for wanted in recipe.vendor:
        if not _EXACT.match(wanted):
            raise Invalid(f"vendor requirement {wanted!r} must be exact, such as name==1.2.3")
    lock = recipe.folder / LOCK_NAME
    if _locked_in(lock) != set(recipe.vendor):
        lock.write_text(_record(recipe.vendor), "utf-8")
    with tempfile.TemporaryDirectory() as target:
        _pip("install", "--target", target, "--require-hashes", "--no-compile", *_PURE,
             "--requirement", str(lock))  # fmt: skip
        return _gathered(Path(target))


def _locked_in(lock: Path) -> set[str]:
    if not lock.exists():
        return set()
    lines = [line for line in lock.read_text("utf-8").splitlines() if line and line[0] != "#"]
    matches = [_LOCKED.match(line) for line in lines]
    if not all(matches):
        raise Invalid(f"{lock.name} is damaged: delete it to record the hashes again")
    return {match[1] for match in matches if match}


def _record(wanted: tuple[str, ...]) -> str:
    lines = ["# Written by `wunder plugin pack`; delete it to record the hashes again."]
    for requirement in sorted(wanted):
        with tempfile.TemporaryDirectory() as folder:
            _pip("download", "--dest", folder, *_PURE, requirement)
            (wheel,) = Path(folder).iterdir()
            digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
        lines.append(f"{requirement} --hash=sha256:{digest}")
    return "\n".join(lines) + "\n"


def _gathered(target: Path) -> dict[str, bytes]:
    files = sorted(path for path in target.rglob("*") if path.is_file())
    return {
        f"{VENDOR_FOLDER}/{name.as_posix()}": path.read_bytes()
        for path in files
        if not _LEFT_BY_PIP.intersection((name := path.relative_to(target)).parts)
    }


def _pip(*arguments: str) -> None:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", *arguments]
    try:
        done = subprocess.run(  # noqa: S603  # our own interpreter, requirements checked above
            command, capture_output=True, text=True, timeout=PIP_TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise Invalid("pip took too long to fetch what the recipe vendors") from error
    if done.returncode:
        last = "\n".join(done.stderr.strip().splitlines()[-5:])
        raise Invalid(f"pip could not {arguments[0]} what the recipe vendors: {last}")
