"""Room on the disk: below the floor intake stops; a ballast file buys room for outcomes."""

import os
from collections.abc import Callable
from pathlib import Path

from wunder.observe.logs import get_logger
from wunder.store.policy import StorePolicy

log = get_logger(__name__)
BALLAST_FILE = "ballast"


def free_bytes(path: Path) -> int:
    """Return what an ordinary user may still write below `path`."""
    figures = os.statvfs(path)
    return figures.f_bavail * figures.f_frsize


class Disk:
    """Watches free space, and holds the ballast file. Used by the writer's thread only."""

    def __init__(
        self, data_dir: Path, policy: StorePolicy, free: Callable[[Path], int] = free_bytes
    ) -> None:
        self._dir = data_dir
        self._ballast = data_dir / BALLAST_FILE
        self._policy = policy
        self._free = free
        self._was_low = False

    def is_low(self) -> bool:
        """True while intake must be refused; said once in the log when it starts and ends."""
        try:
            free = self._free(self._dir)
        except OSError:
            free = 0  # nobody can say: the disk, or the folder, may be gone
        is_low = free < self._policy.free_floor_bytes
        if is_low != self._was_low:
            self._was_low = is_low
            say = log.error if is_low else log.info
            say("disk_low" if is_low else "disk_recovered", free_bytes=free)
        return is_low

    def free_ballast(self) -> bool:
        """Give the ballast's room to SQLite; False when there was none left."""
        try:
            if self._ballast.stat().st_size == 0:
                return False
            os.truncate(self._ballast, 0)
        except OSError:
            return False
        log.error("ballast_freed", size_bytes=self._policy.ballast_bytes)
        return True

    def restore_ballast(self) -> bool:
        """Take the room again when there is plenty; True when the ballast is in place."""
        size = self._policy.ballast_bytes
        if size == 0:
            return True
        try:
            if self._ballast.exists() and self._ballast.stat().st_size >= size:
                return True
            if self._free(self._dir) < self._policy.free_floor_bytes + 2 * size:
                return False
            fd = os.open(self._ballast, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                # Really allocated: a sparse file would give nothing back.
                os.posix_fallocate(fd, 0, size)
            finally:
                os.close(fd)
        except OSError as error:
            log.warning("ballast_missing", error=error.strerror)
            return False
        return True
