"""Take the wire off stdin and stdout, so that nothing a plugin prints can corrupt it."""

import fcntl
import os
import sys

from wunder_wire.record import dataclass

_FIRST_PRIVATE_FD = 3


@dataclass(frozen=True, slots=True)
class WireFds:
    """Private descriptors of the wire; no child process inherits them."""

    read_fd: int
    write_fd: int


class _Taken:
    fds: WireFds | None = None


def take() -> WireFds:
    """Move the wire to private descriptors; the second call returns the same ones.

    Afterwards descriptor 0 is /dev/null and descriptor 1 is the log (stderr), also for C code
    and child processes. Call it before any foreign code is imported.
    """
    if _Taken.fds is None:
        read_fd = fcntl.fcntl(0, fcntl.F_DUPFD_CLOEXEC, _FIRST_PRIVATE_FD)
        write_fd = fcntl.fcntl(1, fcntl.F_DUPFD_CLOEXEC, _FIRST_PRIVATE_FD)
        null = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
        os.dup2(null, 0)
        os.close(null)
        os.dup2(2, 1)
        if sys.stdout is not None:
            sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]  # a real file
        _Taken.fds = WireFds(read_fd, write_fd)
    return _Taken.fds
