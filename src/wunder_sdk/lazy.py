"""The only place that imports late: what a plugin without HTTP never pays for."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import aiohttp


def new_http_session(total_s: float, connect_s: float) -> "aiohttp.ClientSession":
    """Return a client session with time limits, honouring the proxy variables of the sandbox."""
    import aiohttp

    return aiohttp.ClientSession(
        timeout=aiohttp.ClientTimeout(total=total_s, sock_connect=connect_s),
        trust_env=True,
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=True,
    )


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
    return type(error).__name__
