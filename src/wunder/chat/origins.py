"""Which sites may show an account's chat page (pure)."""

import re
from collections.abc import Iterable

#: The visitor came to the page itself, on the gateway's own origin.
OWN = "self"
_HOST = r"(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*"
_ORIGIN = re.compile(
    rf"(?P<scheme>https?)://(?P<any>\*\.)?(?P<host>{_HOST}|\[[0-9a-f:.]+\])(?::(?P<port>\d{{1,5}}))?/?"
)
_DEFAULT_PORTS = {"http": "80", "https": "443"}
MAX_CHARS = 255


def normal(origin: str) -> str:
    """Return `scheme://host[:port]` as browsers write it, `*.` kept; "" for what is no origin."""
    match = _ORIGIN.fullmatch(origin.strip().lower()) if len(origin) <= MAX_CHARS else None
    if match is None:
        return ""
    port = "" if match["port"] in (None, _DEFAULT_PORTS[match["scheme"]]) else f":{match['port']}"
    return f"{match['scheme']}://{match['any'] or ''}{match['host']}{port}"


def is_allowed(origin: str, allowed: Iterable[str]) -> bool:
    """Tell whether a site may show the page; `https://*.example.com` allows every subdomain."""
    if origin == OWN:
        return True
    wanted = normal(origin)
    if not wanted or "*" in wanted:
        return False
    scheme, _, place = wanted.partition("://")
    for one in map(normal, allowed):
        if one == wanted:
            return True
        its_scheme, _, its_place = one.partition("://")
        if its_scheme == scheme and its_place.startswith("*.") and place.endswith(its_place[1:]):
            return True
    return False


def frame_ancestors(allowed: Iterable[str]) -> str:
    """Return the sources of the CSP directive: our own origin, and the sites on the list."""
    return " ".join(["'self'", *sorted({one for one in map(normal, allowed) if one})])
