"""The webhook route: refuses what needs no channel to be refused, then hands over raw bytes."""

import asyncio
import re
import uuid
from urllib.parse import parse_qsl

from wunder.api.asgi import Header, Receive, Scope, Send, answer, drop, refuse
from wunder.api.credentials import passed_on
from wunder.api.parts import ApiParts
from wunder.api.problems import outage, refusal
from wunder.api.sources import Knocks, Proxies, source_key
from wunder.errors import RequestRefused, WunderError
from wunder.model.ids import ChannelId
from wunder.model.provider import RawRequest, WebhookAnswer
from wunder.observe.logs import get_logger
from wunder.upkeep.fair_share import HeldBytes

log = get_logger(__name__)

PREFIX = "/wunder/channel/"
#: A provider id and a webhook key or account label; the ids' own pattern is the rooms' business.
_PATH = re.compile(r"/wunder/channel/([^/]{1,64})(?:/([^/]{1,128}))?/webhook/?\Z")
#: Security rule 1: the content types that a stranger's bytes may have on our origin.
_CONTENT_TYPES = frozenset({"text/plain", "application/json", "application/xml", "text/xml"})
_CHARSET = re.compile(r"\s*charset=([A-Za-z0-9_-]{1,32})\s*\Z", re.IGNORECASE)
_ANSWER_HEADERS: tuple[Header, ...] = (
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"sandbox; default-src 'none'"),
    (b"cache-control", b"no-store"),
)
#: How a request that never reached room 1 is counted; room 1 counts the others.
_REFUSED_AS = {404: "no_account", 413: "too_large", 429: "throttled", 503: "throttled"}
_BUSY_RETRY_S = 1
MAX_QUERY_FIELDS = 200


class WebhookRoute:
    """`GET|POST /wunder/channel/{provider}[/{account}]/webhook` (row C1)."""

    def __init__(self, parts: ApiParts, proxies: Proxies) -> None:
        self._webhooks = parts.webhooks
        self._providers = parts.providers
        self._clock = parts.clock
        self._metrics = parts.metrics
        self._policy = parts.policy
        self._knocks = Knocks(parts.policy.knocks)
        self._proxies = proxies
        self._at_once = 0
        self._held = HeldBytes(parts.policy.webhook_bytes_at_once)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request of a platform, or of a stranger who looks like one.

        uvicorn does not cancel this when the sender hangs up: what was begun is committed.
        """
        started = self._clock.monotonic()
        remote = self._proxies.remote_address(scope)
        source = source_key(remote)
        self._at_once += 1
        try:
            given = await self._take_in(scope, receive, send, remote)
            if given is not None:
                if given.is_verified:
                    self._judge(source, given.status)
                await self._hand_over(given, scope, receive, send)
        finally:
            self._at_once -= 1
            self._metrics.webhook_seconds.observe(self._clock.monotonic() - started)

    async def _hand_over(
        self, given: WebhookAnswer, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Write the answer, and say so where a reply travels in it."""
        is_written = False
        try:
            await _write(given, scope, receive, send)
            is_written = True
        finally:
            if given.ticket:
                await self._webhooks.answered(given.ticket, is_written=is_written)

    async def _take_in(
        self, scope: Scope, receive: Receive, send: Send, remote: str
    ) -> WebhookAnswer | None:
        """Bring the request to room 1; None when it was refused, and said so."""
        received_at = self._clock.now()
        source = source_key(remote)
        unread: Receive | None = receive
        place, held = scope["path"], 0
        try:
            channel, account = _place(scope)
            limit = self._admit(scope, source, channel, account or "")
            held = self._hold(place, _announced(scope, limit))
            query = _query(scope["query_string"])
            body = await self._body(receive, limit)
            unread = None
            request = RawRequest(
                method=scope["method"],
                path=scope["path"],
                query=query,
                headers=self._headers(scope, channel),
                body=body,
                remote_addr=remote,
                received_at=received_at,
            )
            return await self._webhooks.receive(channel, account, request)
        except RequestRefused as error:
            if unread:
                self._metrics.webhook_requests.inc(_REFUSED_AS.get(error.http_status, "refused"))
            self._judge(source, error.http_status)
            allow = ((b"allow", b"GET, POST"),) if error.http_status == 405 else ()
            await refuse(send, refusal(error, uuid.uuid4().hex), allow, unread)
        except WunderError as error:
            trace_id = uuid.uuid4().hex
            log.warning("webhook_not_taken", code=error.code, trace_id=trace_id)
            await refuse(send, outage(error, trace_id), unread=unread)
        finally:
            self._held.let_go(place, held)
        return None

    def _admit(self, scope: Scope, source: str, channel: str, account: str) -> int:
        """Refuse what needs no body to be refused; return how large the body may be."""
        if self._at_once > self._policy.webhooks_at_once:
            raise RequestRefused(503, "too_many_at_once", retry_after_s=_BUSY_RETRY_S)
        limit = self._webhooks.body_limit(channel)
        wait_s = self._knocks.wait_s(source, channel, account, self._clock.monotonic())
        if wait_s:
            raise RequestRefused(429, "too_many_requests", retry_after_s=wait_s)
        for name, value in scope["headers"]:
            if name == b"content-encoding" and value.strip().lower() not in {b"", b"identity"}:
                raise RequestRefused(415, "content_encoding")
            if name == b"content-length" and int(value) > limit:
                raise RequestRefused(413, "body_too_large")
        return limit

    def _hold(self, place: str, size_bytes: int) -> int:
        """Reserve memory for a body. Raises: RequestRefused 503."""
        wait_s = self._held.wait_s(place, size_bytes, self._clock.monotonic())
        if wait_s:
            raise RequestRefused(503, "too_much_at_once", retry_after_s=wait_s)
        return size_bytes

    async def _body(self, receive: Receive, limit: int) -> bytes:
        chunks: list[bytes] = []
        size = 0
        try:
            async with asyncio.timeout(self._policy.body_timeout_s):
                while True:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise RequestRefused(400, "body_cut_off")
                    chunk = message.get("body", b"")
                    size += len(chunk)
                    if size > limit:
                        raise RequestRefused(413, "body_too_large")
                    chunks.append(chunk)
                    if not message.get("more_body", False):
                        return chunks[0] if len(chunks) == 1 else b"".join(chunks)
        except TimeoutError:
            raise RequestRefused(408, "body_too_slow") from None

    def _headers(self, scope: Scope, channel: str) -> tuple[tuple[str, str], ...]:
        provider = self._providers.serving(ChannelId(channel))
        passes = provider is not None and provider.facts.passes_authorization
        return passed_on(scope["headers"], passes_authorization=passes)

    def _judge(self, source: str, status: int) -> None:
        """Let the source's budget follow from what its request turned out to be (rule 4)."""
        now = self._clock.monotonic()
        if status in {200, 204}:
            self._knocks.proved(source, now)
        elif status == 401:
            self._knocks.charge(source, self._policy.knocks.bad_signature_cost, now)
        elif status == 404:
            self._knocks.charge(source, self._policy.knocks.unknown_place_cost, now)


def _announced(scope: Scope, limit: int) -> int:
    """How many bytes a body will have; as many as it may where nothing says so."""
    sizes = [int(value) for name, value in scope["headers"] if name == b"content-length"]
    if sizes:
        return sizes[0]
    has_body = any(name == b"transfer-encoding" for name, _ in scope["headers"])
    return limit if has_body else 0


def _place(scope: Scope) -> tuple[str, str | None]:
    """Return provider and account of the path. Raises: RequestRefused 404, 405."""
    match = _PATH.match(scope["path"])
    if match is None:
        raise RequestRefused(404, "no_such_route")
    if scope["method"] not in {"GET", "POST"}:
        raise RequestRefused(405, "method_not_allowed")
    return match[1], match[2]


def _query(query_string: bytes) -> tuple[tuple[str, str], ...]:
    if not query_string:
        return ()
    try:
        return tuple(
            parse_qsl(
                query_string.decode("latin-1"),
                keep_blank_values=True,
                max_num_fields=MAX_QUERY_FIELDS,
            )
        )
    except ValueError:
        raise RequestRefused(400, "query_too_long") from None


async def _write(given: WebhookAnswer, scope: Scope, receive: Receive, send: Send) -> None:
    if given.status == 0:
        await drop(scope, receive)
        return
    body = b"" if given.status == 204 else given.body
    headers = list(_ANSWER_HEADERS)
    if body:
        headers.append((b"content-type", _content_type(given.content_type)))
    if given.retry_after_s is not None:
        headers.append((b"retry-after", b"%d" % given.retry_after_s))
    await answer(send, given.status, headers, body)


def _content_type(wanted: str) -> bytes:
    """Return a content type of the list, with its charset; plain text for any other."""
    kind, _, rest = wanted.partition(";")
    kind = kind.strip().lower()
    if kind not in _CONTENT_TYPES:
        return b"text/plain; charset=utf-8"
    charset = _CHARSET.match(rest)
    return (f"{kind}; charset={charset[1]}" if charset else kind).encode()
