"""Which hosts a plugin may ask for: exact names, ports, and suffixes that a reviewer is shown."""

import re
from typing import Literal

Verdict = Literal["exact", "wildcard", "private", "address", "wrong", "too_wide"]

_LABEL = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)\Z")
_NUMERIC = re.compile(r"(?:0x[0-9a-f]*|[0-9]+)\Z")
_PORT = re.compile(r"[1-9][0-9]{0,4}\Z")
#: Names that resolve inside (RFC 6761, RFC 6762, RFC 8375, ICANN's `internal`, cloud metadata).
_INSIDE = frozenset(
    {"localhost", "local", "internal", "localdomain", "lan", "home", "corp", "arpa"}
)
HOST_CHARACTERS = 253

WORDS: dict[Verdict, str] = {
    "private": "names a host inside; only a grant of an administrator can",
    "address": "is an address; name the host instead",
    "wrong": "must be host, host:port or *.suffix, in lower case",
    "too_wide": "is too wide; name at least a domain and its ending, such as *.example.com",
}


def judge(wanted: str) -> Verdict:
    """Say what one entry of `permissions.network` is."""
    host, colon, port = wanted.partition(":")
    if colon and not (_PORT.match(port) and int(port) <= 65_535):
        return "wrong"
    is_wildcard = host.startswith("*.")
    name = host.removeprefix("*.")
    labels = name.split(".")
    if len(name) > HOST_CHARACTERS or not all(_LABEL.match(label) for label in labels):
        return "too_wide" if host == "*" else "wrong"
    if _NUMERIC.match(labels[-1]):
        return "address"
    if labels[-1] in _INSIDE or (len(labels) == 1 and not is_wildcard):
        return "private"
    if is_wildcard:
        return "wildcard" if len(labels) > 1 else "too_wide"
    return "exact"
