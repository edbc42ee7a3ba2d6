"""Ports of a test's own: nobody else gets one, also while nothing listens on it."""

import fcntl
import os
import socket
import tempfile
from functools import cache
from pathlib import Path

#: Below what Linux (32768-60999) and macOS (49152-65535) give to whoever asks for any port. One of those may
#: become the near end of somebody's connection while its gateway starts again, even of one to that very port.
FIRST, COUNT = 20_000, 10_000

_mine: set[int] = set()


def own_port() -> int:
    """A port that is free, and that no other test of this user gets before this process ends."""
    # Far from where another process looks first: what it left may still be called upon.
    start = os.getpid() * 97
    for number in range(start, start + COUNT):
        port = FIRST + number % COUNT
        if port not in _mine and _took(port):
            _mine.add(port)
            return port
    raise RuntimeError(f"no port is free from {FIRST} on")


def _took(port: int) -> bool:
    """Lock the byte of this number: a lock ends with its process, however that ends."""
    try:
        fcntl.lockf(_book(), fcntl.LOCK_EX | fcntl.LOCK_NB, 1, port)
    except OSError:
        return False
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            fcntl.lockf(_book(), fcntl.LOCK_UN, 1, port)
            return False
    return True


@cache
def _book() -> int:
    """A file to lock bytes of; closing any descriptor of it would give all of them up."""
    path = Path(tempfile.gettempdir()) / f"wunder-test-ports-{os.getuid()}"
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
