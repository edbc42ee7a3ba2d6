"""Starts a plugin's process with nothing it need not have: rule S2, level L1."""

import contextlib
import fcntl
import os
import secrets
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path

from wunder.model.runtime import PluginSpec
from wunder.runtime.policy import ProcessLimits

_LAUNCH = (sys.executable, "-I", "-S", "-B", str(Path(__file__).with_name("launch.py")))
_INHERITED = ("PATH", "LANG", "LC_ALL", "TZ")  # rule S2: everything else stays out


class Spawned:
    """A started child, our ends of its pipes (stdin, stdout, stderr; non-blocking), its cookie."""

    def __init__(
        self, child: subprocess.Popen[bytes], fds: tuple[int, int, int], cookie: str
    ) -> None:
        self.child = child
        self.fds = fds
        self.cookie = cookie


def spawn(spec: PluginSpec, boot_path: str, limits: ProcessLimits, pipe_bytes: int) -> Spawned:
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
            (*_LAUNCH, *_orders(spec, limits), "--", *target),
            stdin=pipes.child[0],
            stdout=pipes.child[1],
            stderr=pipes.child[2],
            env=environment(spec, cookie, os.environ),
            cwd=spec.work_dir,
            start_new_session=True,
        )
    except OSError:
        pipes.close(pipes.ours)
        raise
    finally:
        pipes.close(pipes.child)
    return Spawned(child, pipes.ours, cookie)


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
        pairs: list[tuple[int, int]] = []
        try:
            for _ in range(3):
                pairs.append(os.pipe())  # noqa: PERF401  # those before the one that failed are closed
        except OSError:
            for pair in pairs:
                self.close(pair)
            raise
        (stdin_read, stdin_write), (out_read, out_write), (err_read, err_write) = pairs
        self.child = (stdin_read, out_write, err_write)
        self.ours = (stdin_write, out_read, err_read)
        for fd in self.ours:
            os.set_blocking(fd, False)
        if hasattr(fcntl, "F_SETPIPE_SZ"):
            for fd in self.ours[:2]:
                # The sum of a user's pipes is limited: then the default has to do.
                with contextlib.suppress(OSError):
                    fcntl.fcntl(fd, fcntl.F_SETPIPE_SZ, size_bytes)

    def close(self, fds: tuple[int, ...]) -> None:
        for fd in fds:
            os.close(fd)
