"""The webhook route: refuses what needs no channel to be refused, then hands over raw bytes."""

import asyncio
import re
import uuid
from urllib.parse import parse_qsl

from wunder.api.credentials import passed_on
from wunder.api.exchange import Exchange
from wunder.api.parts import ApiParts
from wunder.api.problems import outage, refusal
from wunder.api.sources import Knocks, Proxies, source_key
from wunder.errors import RequestRefused, WunderError
from wunder.model.ids import ChannelId
from wunder.model.provider import RawRequest, WebhookAnswer
from wunder.observe.logs import get_logger
from wunder.upkeep.fair_share import HeldBytes

log = get_logger(__name__)

#: A provider id and a webhook key or account label; the ids' own pattern is the rooms' business.
_PATH = re.compile(r"/wunder/channel/([^/]{1,64})(?:/([^/]{1,128}))?/webhook/?\Z")
#: Security rule 1: the content types that a stranger's bytes may have on our origin.
_CONTENT_TYPES = frozenset({"text/plain", "application/json", "application/xml", "text/xml"})
_CHARSET = re.compile(r"\s*charset=([A-Za-z0-9_-]{1,32})\s*\Z", re.IGNORECASE)
_ANSWER_LINES = (
    b"x-content-type-options: nosniff\r\n"
    b"content-security-policy: sandbox; default-src 'none'\r\n"
    b"cache-control: no-store\r\n"
)
#: How a request that never reached room 1 is counted; room 1 counts the others.
_REFUSED_AS = {404: "no_account", 413: "too_large", 429: "throttled", 503: "throttled"}
_BUSY_RETRY_S = 1
MAX_QUERY_FIELDS = 200
#: Rounds of the loop between a commit and the answer to it, for what room 1 has handed on: in one a
#: turn is begun, in the next its work reaches the store's thread, which does it while the answer is written.
#: With one in flight replies come 7 % sooner and answers no later (docs/performance.md).
_HEAD_START = 2


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

    async def __call__(self, exchange: Exchange) -> None:
        """Answer one request of a platform, or of a stranger who looks like one.

        Nothing cancels this when the sender hangs up: what was begun is committed.
        """
        started = self._clock.monotonic()
        remote = self._proxies.sender(exchange.client, exchange.headers)
        source = source_key(remote)
        self._at_once += 1
        try:
            given = await self._take_in(exchange, source, remote)
            if given is not None:
                if given.is_verified:
                    self._judge(source, given.status)
                await self._hand_over(given, exchange)
        finally:
            self._at_once -= 1
            self._metrics.webhook_seconds.observe(self._clock.monotonic() - started)

    async def _hand_over(self, given: WebhookAnswer, exchange: Exchange) -> None:
        """Write the answer, and say so where a reply travels in it."""
        is_written = False
        try:
            for _ in range(_HEAD_START):
                await asyncio.sleep(0)
            await _write(given, exchange)
            is_written = True
        finally:
            if given.ticket:
                await self._webhooks.answered(given.ticket, is_written=is_written)

    async def _take_in(self, exchange: Exchange, source: str, remote: str) -> WebhookAnswer | None:
        """Bring the request to room 1; None when it was refused, and said so."""
        received_at = self._clock.now()
        is_read = False
        held = 0
        try:
            channel, account = _place(exchange)
            limit = self._admit(exchange, source, channel, account or "")
            held = self._hold(exchange.path, _announced(exchange, limit))
            query = _query(exchange.query_string)
            body = await exchange.whole_body(limit, self._policy.body_timeout_s)
            is_read = True
            request = RawRequest(
                method=exchange.method,
                path=exchange.path,
                query=query,
                headers=self._headers(exchange, channel),
                body=body,
                remote_addr=remote,
                received_at=received_at,
            )
            return await self._webhooks.receive(channel, account, request)
        except RequestRefused as error:
            if not is_read:
                self._metrics.webhook_requests.inc(_REFUSED_AS.get(error.http_status, "refused"))
            self._judge(source, error.http_status)
            allow = ((b"allow", b"GET, POST"),) if error.http_status == 405 else ()
            await exchange.refuse(refusal(error, uuid.uuid4().hex), allow, is_read=is_read)
        except WunderError as error:
            trace_id = uuid.uuid4().hex
            log.warning("webhook_not_taken", code=error.code, trace_id=trace_id)
            await exchange.refuse(outage(error, trace_id), is_read=is_read)
        finally:
            self._held.let_go(exchange.path, held)
        return None

    def _admit(self, exchange: Exchange, source: str, channel: str, account: str) -> int:
        """Refuse what needs no body to be refused; return how large the body may be."""
        if self._at_once > self._policy.webhooks_at_once:
            raise RequestRefused(503, "too_many_at_once", retry_after_s=_BUSY_RETRY_S)
        limit = self._webhooks.body_limit(channel)
        wait_s = self._knocks.wait_s(source, channel, account, self._clock.monotonic())
        if wait_s:
            raise RequestRefused(429, "too_many_requests", retry_after_s=wait_s)
        for name, value in exchange.headers:
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

    def _headers(self, exchange: Exchange, channel: str) -> tuple[tuple[str, str], ...]:
        provider = self._providers.serving(ChannelId(channel))
        passes = provider is not None and provider.facts.passes_authorization
        return passed_on(exchange.headers, passes_authorization=passes)

    def _judge(self, source: str, status: int) -> None:
        """Let the source's budget follow from what its request turned out to be (rule 4)."""
        now = self._clock.monotonic()
        if status in {200, 204}:
            self._knocks.proved(source, now)
        elif status == 401:
            self._knocks.charge(source, self._policy.knocks.bad_signature_cost, now)
        elif status == 404:
            self._knocks.charge(source, self._policy.knocks.unknown_place_cost, now)


def _announced(exchange: Exchange, limit: int) -> int:
    """How many bytes a body will have; as many as it may where nothing says so."""
    sizes = [int(value) for name, value in exchange.headers if name == b"content-length"]
    if sizes:
        return sizes[0]
    has_body = any(name == b"transfer-encoding" for name, _ in exchange.headers)
    return limit if has_body else 0


def _place(exchange: Exchange) -> tuple[str, str | None]:
    """Return provider and account of the path. Raises: RequestRefused 404, 405."""
    match = _PATH.match(exchange.path)
    if match is None:
        raise RequestRefused(404, "no_such_route")
    if exchange.method not in {"GET", "POST"}:
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


async def _write(given: WebhookAnswer, exchange: Exchange) -> None:
    if given.status == 0:
        exchange.hang_up()
        return
    body = b"" if given.status == 204 else given.body
    lines = _ANSWER_LINES
    if body:
        lines += b"content-type: " + _content_type(given.content_type) + b"\r\n"
    if given.retry_after_s is not None:
        lines += b"retry-after: %d\r\n" % given.retry_after_s
    await exchange.answer(given.status, lines, body)


def _content_type(wanted: str) -> bytes:
    """Return a content type of the list, with its charset; plain text for any other."""
    kind, _, rest = wanted.partition(";")
    kind = kind.strip().lower()
    if kind not in _CONTENT_TYPES:
        return b"text/plain; charset=utf-8"
    charset = _CHARSET.match(rest)
    return (f"{kind}; charset={charset[1]}" if charset else kind).encode()
