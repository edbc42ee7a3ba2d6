"""The data directory: whose it is, where it may lie, and the lock that keeps a second gateway out."""

import fcntl
import os
from collections.abc import Callable
from pathlib import Path

from wunder.errors import DataDirRefused

LOCK_FILE = "wunder.lock"
#: Locks and shared memory of SQLite's WAL do not hold over a network (sqlite.org/wal.html, 2026-11-23).
NETWORK_FILE_SYSTEMS = frozenset(
    [
        "nfs",
        "nfs4",
        "cifs",
        "smb3",
        "smbfs",
        "ncpfs",
        "9p",
        "afs",
        "ceph",
        "lustre",
        "gfs2",
        "ocfs2",
        "beegfs",
        "orangefs",
        "glusterfs",
        "fuse.sshfs",
        "fuse.glusterfs",
        "fuse.s3fs",
        "fuse.rclone",
        "fuse.davfs2",
        "fuse.ceph",
    ]
)
_MOUNTS = Path("/proc/self/mountinfo")


class DirLock:
    """The OS lock that keeps a second gateway out; the kernel drops it when the process dies."""

    def __init__(self, data_dir: Path) -> None:
        self._path = data_dir / LOCK_FILE
        self._fd = -1

    def take(self) -> None:
        """Take the lock. Raises: DataDirRefused when another process holds it."""
        fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.pread(fd, 32, 0).decode("ascii", "replace").strip()
            os.close(fd)
            raise DataDirRefused(
                f"{self._path.parent} is in use by process {holder or 'unknown'};"
                " stop it, or give this gateway another data directory."
            ) from error
        os.ftruncate(fd, 0)
        os.pwrite(fd, f"{os.getpid()}\n".encode(), 0)
        self._fd = fd

    def is_held(self) -> bool:
        """Tell whether another process holds the lock now."""
        try:
            self.take()
        except DataDirRefused:
            return True
        except OSError:
            return False
        self.release()
        return False

    def release(self) -> None:
        """Give the lock back; the file stays, a removed one could be locked twice."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


def prepare_dir(data_dir: Path, file_system: Callable[[Path], str]) -> None:
    """Make the directory, for its owner only, and refuse a network file system.

    Raises: DataDirRefused.
    """
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise DataDirRefused(f"{data_dir} cannot be made: {error.strerror}.") from error
    kind = file_system(data_dir)
    if kind in NETWORK_FILE_SYSTEMS:
        raise DataDirRefused(
            f"{data_dir} lies on {kind}, a network file system, where locks do not hold:"
            " use a local disk, or PostgreSQL."
        )
    if not os.access(data_dir, os.W_OK | os.X_OK):
        raise DataDirRefused(f"{data_dir} is not writable by this user.")


def file_system_of(path: Path) -> str:
    """Return the type of the file system a directory lies on; "" where the system does not tell."""
    try:
        lines = _MOUNTS.read_text("utf-8", "replace").splitlines()
    except OSError:
        return ""
    here = str(path.resolve())
    best, kind = "", ""
    for line in lines:
        fields = line.split()
        mount = fields[4].replace("\\040", " ")
        is_above = here == mount or here.startswith(mount.rstrip("/") + "/")
        if is_above and len(mount) >= len(best):
            best, kind = mount, fields[fields.index("-") + 1]
    return kind
