"""The stage: a temporary folder and the processes started on it; both are gone when the demo ends."""

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

ROOT = Path(__file__).resolve().parents[1]
T = TypeVar("T")
#: How long an ending process may take before its group is killed.
GRACE_S = 5.0
POLL_S = 0.01


class Miss(Exception):
    """Something promised did not happen."""


class Stage:
    """`with Stage(is_kept=False) as stage:`; whatever happens inside, nothing stays behind."""

    def __init__(self, *, is_kept: bool) -> None:
        self.is_kept = is_kept
        self.folder = Path(tempfile.mkdtemp(prefix="wunder-demo-"))
        self.running: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> "Stage":
        return self

    def __exit__(self, *_: object) -> None:
        if self.is_kept:
            return
        # One Ctrl-C ends the demo; a second one must not end the tidying.
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        # The gateway goes first: it ends its plugins while their platform is still there.
        for process in reversed(list(self.running.values())):
            end(process)
        shutil.rmtree(self.folder, onerror=_writable_again)

    def start(self, name: str, command: Sequence[str], environ: Mapping[str, str]) -> Path:
        """Start a process in a group of its own; return the file that both its outputs go to."""
        log = self.folder / f"{name}.log"
        with log.open("ab") as file:
            self.running[name] = subprocess.Popen(
                command,
                cwd=ROOT,
                env=environ,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                start_new_session=True,
            )
        return log

    def is_running(self, name: str) -> bool:
        return self.running[name].poll() is None

    def kill(self, name: str) -> int:
        """SIGKILL one process and nothing else: no last word, no flush. Its pid."""
        process = self.running.pop(name)
        process.kill()
        process.wait()
        return process.pid

    def secret_file(self, name: str, text: str) -> Path:
        """Write a file that only we may read."""
        path = self.folder / name
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(text)
        return path


def environment(**more: str) -> dict[str, str]:
    """Return our own environment without settings of another gateway or another Python."""
    unwanted = ("WUNDER_", "PYTHON", "CREDENTIALS_DIRECTORY")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(unwanted)}
    # A gateway on loopback is not to be asked for through a proxy.
    return {**kept, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1", **more}


def until(what: str, seen: Callable[[], T], limit_s: float = 20.0) -> T:
    """Wait until `seen` returns something true, and return that. Raises: Miss."""
    ends_at = time.monotonic() + limit_s
    while not (found := seen()):
        if time.monotonic() > ends_at:
            raise Miss(f"not within {limit_s:.0f} s: {what}")
        time.sleep(POLL_S)
    return found


def is_alive(pid: int) -> bool:
    """Tell whether a process runs; one that has died and was not yet collected does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in "ZX"


def end(process: subprocess.Popen[bytes]) -> None:
    """Ask a process to end, then kill what is left of its group."""
    if process.poll() is None:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(GRACE_S)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _writable_again(remove: Callable[[str], object], path: str, _: object) -> None:
    """Installed packages are read-only, folders too; only their owner's demo may delete them."""
    parent = Path(path).parent
    parent.chmod(0o700)
    if os.path.isdir(path):
        os.chmod(path, 0o700)
    remove(path)
