"""The HTTP client of an account: whole answers, bounded, and honest about what may have arrived."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from contextvars import ContextVar
from io import BytesIO
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

from wunder_sdk import lazy
from wunder_sdk.errors import AccountConfigInvalid, OutcomeUnknown, ProviderUnavailable, TooLarge
from wunder_wire import codec
from wunder_wire.record import dataclass

if TYPE_CHECKING:
    import aiohttp

#: Answers are cut off here; platforms' API answers are small (choice).
MAX_ANSWER_BYTES = 4 * 1_048_576
#: Bodies above this are written piece by piece (aiohttp's own bound).
LARGE_BYTES = 1_048_576
#: Seconds a whole exchange may take: below the 10 s the host gives `send_outbound`.
TOTAL_S = 8.0
CONNECT_S = 3.0
#: Seconds a file may take: below the 60 s the host gives `fetch_attachment`.
DOWNLOAD_S = 55.0

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class Writes:
    """What one call of the channel has done on the platform so far."""

    __slots__ = ("may_have_written",)

    def __init__(self) -> None:
        self.may_have_written = False


#: Set by the dispatcher around each call.
current_writes: ContextVar[Writes | None] = ContextVar("current_writes", default=None)


class RequestOptions(TypedDict, total=False):
    """How to make a request; all optional.

    `params`: query; `headers`; `json`: a document to send as JSON; `data`: bytes, text, a form
    as a mapping, or an aiohttp FormData; `timeout_s`: seconds, 8 by default; `safe`: repeating
    it does no harm (GET, HEAD and OPTIONS are; set it for a POST that asks for a token).
    """

    params: Mapping[str, str]
    headers: Mapping[str, str]
    json: Any
    data: Any
    timeout_s: float
    safe: bool


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """A whole answer: any status, the raw body."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    safe: bool = False

    @property
    def ok(self) -> bool:
        """Is the status below 400?"""
        return self.status < 400

    @property
    def text(self) -> str:
        """The body as UTF-8, broken bytes replaced."""
        return self.body.decode("utf-8", "replace")

    def json(self) -> Any:
        """Return the body as JSON.

        Raises:
            OutcomeUnknown: It is not JSON, so nobody knows what the platform did.
            ProviderUnavailable: The same, for a safe request.
        """
        try:
            return codec.parse_json(self.body, replace_surrogates=True)
        except codec.DecodeError as error:
            failure = ProviderUnavailable if self.safe else OutcomeUnknown
            raise failure(
                f"the platform's answer is not JSON: {error}", http_status=self.status
            ) from error


class HttpClient:
    """Requests to the platform. No retries: the gateway decides about those."""

    __slots__ = ("_open", "_session")

    def __init__(self, open_session: Callable[[], Any]) -> None:
        self._open = open_session
        self._session: aiohttp.ClientSession | None = None

    @property
    def session(self) -> "aiohttp.ClientSession":
        """The raw aiohttp session, for what nothing here does; limits of 8 s, errors yours to map."""
        writes = current_writes.get()
        if writes is not None:
            writes.may_have_written = True
        return self._ready()

    async def get(self, url: str, **options: Unpack[RequestOptions]) -> HttpAnswer:
        """Read from the platform; see `request`."""
        return await self.request("GET", url, **options)

    async def post(self, url: str, **options: Unpack[RequestOptions]) -> HttpAnswer:
        """Make something happen on the platform; see `request`."""
        return await self.request("POST", url, **options)

    @asynccontextmanager
    async def download(
        self,
        url: str,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> "AsyncIterator[aiohttp.ClientResponse]":
        """Open a file of the platform: the raw aiohttp answer, whatever its status, within 55 s.

        Read `answer.content` in pieces: nothing bounds its size here.

        Raises:
            ProviderUnavailable: No answer, or it broke off.
        """
        limit = lazy.time_limit(DOWNLOAD_S, CONNECT_S)
        try:
            async with self._ready().get(
                url, params=params, headers=headers, allow_redirects=False, timeout=limit
            ) as answer:
                yield answer
        except lazy.http_errors() as error:
            raise ProviderUnavailable(f"no whole answer: {lazy.name(error)}") from None

    async def request(self, method: str, url: str, **options: Unpack[RequestOptions]) -> HttpAnswer:
        """Make one request and return the whole answer, whatever its status.

        Raises:
            ProviderUnavailable: Nothing arrived: no connection, no name, no TLS; or the request
                was a safe one.
            OutcomeUnknown: It was written, or may have been, and no whole answer came.
            AccountConfigInvalid: The URL is none.
            TooLarge: The answer to a safe request exceeds 4 MiB.
        """
        safe = options.pop("safe", method.upper() in SAFE_METHODS)
        timeout_s = options.pop("timeout_s", TOTAL_S)
        if "json" in options:
            options["data"] = codec.dumps(options.pop("json"))
            options["headers"] = {"Content-Type": "application/json", **options.get("headers", {})}
        if isinstance(whole := options.get("data"), bytes) and len(whole) > LARGE_BYTES:
            # In pieces: aiohttp warns of megabytes that are written in one go.
            options["data"] = BytesIO(whole)
        writes = current_writes.get()
        before = writes.may_have_written if writes is not None else False
        if writes is not None and not safe:
            writes.may_have_written = True
        try:
            limit = lazy.time_limit(timeout_s, CONNECT_S)
            return await self._exchange(method, url, options, limit, safe=safe)
        except lazy.http_errors() as error:
            arrived = lazy.may_have_arrived(error)
            if writes is not None and not arrived:
                writes.may_have_written = before
            if isinstance(error, ValueError):
                raise AccountConfigInvalid(f"cannot request that URL: {lazy.name(error)}") from None
            if arrived and not safe:
                raise OutcomeUnknown(f"no answer after writing: {lazy.name(error)}") from error
            raise ProviderUnavailable(f"no answer: {lazy.name(error)}") from error
        except TooLarge as error:
            if safe:
                raise
            raise OutcomeUnknown(error.message) from None

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _exchange(
        self,
        method: str,
        url: str,
        options: Any,
        limit: "aiohttp.ClientTimeout",
        *,
        safe: bool,
    ) -> HttpAnswer:
        async with self._ready().request(
            method, url, allow_redirects=False, timeout=limit, **options
        ) as answer:
            body = await answer.content.read(MAX_ANSWER_BYTES + 1)
            chunks = [body]
            size = len(body)
            while size <= MAX_ANSWER_BYTES and (chunk := await answer.content.readany()):
                chunks.append(chunk)
                size += len(chunk)
            if size > MAX_ANSWER_BYTES:
                raise TooLarge(f"the platform answered more than {MAX_ANSWER_BYTES} bytes")
            return HttpAnswer(answer.status, answer.headers, b"".join(chunks), safe)

    def _ready(self) -> "aiohttp.ClientSession":
        if self._session is None:
            self._session = self._open()
        return self._session
