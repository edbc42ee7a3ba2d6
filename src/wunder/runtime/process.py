"""One child process: its end is noticed at once, and its whole group goes with it.

Stop order (protocol 1, Health, restart, stop): the caller asks it to shut down, then closes its
stdin, `signal_group(SIGTERM)`, `signal_group(SIGKILL)`, each followed by a bounded wait for `exited`.
Whatever way it ends, its group is killed before it is reaped, so the group's id cannot yet belong
to anybody else. Whoever left the group is the warden's. See docs/adr/0021.
"""

import asyncio
import contextlib
import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

_POLL_S = 0.1  # where the kernel cannot tell us of an exit (macOS)
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


class Watched:
    """A child of ours whose end is noticed at once, on any event loop.

    `on_exit` runs once, after the group was killed and the child reaped. A child that cannot be
    watched (OSError: no descriptors left) is ended at once.
    """

    def __init__(self, child: subprocess.Popen[bytes], on_exit: Callable[[], None]) -> None:
        self._child = child
        self._on_exit = on_exit
        self._loop = asyncio.get_running_loop()
        self._pidfd = -1
        self.pid = child.pid
        self.exited = asyncio.Event()
        if hasattr(os, "pidfd_open"):
            try:
                self._pidfd = os.pidfd_open(child.pid)
            except OSError:
                self.signal_group(signal.SIGKILL)
                child.wait()
                raise
            self._loop.add_reader(self._pidfd, self._look)
        else:
            self._loop.call_later(_POLL_S, self._look)

    @property
    def returncode(self) -> int | None:
        """As subprocess says it: negative for a signal."""
        return self._child.returncode

    @property
    def ending(self) -> str:
        """`exit 1`, `signal 9`, or "" while it lives."""
        code = self._child.returncode
        return "" if code is None else f"signal {-code}" if code < 0 else f"exit {code}"

    def signal_group(self, number: int) -> None:
        """Signal the child and everybody who is still in its group."""
        if not self.exited.is_set():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, number)

    def _look(self) -> None:
        found = os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        if found is None:
            if self._pidfd < 0:
                self._loop.call_later(_POLL_S, self._look)
            return
        # The zombie holds the group's id until it is reaped below: this kill cannot go astray.
        self.signal_group(signal.SIGKILL)
        self._child.wait()
        if self._pidfd >= 0:
            self._loop.remove_reader(self._pidfd)
            os.close(self._pidfd)
        self.exited.set()
        self._on_exit()


def memory_bytes(pid: int) -> int | None:
    """Return the resident memory of a process, None where the system does not tell."""
    try:
        fields = Path(f"/proc/{pid}/statm").read_bytes().split()
    except OSError:
        return None
    return int(fields[1]) * _PAGE_BYTES if len(fields) > 1 else None
