"""One child process: started with nothing it need not have, watched, and ended with its group.

Stop order (protocol 1, Health, restart, stop): the caller asks it to shut down, then `close_stdin`,
`signal_group(SIGTERM)`, `signal_group(SIGKILL)`, each followed by a bounded wait for `exited`.
Whatever way it ends, its group is killed before it is reaped, so the group's id cannot yet belong
to anybody else. Whoever left the group is the warden's. See docs/adr/0021.
"""

import asyncio
import contextlib
import fcntl
import os
import secrets
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

from wunder.model.runtime import PluginSpec
from wunder.observe.logs import get_logger
from wunder.runtime.policy import ProcessLimits

log = get_logger(__name__)

_SANDBOX = Path(__file__).with_name("sandbox")
_LAUNCH, _WARDEN = str(_SANDBOX / "launch.py"), str(_SANDBOX / "warden.py")
_BARE_PYTHON = (sys.executable, "-I", "-S", "-B")
_INHERITED = ("PATH", "LANG", "LC_ALL", "TZ")  # rule S2: everything else stays out
_POLL_S = 0.1  # where the kernel cannot tell us of an exit (macOS)
_WARDEN_AGAIN_S = 1.0
_PROC_PAGE = os.sysconf("SC_PAGE_SIZE")


class Watched:
    """A child of ours whose end is noticed at once, on any event loop.

    `on_exit` runs once, after the group was killed and the child reaped.
    """

    def __init__(self, child: subprocess.Popen[bytes], on_exit: Callable[[], None]) -> None:
        self._child = child
        self._on_exit = on_exit
        self._loop = asyncio.get_running_loop()
        self._pidfd = -1
        self.pid = child.pid
        self.exited = asyncio.Event()
        if hasattr(os, "pidfd_open"):
            self._pidfd = os.pidfd_open(child.pid)
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


class Warden:
    """The small process that ends the plugins' groups when the gateway was killed."""

    def __init__(self) -> None:
        self._groups: dict[int, str] = {}
        self._pipe = -1
        self._watched: Watched | None = None
        self._is_closing = False

    def add(self, group: int, cookie: str) -> None:
        """Entrust a group to the warden, which starts with the first."""
        self._groups[group] = cookie
        if self._watched is None:
            self._start()
        else:
            self._tell(f"+ {group} {cookie}\n")

    def remove(self, group: int, cookie: str) -> None:
        """Say that a plugin was reaped: whoever it left behind is looked for."""
        if self._groups.pop(group, None) is not None:
            self._tell(f"- {group} {cookie}\n")

    async def close(self, limit_s: float) -> None:
        """End the warden after the last plugin ended; it looks around once more."""
        self._is_closing = True
        if self._watched is None:
            return
        os.close(self._pipe)
        self._pipe = -1
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(limit_s):
                await self._watched.exited.wait()

    def _start(self) -> None:
        theirs, self._pipe = os.pipe()
        os.set_blocking(self._pipe, False)
        try:
            child = subprocess.Popen(  # noqa: S603  # our own file, fixed arguments
                (*_BARE_PYTHON, _WARDEN),
                stdin=theirs,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env={},
                cwd="/",
                start_new_session=True,
            )
        finally:
            os.close(theirs)
        self._watched = Watched(child, self._ended)
        for group, cookie in self._groups.items():
            self._tell(f"+ {group} {cookie}\n")

    def _ended(self) -> None:
        self._watched = None
        if not self._is_closing:
            os.close(self._pipe)
            self._pipe = -1
            log.warning("warden_ended", groups=len(self._groups))
            asyncio.get_running_loop().call_later(_WARDEN_AGAIN_S, self._start_again)

    def _start_again(self) -> None:
        if self._groups and self._watched is None and not self._is_closing:
            self._start()

    def _tell(self, line: str) -> None:
        # A warden that died is replaced when its exit is noticed; the pipe holds 2,000 lines.
        with contextlib.suppress(OSError):
            os.write(self._pipe, line.encode())


class PluginProcess:
    """A plugin's process and our ends of its three pipes, which do not block."""

    def __init__(self, child: subprocess.Popen[bytes], pipes: "_Pipes", cookie: str) -> None:
        self.stdin_fd, self.stdout_fd, self.stderr_fd = pipes.ours()
        self.cookie = cookie
        self._child = child
        self._watched: Watched | None = None

    def watch(self, warden: Warden, on_exit: Callable[[], None]) -> Watched:
        """Notice its end from now on; `on_exit` runs after the reaping."""

        def ended() -> None:
            warden.remove(self._child.pid, self.cookie)
            on_exit()

        warden.add(self._child.pid, self.cookie)
        return Watched(self._child, ended)


def spawn(
    spec: PluginSpec, boot_path: str, limits: ProcessLimits, pipe_bytes: int
) -> PluginProcess:
    """Start a release's entry in a session of its own, by way of launch.py.

    Raises:
        OSError: The working directory is missing, or there are no descriptors left.
    """
    cookie = secrets.token_hex(16)
    entry = str(Path(spec.root_dir) / spec.entry)
    target = ("python", boot_path, entry) if spec.is_python else (entry,)
    pipes = _Pipes(pipe_bytes)
    try:
        child = subprocess.Popen(  # noqa: S603  # an approved, verified release
            (*_BARE_PYTHON, _LAUNCH, *_orders(spec, limits), "--", *target),
            stdin=pipes.child[0],
            stdout=pipes.child[1],
            stderr=pipes.child[2],
            env=environment(spec, cookie, os.environ),
            cwd=spec.work_dir,
            start_new_session=True,
        )
    except OSError:
        pipes.close_ours()
        raise
    finally:
        pipes.close_theirs()
    return PluginProcess(child, pipes, cookie)


def environment(spec: PluginSpec, cookie: str, inherited: Mapping[str, str]) -> dict[str, str]:
    """Return all that a plugin's environment holds; the cookie marks the process as ours."""
    home = spec.data_dir or spec.work_dir
    return {
        **{name: inherited[name] for name in _INHERITED if name in inherited},
        "HOME": home,
        "TMPDIR": home,
        "WUNDER_PLUGIN": "1",
        "WUNDER_COOKIE": cookie,
        "WUNDER_PROTOCOLS": "1",
    }


def memory_bytes(pid: int) -> int | None:
    """Return the resident memory of a process, None where the system does not tell."""
    try:
        fields = Path(f"/proc/{pid}/statm").read_bytes().split()
    except OSError:
        return None
    return int(fields[1]) * _PROC_PAGE if len(fields) > 1 else None


def _orders(spec: PluginSpec, limits: ProcessLimits) -> list[str]:
    # The parent-death signal is tied to the thread that spawned: only the main one lives as long
    # as the gateway does.
    is_main = threading.current_thread() is threading.main_thread()
    orders = {
        "umask": limits.umask,
        "core": 0,
        "nofile": limits.open_files,
        "fsize": limits.file_bytes,
        "oom": limits.oom_score_adj,
        "parent": os.getpid() if is_main else 0,
    }
    if spec.is_python:
        orders["as"] = limits.python_address_space_bytes
    return [f"{name}={value}" for name, value in orders.items()]


class _Pipes:
    """Three pipes; every end closes on exec, the child gets copies of its own."""

    def __init__(self, size_bytes: int) -> None:
        self._pairs = [os.pipe() for _ in range(3)]
        (stdin_read, stdin_write), (out_read, out_write), (err_read, err_write) = self._pairs
        self.child = (stdin_read, out_write, err_write)
        self._ours = (stdin_write, out_read, err_read)
        for fd in self._ours:
            os.set_blocking(fd, False)
        if hasattr(fcntl, "F_SETPIPE_SZ"):
            for fd in self._ours[:2]:
                # The sum of a user's pipes is limited: then the default has to do.
                with contextlib.suppress(OSError):
                    fcntl.fcntl(fd, fcntl.F_SETPIPE_SZ, size_bytes)

    def ours(self) -> tuple[int, int, int]:
        return self._ours

    def close_ours(self) -> None:
        for fd in self._ours:
            os.close(fd)

    def close_theirs(self) -> None:
        for fd in self.child:
            os.close(fd)
