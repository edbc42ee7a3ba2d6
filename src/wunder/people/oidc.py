"""Sign-in by somebody else's server: OpenID Connect, code flow with PKCE, through the guarded client."""

import base64
import hmac
import secrets
from collections.abc import Callable, Mapping
from typing import Any, Protocol
from urllib.parse import quote, urlencode, urlsplit

import msgspec

from wunder.egress.answer import FetchFault, Response
from wunder.errors import NotAllowed, RequestRefused
from wunder.model.ids import At
from wunder.observe.logs import get_logger
from wunder.people import lazy
from wunder.people.person import Role
from wunder.people.policy import OidcPolicy
from wunder.ports import Clock

log = get_logger(__name__)

CALLBACK = "/wunder/session/oidc/callback"
#: How long a person may take at the other server (choice).
TICKET_S = 600
#: The server's addresses and keys are asked for again after so long (choice).
KNOWN_FOR_S = 3_600.0
TIMEOUT_S = 10.0
MAX_BYTES = 262_144
_BYTES = 32
_ROLES: tuple[Role, ...] = ("admin", "operator", "viewer", "user")


class Fetches(Protocol):
    """The guarded client (rule 10)."""

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
        """Make one request."""


class Ticket(msgspec.Struct, frozen=True):
    """What the browser keeps while its person is away: proof that it is the same one that comes back."""

    state: str
    nonce: str
    verifier: str
    begun_at: At


class Outside(msgspec.Struct, frozen=True):
    """Who came back. `confirmed_at` is when they gave their password there, 0 where it is not said."""

    subject: str
    name: str
    display_name: str
    role: Role
    confirmed_at: At


class _Server(msgspec.Struct, frozen=True):
    """What discovery says that matters here."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)


class _Tokens(msgspec.Struct, frozen=True):
    id_token: str
    access_token: str = ""


class OidcDesk:
    """Sends people away with a ticket and takes them in when they come back with an answer."""

    def __init__(
        self,
        policy: OidcPolicy,
        secret: str,
        http: Fetches,
        clock: Clock,
        own_url: Callable[[], str],
    ) -> None:
        """Take the settings.

        Args:
            policy: of the section `oidc`.
            secret: of this client, from its file.
            http: the guarded client.
            clock: for ends of tickets and of what is known.
            own_url: where the gateway is reached by browsers.
        """
        self._policy = policy
        self._secret = secret
        self._http = http
        self._clock = clock
        self._own_url = own_url
        self._server: tuple[float, _Server] | None = None
        self._keys: tuple[float, dict[str, Any]] | None = None

    @property
    def label(self) -> str:
        """What the button says."""
        return self._policy.label

    async def begin(self, *, is_fresh: bool) -> tuple[str, str]:
        """Return where to send a browser, and the ticket it keeps.

        Args:
            is_fresh: the person gives the password there again, also when known (rule 16).

        Raises: RequestRefused 502 `oidc_unreachable`.
        """
        server = await self._discovered()
        state, nonce, verifier = (secrets.token_urlsafe(_BYTES) for _ in range(3))
        ticket = Ticket(state, nonce, verifier, self._clock.now())
        asked = {
            "response_type": "code",
            "client_id": self._policy.client_id,
            "redirect_uri": self._own_url() + CALLBACK,
            "scope": " ".join(self._policy.scopes),
            "state": ticket.state,
            "nonce": ticket.nonce,
            "code_challenge": lazy.id_tokens().challenge_of(ticket.verifier),
            "code_challenge_method": "S256",
            # Asks for auth_time, without which nobody knows when the password was given.
            "max_age": "0" if is_fresh else str(86_400),
        }
        if is_fresh:
            asked["prompt"] = "login"
        kept = base64.urlsafe_b64encode(msgspec.json.encode(ticket)).decode().rstrip("=")
        mark = "&" if urlsplit(server.authorization_endpoint).query else "?"
        return f"{server.authorization_endpoint}{mark}{urlencode(asked)}", kept

    async def finish(self, kept: str, code: str, state: str) -> Outside:
        """Return who came back with this answer and this ticket.

        Raises:
            RequestRefused: 403 `oidc_failed`: it proves nothing; 502 `oidc_unreachable`.
            NotAllowed: they have no role here.
        """
        ticket = _ticket_of(kept)
        now = self._clock.now()
        if ticket is None or not code or not 0 <= now - ticket.begun_at <= TICKET_S * 1000:
            raise _failed("ticket")
        if not hmac.compare_digest(ticket.state.encode(), state.encode("utf-8", "surrogatepass")):
            raise _failed("state")
        server = await self._discovered()
        tokens = await self._exchanged(server, code, ticket.verifier)
        claims = await self._claims(server, tokens, ticket.nonce)
        role = self._role(claims)
        if role is None:
            log.info("oidc_without_role", role_claim=self._policy.role_claim)
            raise NotAllowed("You have no role here: ask an administrator.")
        subject = str(claims["sub"])
        name = _text(claims, "preferred_username") or _text(claims, "email") or subject
        auth_time = claims.get("auth_time")
        confirmed_at = At(int(auth_time) * 1000) if isinstance(auth_time, int | float) else At(0)
        return Outside(
            subject=f"{server.issuer} {subject}",
            name=name,
            display_name=(_text(claims, "name") or name)[:100],
            role=role,
            confirmed_at=min(confirmed_at, now),
        )

    async def _exchanged(self, server: _Server, code: str, verifier: str) -> _Tokens:
        """Trade the code for tokens, as this client."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._own_url() + CALLBACK,
            "code_verifier": verifier,
        }
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "Accept": "application/json",
        }
        if "client_secret_basic" in server.token_endpoint_auth_methods_supported:
            pair = f"{quote(self._policy.client_id, safe='')}:{quote(self._secret, safe='')}"
            headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        else:
            form |= {"client_id": self._policy.client_id, "client_secret": self._secret}
        came = await self._http.request(
            "POST",
            server.token_endpoint,
            headers=headers,
            body=urlencode(form).encode(),
            timeout_s=TIMEOUT_S,
            max_bytes=MAX_BYTES,
        )
        if isinstance(came, Response) and 400 <= came.status < 500:
            raise _failed("code")
        tokens: _Tokens = _decoded(came, _Tokens)
        return tokens

    async def _claims(self, server: _Server, tokens: _Tokens, nonce: str) -> dict[str, Any]:
        library = lazy.id_tokens()
        wanted = {
            "issuer": server.issuer,
            "client_id": self._policy.client_id,
            "nonce": nonce,
            "access_token": tokens.access_token,
        }
        now_s = self._clock.now() // 1000
        try:
            try:
                keys = await self._known_keys(server)
                claims: dict[str, Any] = library.claims_of(tokens.id_token, keys, wanted, now_s)
            except library.UnknownKey:
                self._keys = None  # they may have been changed since
                keys = await self._known_keys(server)
                claims = library.claims_of(tokens.id_token, keys, wanted, now_s)
        except library.BadIdToken as error:
            raise _failed(str(error)) from error
        return claims

    async def _discovered(self) -> _Server:
        now = self._clock.monotonic()
        if self._server is not None and now - self._server[0] < KNOWN_FOR_S:
            return self._server[1]
        issuer = self._policy.issuer.rstrip("/")
        server: _Server = await self._fetched(f"{issuer}/.well-known/openid-configuration", _Server)
        if server.issuer.rstrip("/") != issuer:
            raise _unreachable("issuer")
        addresses = (server.authorization_endpoint, server.token_endpoint, server.jwks_uri)
        if issuer.startswith("https:") and not all(one.startswith("https:") for one in addresses):
            raise _unreachable("plain_http")
        self._server = (now, server)
        return server

    async def _known_keys(self, server: _Server) -> dict[str, Any]:
        now = self._clock.monotonic()
        if self._keys is None or now - self._keys[0] >= KNOWN_FOR_S:
            self._keys = (now, await self._fetched(server.jwks_uri, dict[str, Any]))
        return self._keys[1]

    async def _fetched(self, url: str, wanted: Any) -> Any:
        headers = {"Accept": "application/json"}
        came = await self._http.request(
            "GET", url, headers=headers, timeout_s=TIMEOUT_S, max_bytes=MAX_BYTES
        )
        return _decoded(came, wanted)

    def _role(self, claims: Mapping[str, Any]) -> Role | None:
        found: Any = claims
        for step in self._policy.role_claim.split("."):
            found = found.get(step) if isinstance(found, Mapping) else None
        values = {str(one) for one in (found if isinstance(found, list) else [found])}
        for role in _ROLES:
            if values & set(getattr(self._policy, f"{role}_values")):
                return role
        return self._policy.default_role or None


def _decoded(came: Response | FetchFault, wanted: Any) -> Any:
    if isinstance(came, FetchFault):
        raise _unreachable(came.kind)
    if came.status != 200:
        raise _unreachable(f"status_{came.status}")
    try:
        return msgspec.json.decode(came.body, type=wanted)
    except (msgspec.DecodeError, RecursionError):
        raise _unreachable("not_understood") from None


def _ticket_of(kept: str) -> Ticket | None:
    try:
        padded = kept.encode("ascii") + b"=" * (-len(kept) % 4)
        return msgspec.json.decode(base64.urlsafe_b64decode(padded), type=Ticket)
    except (ValueError, msgspec.DecodeError):
        return None


def _text(claims: Mapping[str, Any], name: str) -> str:
    value = claims.get(name)
    return value if isinstance(value, str) and value.isprintable() else ""


def _failed(why: str) -> RequestRefused:
    log.info("oidc_failed", why=why)
    return RequestRefused(403, "oidc_failed")


def _unreachable(why: str) -> RequestRefused:
    log.warning("oidc_unreachable", why=why)
    return RequestRefused(502, "oidc_unreachable")
