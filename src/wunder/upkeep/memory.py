"""How much memory this process has, and how much it may have: the control group's limit, or the machine's."""

import os
from pathlib import Path

_STATM = Path("/proc/self/statm")
_MEMINFO = Path("/proc/meminfo")
_CGROUPS = (
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
#: Beyond so much of what there is, the kernel may end the process at any time (choice).
_SHARE = 0.8


def resident_bytes() -> int:
    """What the process has now; 0 where the system does not tell."""
    try:
        return int(_STATM.read_text().split()[1]) * _PAGE_BYTES
    except (OSError, ValueError, IndexError):
        return 0


def allowed_bytes() -> int:
    """Four fifths of what it may have; 0 where the system does not tell."""
    limits = [limit for limit in (*map(_limit, _CGROUPS), _machine()) if limit > 0]
    return int(min(limits) * _SHARE) if limits else 0


def _limit(path: Path) -> int:
    try:
        return int(path.read_text())
    except (OSError, ValueError):  # "max" is no limit
        return 0


def _machine() -> int:
    try:
        first = _MEMINFO.read_text().splitlines()[0].split()
        return int(first[1]) * 1024
    except (OSError, ValueError, IndexError):
        return 0
