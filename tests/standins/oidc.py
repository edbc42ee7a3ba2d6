"""An OpenID Connect server: discovery, keys, tokens; a test says who signs in and what it forges."""

import base64
import hashlib
import hmac
import json
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from aiohttp import web
from joserfc import jwt
from joserfc.jwk import RSAKey


@dataclass
class OidcServer:
    """`async with` serves it; `arrive` is the person who signs in there."""

    client_id: str = "wunder"
    secret: str = "s3cr3t with spaces & signs"
    claims: dict[str, Any] = field(default_factory=dict)
    url: str = ""
    requests: list[str] = field(default_factory=list)
    exchange: dict[str, str] = field(default_factory=dict)
    authorization: str = ""
    forge: str = ""
    issuer: str = ""
    #: Where browsers are sent: another site than the gateway's, where a test wants that.
    seen_as: str = ""
    #: Who signs in when a real browser comes; None: the server sends it back with an error.
    person: dict[str, Any] | None = None

    def __post_init__(self) -> None:
        self.key = RSAKey.generate_key(2048, {"kid": "one"})
        self._codes: dict[str, dict[str, str]] = {}

    async def __aenter__(self) -> "OidcServer":
        app = web.Application()
        app.router.add_get("/.well-known/openid-configuration", self._discovery)
        app.router.add_get("/authorize", self._authorize)
        app.router.add_get("/keys", self._keys)
        app.router.add_post("/token", self._token)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        port = self._runner.addresses[0][1]
        self.url = f"http://127.0.0.1:{port}"
        self.seen_as = f"http://{self.seen_as}:{port}" if self.seen_as else self.url
        self.issuer = self.url
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    def arrive(self, location: str, **claims: Any) -> str:
        """A person signs in where a browser was sent; the query with which they come back."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}
        code = f"code-{len(self._codes)}"
        self._codes[code] = asked
        self.claims = claims
        return f"code={code}&state={asked['state']}"

    def rotate(self) -> None:
        """Sign with another key from now on."""
        self.key = RSAKey.generate_key(2048, {"kid": "two"})

    async def _discovery(self, _: web.Request) -> web.Response:
        self.requests.append("discovery")
        return web.json_response(
            {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.seen_as}/authorize",
                "token_endpoint": f"{self.url}/token",
                "jwks_uri": f"{self.url}/keys",
            }
        )

    async def _authorize(self, request: web.Request) -> web.Response:
        answer = f"error=access_denied&state={request.query['state']}"
        if self.person is not None:
            answer = self.arrive(str(request.url), **self.person)
        raise web.HTTPFound(f"{request.query['redirect_uri']}?{answer}")

    async def _keys(self, _: web.Request) -> web.Response:
        self.requests.append("keys")
        return web.json_response({"keys": [self.key.as_dict(private=False)]})

    async def _token(self, request: web.Request) -> web.Response:
        self.exchange = {name: str(value) for name, value in (await request.post()).items()}
        self.authorization = request.headers.get("Authorization", "")
        asked = self._codes.pop(self.exchange.get("code", ""), None)
        verifier = self.exchange.get("code_verifier", "")
        digest = hashlib.sha256(verifier.encode()).digest()
        challenge = _b64(digest)
        if asked is None or asked["code_challenge"] != challenge:
            return web.json_response({"error": "invalid_grant"}, status=400)
        token = self._signed(asked["nonce"])
        return web.json_response({"access_token": "opaque", "id_token": token})

    def _signed(self, nonce: str) -> str:
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "sub": "subject-1",
            "aud": self.client_id,
            "iat": now,
            "exp": now + 300,
            "nonce": nonce,
            **self.claims,
        }
        wrong: dict[str, dict[str, Any]] = {
            "issuer": {"iss": "https://evil.example"},
            "audience": {"aud": "somebody else"},
            "nonce": {"nonce": "of another sign-in"},
            "expired": {"iat": now - 900, "exp": now - 600},
        }
        claims |= wrong.get(self.forge, {})
        if self.forge in {"none", "hmac"}:
            return self._signed_by_nobody(claims)
        key = RSAKey.generate_key(2048, {"kid": "one"}) if self.forge == "key" else self.key
        return jwt.encode({"alg": "RS256", "kid": key.kid}, claims, key)

    def _signed_by_nobody(self, claims: dict[str, Any]) -> str:
        """Without a signature, or with one made of the public key that everybody has."""
        algorithm = "none" if self.forge == "none" else "HS256"
        head = {"alg": algorithm, "kid": self.key.kid}
        signed = ".".join(_b64(json.dumps(part).encode()) for part in (head, claims))
        if self.forge == "none":
            return f"{signed}."
        public = self.key.as_pem(private=False)
        return f"{signed}.{_b64(hmac.digest(public, signed.encode(), 'sha256'))}"


def _b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
