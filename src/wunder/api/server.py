"""The front door: sends each request to the route that knows it."""

import re
import uuid

from wunder.api.asgi import SECURITY_HEADERS, App, Message, Receive, Scope, Send, refuse
from wunder.api.auditing import Audited, make_note
from wunder.api.chat import PREFIX as CHAT
from wunder.api.chat import ChatRoute
from wunder.api.console import DOORS, ConsolePages
from wunder.api.console import PREFIX as CONSOLE
from wunder.api.event_stream import PATHS as STREAMS
from wunder.api.event_stream import EventStreams
from wunder.api.exchange import Exchange
from wunder.api.lazy import LateApp, admin_app
from wunder.api.parts import ApiParts
from wunder.api.probes import Probes
from wunder.api.problems import problem
from wunder.api.sources import Proxies
from wunder.api.untrusted import PREFIX as UNTRUSTED
from wunder.api.untrusted import UntrustedRoute
from wunder.api.webhooks import WebhookRoute
from wunder.observe.logs import get_logger

log = get_logger(__name__)

_KEYS = re.compile(r"(/wunder/channel/[^/]{1,64}/)[^/]+(/webhook)|(/wunder/chat/)[0-9a-f]{32}")


class FrontDoor:
    """Dispatches by path. Webhooks have a way of their own, probes are bare, the rest is loaded when first asked for."""

    def __init__(self, parts: ApiParts) -> None:
        proxies = Proxies(parts.policy.trusted_proxies)
        probes = Probes(parts)
        self._clock = parts.clock
        self._access_log = parts.policy.access_log
        self._proxies = proxies
        self._webhooks = WebhookRoute(parts, proxies)
        self._probes: dict[str, App] = {
            "/healthz": probes.healthz,
            "/readyz": probes.readyz,
            "/metrics": probes.metrics,
        }
        self._untrusted = UntrustedRoute(parts.attachments)
        self._chat = ChatRoute(parts, proxies)
        self._streams = EventStreams(parts)
        self._console = ConsolePages()
        late = LateApp(lambda: admin_app(parts))
        self._admin = Audited(late, parts.audit, parts.clock)
        self._hosts = frozenset(host.lower() for host in parts.policy.allowed_hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request that is none to a channel."""
        if scope["type"] != "http":
            return
        if self._access_log == "off":
            await self._route(scope, receive, send)
            return
        started = self._clock.monotonic()
        status = 0  # stays 0 where the connection was closed unanswered

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._route(scope, receive, noting)
        finally:
            if scope["path"] not in self._probes or self._is_told(status):
                remote = self._proxies.remote_address(scope)
                self._log((scope["method"], scope["path"], remote), status, started)

    async def take_webhook(self, exchange: Exchange) -> None:
        """Answer one request to a channel."""
        started = self._clock.monotonic()
        try:
            await self._webhooks(exchange)
        finally:
            if self._is_told(exchange.status):
                remote = self._proxies.sender(exchange.client, exchange.headers)
                self._log((exchange.method, exchange.path, remote), exchange.status, started)

    def _is_told(self, status: int) -> bool:
        """Whether the access log tells of what comes often: of all, or of what went wrong."""
        if self._access_log == "off":
            return False
        return self._access_log == "all" or not 0 < status < 400

    def _log(self, asked: tuple[str, str, str], status: int, started: float) -> None:
        method, path, remote = asked
        log.info(
            "request_answered",
            method=method,
            path=_loggable(path),
            status=status,
            took_ms=round((self._clock.monotonic() - started) * 1000, 1),
            remote_addr=remote,
        )

    async def _route(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        if path in self._probes:
            await self._probe(scope, receive, send)
        elif not self._is_host_allowed(scope):
            await refuse(
                send,
                problem(
                    421,
                    "host_not_allowed",
                    "this host name is not in the list `api.allowed_hosts`",
                    trace_id=uuid.uuid4().hex,
                ),
                unread=receive,
            )
        elif path.startswith(UNTRUSTED):
            await self._untrusted(scope, receive, send)
        elif path.startswith(CHAT):
            await self._chat(scope, receive, send)
        elif path.startswith(CONSOLE) or path in DOORS:
            await self._console(scope, receive, send)
        else:
            over_tls = self._proxies.is_over_tls(scope)
            make_note(scope, self._proxies.remote_address(scope), is_over_tls=over_tls)
            if path in STREAMS:
                await self._streams(scope, receive, send)
            else:
                await self._admin(scope, receive, _hardened(send))

    async def _probe(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] in {"GET", "HEAD"}:
            await self._probes[scope["path"]](scope, receive, send)
        else:
            wrong = problem(405, "method_not_allowed", trace_id=uuid.uuid4().hex)
            await refuse(send, wrong, [(b"allow", b"GET, HEAD")], unread=receive)

    def _is_host_allowed(self, scope: Scope) -> bool:
        """Rule 16: a page that resolves its own name to our address must not speak to us."""
        if "*" in self._hosts:
            return True
        hosts = [value for name, value in scope["headers"] if name == b"host"]
        if len(hosts) != 1:
            return False
        return _host_name(hosts[0].decode("latin-1")) in self._hosts


def build_app(parts: ApiParts) -> FrontDoor:
    """Build what answers requests; nothing heavy is imported yet."""
    return FrontDoor(parts)


def _hardened(send: Send) -> Send:
    """Put our headers on every answer of the framework, its own refusals too."""

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", ()), *SECURITY_HEADERS]
        await send(message)

    return sending


def _host_name(header: str) -> str:
    """Return the host of a Host header: lower case, without port and brackets."""
    host = header.strip().lower()
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.rpartition(":")[0] if ":" in host else host


def _loggable(path: str) -> str:
    """Webhook keys are half a secret: they stay out of logs, as query strings do."""
    return _KEYS.sub(r"\1\3*\2", path)
