"""The only place that imports late: what a plugin without HTTP never pays for."""

import gc
import os
import signal
import sys
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import hashlib

    import aiohttp

#: Shorter than the 5 s after which common servers (Node.js) close an idle connection: a POST on
#: a connection that just closed would leave its outcome unknown.
KEEPALIVE_S = 4.0
#: linux/prctl.h
PR_SET_PDEATHSIG = 1


def new_connections() -> "aiohttp.TCPConnector":
    """Return the connections of a process, to be shared by the sessions of its accounts."""
    import aiohttp

    return aiohttp.TCPConnector(keepalive_timeout=KEEPALIVE_S)


def new_http_session(
    total_s: float, connect_s: float, connections: "aiohttp.TCPConnector | None" = None
) -> "aiohttp.ClientSession":
    """Return a client session with time limits, honouring the proxy variables of the sandbox.

    Closing it leaves shared `connections` open; without them it has its own.
    """
    import aiohttp

    return aiohttp.ClientSession(
        connector=connections or new_connections(),
        connector_owner=connections is None,
        timeout=time_limit(total_s, connect_s),
        trust_env=any(name.upper().endswith("_PROXY") for name in os.environ),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=True,
    )


@lru_cache(maxsize=8)
def time_limit(total_s: float, connect_s: float) -> "aiohttp.ClientTimeout":
    """Return how long one exchange may take, and its connection."""
    import aiohttp

    # To the moment: rounded up to whole seconds, as above 5 s otherwise, 9 s might be the host's 10.
    return aiohttp.ClientTimeout(total=total_s, sock_connect=connect_s, ceil_threshold=total_s)


def http_errors() -> tuple[type[BaseException], ...]:
    """Return what a request can raise when the network fails."""
    import aiohttp

    return (aiohttp.ClientError, TimeoutError, OSError, aiohttp.InvalidURL)


def may_have_arrived(error: BaseException) -> bool:
    """Say whether the request may have been written before `error`.

    Connecting failed (refused, no such name, TLS, proxy, connect timeout): certainly not.
    """
    import aiohttp

    before_writing = (
        aiohttp.ClientConnectorError,
        aiohttp.ConnectionTimeoutError,
        aiohttp.ClientHttpProxyError,
        aiohttp.InvalidURL,
    )
    return not isinstance(error, before_writing)


def name(error: BaseException) -> str:
    """Return the class of an error: its text may hold a URL with a token in it."""
    if isinstance(getattr(error, "os_error", None), PermissionError):
        # Not a name that is unknown: the gateway fetches nothing from private addresses by itself.
        return "refused_address (the operator allows private addresses in egress.allow_hosts)"
    return type(error).__name__


def new_sha256() -> "hashlib._Hash":
    """Return a new SHA-256; hashlib brings OpenSSL, which only attachments need."""
    import hashlib

    return hashlib.sha256()


def accelerate() -> bool:
    """Put msgspec under the codec, if it is there; return whether it is used.

    It costs 0.9 MB of private memory: 12 are promised for a plugin without HTTP, so what imports
    leave behind (classes made twice, the half of `datetime` that its C half replaces) is collected
    in between and used again, and `typing_extensions` stays out: Python 3.11 has what msgspec
    takes from it where it is found.
    """
    had_extensions = "typing_extensions" in sys.modules
    if not had_extensions:
        sys.modules["typing_extensions"] = None  # type: ignore[assignment]  # makes the import fail
    try:
        gc.collect()
        import datetime  # noqa: F401 - msgspec's, with its remains

        gc.collect()
        from wunder_wire import fast
    except ImportError:
        return False
    finally:
        if not had_extensions:
            del sys.modules["typing_extensions"]
    fast.install()
    gc.collect()
    gc.freeze()  # what is there now stays
    return True


def die_with_parent() -> None:
    """Ask Linux for SIGTERM when the parent dies, if the host says that this is safe.

    The signal comes when the spawning *thread* ends (seveas/python-prctl#14), so only a host
    that spawns from its main thread sets WUNDER_PDEATHSIG=1. The lifeline works regardless.
    """
    if os.environ.get("WUNDER_PDEATHSIG") != "1" or sys.platform != "linux":
        return
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
