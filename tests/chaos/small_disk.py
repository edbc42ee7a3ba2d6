"""Disks that tests may fill or make read-only: needs root, says so where it is not."""

import errno
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

MIB = 1024 * 1024


def need_mounts() -> None:
    """Skip, visibly, where nothing can be mounted; in CI that is a failure: it must be tested."""
    if os.geteuid() == 0:
        return
    reason = "needs root to mount a small disk"
    if os.environ.get("CI") == "true":
        pytest.fail(f"CI has to run as root: {reason}")
    pytest.skip(reason)


@contextmanager
def small_disk(at: Path, size_bytes: int) -> Iterator[Path]:
    """Mount a disk of this size."""
    need_mounts()
    at.mkdir()
    _run("mount", "-t", "tmpfs", "-o", f"size={size_bytes}", "tmpfs", str(at))
    try:
        yield at
    finally:
        _run("umount", str(at))


def make_read_only(at: Path) -> None:
    """Remount a small disk; nothing may be open for writing there."""
    _run("mount", "-o", "remount,ro", str(at))


def fill(disk: Path) -> Path:
    """Write a file until nothing more fits; delete it to make room again."""
    filler = disk / "filler"
    fd = os.open(filler, os.O_WRONLY | os.O_CREAT)
    try:
        for chunk in (MIB, 4096, 1):
            while True:
                try:
                    if os.write(fd, b"\0" * chunk) < chunk:
                        break
                except OSError as error:
                    assert error.errno == errno.ENOSPC
                    break
    finally:
        os.close(fd)
    return filler


def free_bytes(disk: Path) -> int:
    """What is left on it."""
    figures = os.statvfs(disk)
    return figures.f_bavail * figures.f_frsize


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, timeout=20)
