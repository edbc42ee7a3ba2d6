"""What a run was measured on, and what the kernel says of a process."""

import os
import platform
import re
import socket
import sqlite3
import statistics
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

TICKS_S = os.sysconf("SC_CLK_TCK")
KIB = 1024


def facts() -> dict[str, Any]:
    """Describe this machine; no names of people or places."""
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "cpu": _cpu_model(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / KIB**3, 1),
        "kernel": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "fsync_p50_us": round(fsync_p50_us()),
        "load_1min": round(os.getloadavg()[0], 2),
    }


def short_name() -> str:
    """A word for this kind of machine, for the name of a result file."""
    word = re.sub(r"[^a-z0-9]+", "-", _cpu_model().lower()).strip("-")[:40].strip("-")
    return f"{word or socket.gethostname()}-{len(os.sched_getaffinity(0))}c"


def fsync_p50_us(times: int = 100) -> float:
    """Append 4 KiB and fdatasync, where temporary files lie: the floor of every durable answer."""
    took = []
    with tempfile.NamedTemporaryFile() as file:
        for _ in range(times):
            began = time.perf_counter_ns()
            file.write(b"\0" * 4096)
            file.flush()
            os.fdatasync(file.fileno())
            took.append(time.perf_counter_ns() - began)
    return statistics.median(took) / 1e3


def cpu_s(pid: int) -> float:
    """CPU seconds that a process has used, all its threads."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_S


def uss_mb(pid: int) -> float:
    """Private memory of a process in MB: what would be free if it ended."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    found = re.findall(r"^(?:Private_\w+|Swap):\s+(\d+) kB", text, re.MULTILINE)
    return sum(int(one) for one in found) * KIB / 1e6


def written_bytes(pid: int) -> int:
    """Bytes that a process has caused to be written to disks."""
    found = re.search(r"^write_bytes: (\d+)", Path(f"/proc/{pid}/io").read_text(), re.MULTILINE)
    return int(found[1]) if found else 0


def percentile(values: list[float], share: float) -> float:
    """The value below which `share` of them lie; 0.0 where there are none."""
    if not values:
        return 0.0
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def _cpu_model() -> str:
    try:
        found = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.M)
    except OSError:
        found = None
    return found[1].strip() if found else platform.machine()
