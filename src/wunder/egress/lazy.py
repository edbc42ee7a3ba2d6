"""aiohttp and what stands on it, loaded when something is first fetched: 14 MB that may never be needed."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import aiohttp

    from wunder.egress.address import AllowedHost
    from wunder.egress.answer import FetchFault
    from wunder.egress.connector import GuardedConnector


def new_connections(allowed: "frozenset[AllowedHost]") -> "GuardedConnector":
    """Return connections that reach global addresses and `allowed` hosts only."""
    from wunder.egress import connector  # noqa: PLC0415 - see line 1

    return connector.GuardedConnector(allowed)


def open_session(
    connections: "GuardedConnector", total_s: float | None, connect_s: float, *, decompress: bool
) -> "aiohttp.ClientSession":
    """Return a session over such connections."""
    from wunder.egress import connector  # noqa: PLC0415 - see line 1

    return connector.open_session(connections, total_s, connect_s, decompress=decompress)


def http_errors() -> tuple[type[BaseException], ...]:
    """Return what a request can raise when the other side or the network fails."""
    from wunder.egress import connector  # noqa: PLC0415 - see line 1

    return connector.HTTP_ERRORS


def fault_of(error: BaseException) -> "FetchFault":
    """Return what one of `http_errors` comes to."""
    from wunder.egress import connector  # noqa: PLC0415 - see line 1

    return connector.fault_of(error)
