"""The connector that checks where a connection goes, at the moment it is made."""

import errno
import socket
from typing import TYPE_CHECKING

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

from wunder.egress.address import AllowedHost, is_allowed, is_global, literal
from wunder.egress.answer import FetchFault, FetchKind

if TYPE_CHECKING:
    from aiohttp.client_reqrep import ClientRequest
    from aiohttp.connector import Connection
    from aiohttp.tracing import Trace


class GuardedResolver(AbstractResolver):
    """Resolves a name once; what it returns is what is connected to, so no later answer counts."""

    def __init__(self, allowed: frozenset[AllowedHost]) -> None:
        self._allowed = allowed
        self._inner = ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return the addresses of a host.

        Raises:
            PermissionError: Any of them is not global and the operator does not allow the host.
            OSError: The name cannot be resolved.
        """
        found = await self._inner.resolve(host, port, family)
        # One private address among public ones is how a rebinding answer looks.
        if not is_allowed(host, port, self._allowed) and not all(
            is_global(one["host"]) for one in found
        ):
            raise _refusal()
        return found

    async def close(self) -> None:
        """Close nothing: threads end by themselves."""
        await self._inner.close()


class GuardedConnector(aiohttp.TCPConnector):
    """Also checks hosts written as an address, which no resolver sees, and every redirect.

    Without a limit of its own: turns and sends have theirs, and a slow agent must not keep a channel
    waiting for a connection.
    """

    def __init__(self, allowed: frozenset[AllowedHost]) -> None:
        super().__init__(resolver=GuardedResolver(allowed), ttl_dns_cache=30, limit=0)
        self._guard_allowed = allowed

    async def connect(
        self,
        req: "ClientRequest",
        traces: "list[Trace]",
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 - the signature is aiohttp's
    ) -> "Connection":
        """Return a connection, new or kept. Raises: ClientConnectorDNSError for a refused address."""
        # The raw host is what is connected to: full-width digits are plain ones there.
        host, port = (req.url.raw_host or "").rstrip("."), req.url.port or 0
        address = literal(host)
        if (
            address is not None
            and not is_global(address)
            and not is_allowed(host, port, self._guard_allowed)
        ):
            raise aiohttp.ClientConnectorDNSError(req.connection_key, _refusal())
        return await super().connect(req, traces, timeout)


def open_session(
    connections: GuardedConnector, total_s: float | None, connect_s: float, *, decompress: bool
) -> aiohttp.ClientSession:
    """Return a session over shared connections: no cookies, no proxy from the environment."""
    return aiohttp.ClientSession(
        connector=connections,
        connector_owner=False,
        timeout=aiohttp.ClientTimeout(total=total_s, sock_connect=connect_s),
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env=False,
        auto_decompress=decompress,
    )


#: What a request can raise when the other side or the network fails.
HTTP_ERRORS: tuple[type[BaseException], ...] = (aiohttp.ClientError, TimeoutError, OSError)


def fault_of(error: BaseException) -> FetchFault:
    """Return what one of HTTP_ERRORS comes to."""
    match error:
        case aiohttp.InvalidURL():
            return FetchFault(FetchKind.BAD_URL)
        case aiohttp.ClientConnectorDNSError(os_error=PermissionError()):
            return FetchFault(FetchKind.REFUSED_ADDRESS)
        case aiohttp.ClientConnectorDNSError():
            return FetchFault(FetchKind.NO_SUCH_NAME)
        case aiohttp.ClientSSLError():
            return FetchFault(FetchKind.TLS)
        case aiohttp.ClientConnectorError() | aiohttp.ConnectionTimeoutError():
            return FetchFault(FetchKind.CONNECT)
        case TimeoutError():
            return FetchFault(FetchKind.TIMEOUT, may_have_arrived=True)
        case _:
            return FetchFault(FetchKind.PROTOCOL, may_have_arrived=True)


def _refusal() -> PermissionError:
    return PermissionError(errno.EACCES, "refused_address")
