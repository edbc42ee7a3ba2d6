"""One thing the doctor looked at."""

from typing import Literal, NamedTuple

Verdict = Literal["ok", "warning", "failed"]


class Finding(NamedTuple):
    """What was looked at, what was found, and what to do where it is not fine."""

    name: str
    verdict: Verdict
    found: str
    advice: str = ""


def ok(name: str, found: str) -> Finding:
    """Return a finding that needs nobody."""
    return Finding(name, "ok", found)


def warning(name: str, found: str, advice: str) -> Finding:
    """Return a finding that works, for now."""
    return Finding(name, "warning", found, advice)


def failed(name: str, found: str, advice: str) -> Finding:
    """Return a finding that keeps the gateway from working."""
    return Finding(name, "failed", found, advice)
