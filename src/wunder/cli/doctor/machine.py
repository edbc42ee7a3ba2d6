"""The doctor's look at the machine: Python, SQLite, clock, ports, open files."""

import ctypes
import os
import resource
import socket
import sqlite3
import sys
from datetime import UTC, datetime
from urllib.parse import urlsplit

from wunder import __version__
from wunder.cli.doctor.finding import Finding, failed, ok, warning
from wunder.observe.clock import wall_ms

LEAST_PYTHON = (3, 11)
#: `UPSERT .. RETURNING`, which the store relies on (sqlite.org/lang_returning.html, 2026-11-23).
LEAST_SQLITE = (3, 35, 0)
#: No gateway of this version was started before it was written.
WRITTEN_MS = 1_760_000_000_000
LEAST_OPEN_FILES = 1_024
#: adjtimex(2): the kernel says that nobody keeps its clock right.
_TIME_ERROR = 5
_TIMEX_BYTES = 512


def check_python() -> Finding:
    """Look at the interpreter."""
    here = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info[:2] < LEAST_PYTHON:
        return failed("python", f"Python {here}", "install Python 3.11 or newer")
    return ok("python", f"Python {here}, Wunder {__version__}")


def check_sqlite() -> Finding:
    """Look at the SQLite library that Python was built with."""
    here = sqlite3.sqlite_version
    if sqlite3.sqlite_version_info < LEAST_SQLITE:
        return failed("sqlite", f"SQLite {here}", "use a Python built with SQLite 3.35 or newer")
    return ok("sqlite", f"SQLite {here}")


def check_clock() -> Finding:
    """Look whether the wall clock can be right, and whether anything keeps it right."""
    now_ms = wall_ms()
    shown = f"{datetime.fromtimestamp(now_ms / 1000, UTC):%Y-%m-%d %H:%M:%S} UTC"
    if now_ms < WRITTEN_MS:
        return failed("clock", shown, "set the clock: platforms refuse signatures from the past")
    if _is_unsynchronised():
        advice = "let NTP keep it (timedatectl set-ntp true): signatures hold for minutes only"
        return warning("clock", f"{shown}, not kept right by NTP", advice)
    return ok("clock", shown)


def check_port(host: str, port: int, *, running_at: str = "") -> Finding:
    """Look whether the gateway's own port is free; `running_at` is where the gateway listens now."""
    place = f"{host}:{port}"
    if running_at:
        parts = urlsplit(running_at)
        differs = "" if parts.port == port else f" (the settings here say {place})"
        return ok("port", f"{parts.hostname}:{parts.port}, the gateway listens there{differs}")
    if port == 0:
        return ok("port", "any free one")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            advice = "stop what listens there (ss -ltnp), or choose another with --port"
            return failed("port", f"{place}: {(error.strerror or str(error)).lower()}", advice)
    return ok("port", f"{place} is free")


def check_open_files() -> Finding:
    """Look how many descriptors a process may have: each connection and each plugin takes some."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < LEAST_OPEN_FILES and soft != resource.RLIM_INFINITY:
        advice = f"raise it: ulimit -n {min(65_536, hard)}, or LimitNOFILE= of the service"
        return warning("open files", f"at most {soft}", advice)
    return ok("open files", f"at most {soft}")


def check_user() -> Finding:
    """Look who would run the gateway."""
    if os.geteuid() == 0:
        advice = "run the gateway as a user of its own: plugins are its children"
        return warning("user", "root", advice)
    return ok("user", f"uid {os.geteuid()}")


def _is_unsynchronised() -> bool:
    """Ask the kernel; False where it does not tell."""
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        return bool(libc.adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES)) == _TIME_ERROR)
    except (OSError, AttributeError):
        return False
