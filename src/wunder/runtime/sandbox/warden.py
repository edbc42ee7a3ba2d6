"""Outlives the gateway by a moment and leaves nothing of its plugins: `python -I -S -B warden.py`.

Reads `+ <group> <cookie>` when a plugin starts and `- <group> <cookie>` when its process was reaped;
the end of input means that the gateway is gone, however it went, and every group goes with it.
A process that left its group is known by the cookie in its environment. See docs/adr/0021.
"""

import _signal  # type: ignore[import-not-found]  # signal would double what this process weighs
import os
import sys
from collections.abc import Callable

PASSES = 5  # a process may fork while it is looked for


def main() -> None:
    """Watch until the input ends, then kill what is left."""
    for number in (_signal.SIGINT, _signal.SIGTERM, _signal.SIGHUP):
        _signal.signal(number, _signal.SIG_IGN)
    groups: dict[int, bytes] = {}
    for line in sys.stdin.buffer:
        sign, group, cookie = line.split()
        if sign == b"+":
            groups[int(group)] = cookie
        else:
            groups.pop(int(group), None)
            sweep({cookie})
    for one in groups:
        kill(os.killpg, one)
    if groups:
        sweep(set(groups.values()))


def sweep(cookies: set[bytes]) -> None:
    """Kill every process whose environment holds one of the cookies, until there is none."""
    marks = {b"WUNDER_COOKIE=" + cookie for cookie in cookies}
    for _ in range(PASSES):
        pids = os.listdir("/proc") if os.path.isdir("/proc") else []
        found = [int(pid) for pid in pids if pid.isdigit() and is_marked(pid, marks)]
        for pid in found:
            kill(os.kill, pid)
        if not found:
            return


def is_marked(pid: str, marks: set[bytes]) -> bool:
    """Does the process carry a cookie? A zombie has no environment left."""
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            return not marks.isdisjoint(file.read().split(b"\0"))
    except OSError:
        return False


def kill(send: Callable[[int, int], None], target: int) -> None:
    """Send SIGKILL; who is gone already, or is not ours, is left alone."""
    try:
        send(target, _signal.SIGKILL)
    except OSError:
        return


if __name__ == "__main__":
    main()
