"""The one client with which the gateway itself fetches anything (security rule 10)."""

import asyncio
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

import msgspec

from wunder.egress import lazy
from wunder.egress.address import allowed_hosts
from wunder.egress.answer import FetchFault, FetchKind, Response
from wunder.errors import ConfigInvalid

if TYPE_CHECKING:
    import aiohttp

    from wunder.egress.connector import GuardedConnector

_MOVED = frozenset({301, 302, 303, 307, 308})
_SAFE = frozenset({"GET", "HEAD"})
_CHUNK_BYTES = 65_536

#: Called with the answer so far and each chunk of its body; True ends the exchange.
Sink = Callable[[Response, bytes], bool]


class EgressPolicy(msgspec.Struct, frozen=True):
    """Where the gateway may go besides the public internet, and its limits.

    `allow_hosts` comes from the operator's config file only: `host` or `host:port`.
    """

    allow_hosts: tuple[str, ...] = ()
    connect_s: float = 5.0
    redirects: int = 3
    body_bytes: int = 1_048_576
    # For built-in channels: below the 10 s that a send may take.
    channel_total_s: float = 8.0
    channel_connect_s: float = 3.0


class GuardedClient:
    """Resolves once, pins, refuses what is not global, bounds size and time.

    The other side's failure is a value (FetchFault): its class, never its words.
    """

    def __init__(self, policy: EgressPolicy | None = None) -> None:
        self._policy = policy or EgressPolicy()
        try:
            self._allowed = allowed_hosts(self._policy.allow_hosts)
        except ValueError as error:
            raise ConfigInvalid(f"egress.allow_hosts: {error}.") from error
        self._connections: GuardedConnector | None = None
        self._session: aiohttp.ClientSession | None = None

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        timeout_s: float = 30.0,
        max_bytes: int | None = None,
    ) -> Response | FetchFault:
        """Make one request and return the whole answer, whatever its status.

        GET and HEAD follow at most `redirects` redirects, each checked like the first address;
        headers stay behind when the origin changes. Other methods are never sent on.
        """
        chunks: list[bytes] = []
        left = self._policy.body_bytes if max_bytes is None else max_bytes

        def keep(answer: Response, chunk: bytes) -> bool:
            nonlocal left
            left -= len(chunk)
            chunks.append(chunk)
            return left < 0

        came = await self.stream(
            method, url, headers=headers, body=body, timeout_s=timeout_s, sink=keep
        )
        if isinstance(came, FetchFault):
            return came
        if left < 0:
            return FetchFault(FetchKind.TOO_LARGE, may_have_arrived=True)
        return msgspec.structs.replace(came, body=b"".join(chunks))

    async def stream(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        timeout_s: float = 30.0,
        sink: Sink,
    ) -> Response | FetchFault:
        """Make one request and hand each chunk of the answer to `sink` until it says True.

        The sink bounds the size; what it raises passes through. Redirects as in `request`.
        """
        sent = {"Accept-Encoding": "identity", **(headers or {})}
        try:
            async with asyncio.timeout(timeout_s):
                return await self._follow(method, url, sent, body, sink)
        except lazy.http_errors() as error:
            return lazy.fault_of(error)

    def session(self) -> "aiohttp.ClientSession":
        """Return a new session over the same connections, for one account of a built-in channel.

        Whoever opened it closes it.
        """
        policy = self._policy
        return lazy.open_session(
            self._shared(), policy.channel_total_s, policy.channel_connect_s, decompress=True
        )

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None
        if self._connections is not None:
            await self._connections.close()
            self._connections = None

    async def _follow(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, sink: Sink
    ) -> Response | FetchFault:
        for _ in range(self._policy.redirects + 1):
            came = await self._exchange((method, url), headers, body, sink)
            if isinstance(came, FetchFault) or not _is_moved(method, came):
                return came
            target = _joined(url, came.header("Location"))
            if not _is_plain(target) or (_origin(url)[0], _origin(target)[0]) == ("https", "http"):
                break
            if _origin(target) != _origin(url):
                headers = {"Accept-Encoding": "identity"}
            url = target
        return FetchFault(FetchKind.REDIRECT, may_have_arrived=True)

    async def _exchange(
        self, target: tuple[str, str], headers: Mapping[str, str], body: bytes | None, sink: Sink
    ) -> Response | FetchFault:
        method, url = target
        if not _is_plain(url):
            return FetchFault(FetchKind.BAD_URL)
        asked = self._ready().request(
            method, url, headers=headers, data=body, allow_redirects=False
        )
        async with asked as answer:
            came = Response(answer.status, tuple(answer.headers.items()))
            if came.header("Content-Encoding").lower() not in ("", "identity"):
                # Nothing here needs compression, and a small body may unpack to any size.
                return FetchFault(FetchKind.PROTOCOL, may_have_arrived=True)
            if _is_moved(method, came):
                return came
            async for chunk in answer.content.iter_chunked(_CHUNK_BYTES):
                if sink(came, chunk):
                    answer.close()
                    break
            return came

    def _ready(self) -> "aiohttp.ClientSession":
        if self._session is None:
            self._session = lazy.open_session(
                self._shared(), None, self._policy.connect_s, decompress=False
            )
        return self._session

    def _shared(self) -> "GuardedConnector":
        """The connections of this gateway: channels with many accounts talk to one host each."""
        if self._connections is None:
            self._connections = lazy.new_connections(self._allowed)
        return self._connections


def _is_moved(method: str, answer: Response) -> bool:
    return method in _SAFE and answer.status in _MOVED and bool(answer.header("Location"))


def _joined(url: str, location: str) -> str:
    """Return where a redirect leads, "" where that is no address."""
    try:
        return urljoin(url, location)
    except ValueError:
        return ""


def _is_plain(url: str) -> bool:
    """Accept http and https with a host and without credentials, which would reach logs."""
    try:
        parts = urlsplit(url)
        has_place = bool(parts.hostname) and parts.port != 0  # a port that is none raises
        return parts.scheme in ("http", "https") and has_place and "@" not in parts.netloc
    except ValueError:
        return False


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port
