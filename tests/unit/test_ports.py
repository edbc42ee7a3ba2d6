"""A port that a test keeps is nobody else's: not of another test, not of a connection, not after a restart."""

import os
import subprocess
import sys
from pathlib import Path

from tests.ports import COUNT, FIRST, own_port

ROOT = Path(__file__).resolve().parents[2]
#: What Linux gives to who asks for any port.
RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")
#: Looks first where this process looked, and so meets what it holds.
ASK = """
import os, sys
pid = int(sys.argv[1])
os.getpid = lambda: pid
from tests.ports import own_port
print(own_port(), own_port())
"""


def test_no_port_is_given_twice_in_one_process_or_in_two() -> None:
    mine = {own_port() for _ in range(3)}
    asked = subprocess.run(
        [sys.executable, "-c", ASK, str(os.getpid())],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    theirs = {int(word) for word in asked.stdout.split()}
    assert (len(mine), len(theirs)) == (3, 2)
    assert not mine & theirs


def test_no_connection_starts_from_such_a_port() -> None:
    first = int(RANGE.read_text("ascii").split()[0]) if RANGE.exists() else 49_152
    assert first >= FIRST + COUNT
    assert FIRST <= own_port() < FIRST + COUNT
