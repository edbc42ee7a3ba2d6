"""Speak to QQ's OpenAPI: the token, the headers of every call, and answers read the same way."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from wunder_channels.qqbot.provider_errors import PlatformAnswer, Refusal, refusal_of
from wunder_sdk import (
    Account,
    AuthFailed,
    ChannelError,
    HttpAnswer,
    ProviderUnavailable,
    RateLimited,
)
from wunder_sdk.http_client import TOTAL_S, RequestOptions

_TOKEN_PATH = "/app/getAppAccessToken"  # noqa: S105 - a path
#: Token errors arrive with HTTP 200 (QQ bot docs 2026-07, access token).
_TOKEN_TOO_OFTEN = 100001
_TOKEN_TOO_OFTEN_WAIT_S = 5.0
#: How long a token is used whose `expires_in` cannot be read (choice).
_TOKEN_LEAST_LIFE_S = 60.0
#: Wrong or banned app id, wrong secret, no such bot: only a person can change that.
_TOKEN_CREDENTIALS = frozenset({100007, 100016, 10004})


_SECONDS = re.compile(r"[0-9]{1,7}(?:\.[0-9]{1,6})?\Z")


@dataclass(frozen=True, slots=True)
class QqConfig:
    """An account's fields; what each means is in account.schema.json."""

    app_id: str
    client_secret: str
    api_base: str = "https://api.bot.qq.com"
    token_url: str = ""
    markdown: str = "auto"
    links: str = "keep"
    allow_active: bool = False
    accept_bots: bool = False
    typing: bool = False
    webhook_max_skew_s: int = 300

    @property
    def token_address(self) -> str:
        """Where tokens come from: `token_url`, else the place that belongs to `api_base`."""
        if self.token_url:
            return self.token_url
        host = urlsplit(self.api_base).hostname or ""
        # The older OpenAPI hosts give no tokens (QQ bot docs 2025-04, access token).
        if host == "sgroup.qq.com" or host.endswith(".sgroup.qq.com"):
            return "https://bots.qq.com" + _TOKEN_PATH
        return self.api_base.rstrip("/") + _TOKEN_PATH


class QqApi:
    """QQ's OpenAPI as one account."""

    def __init__(self, account: Account[QqConfig]) -> None:
        self._account = account

    async def call(
        self,
        method: str,
        path: str,
        body: Mapping[str, object] | None = None,
        *,
        safe: bool = False,
        timeout_s: float = TOTAL_S,
    ) -> PlatformAnswer:
        """Make one call; a refused token is dropped and the call made once more with a new one.

        Args:
            method: HTTP method.
            path: Below `api_base`, its parts already quoted.
            body: JSON object.
            safe: Repeating the call does no harm, so no answer means "not sent".
            timeout_s: Seconds for one exchange.

        Raises:
            ChannelError: No token, or no answer. Refusals are returned, see `refusal_of`.
        """

        def options() -> RequestOptions:
            asked: RequestOptions = {"safe": safe or method == "GET", "timeout_s": timeout_s}
            return asked if body is None else {**asked, "json": body}

        return await self._call(method, path, options)

    async def post_form(self, path: str, body: bytes, content_type: str) -> PlatformAnswer:
        """POST a form; raises as `call` does."""

        def options() -> RequestOptions:
            return {"data": body, "headers": {"Content-Type": content_type}}

        return await self._call("POST", path, options)

    async def token(self) -> str:
        """Return an access token, fetched when needed.

        Raises:
            AuthFailed: QQ does not know this AppID with this secret, or banned it.
            RateLimited: Tokens were asked for too often.
            ProviderUnavailable: No usable answer.
        """
        return await self._account.tokens.get("access", self._fetch_token)

    async def _call(
        self, method: str, path: str, options: Callable[[], RequestOptions]
    ) -> PlatformAnswer:
        answer, token = await self._call_once(method, path, options())
        if refusal_of(answer) is Refusal.TOKEN:
            self._account.tokens.invalidate("access", token)
            answer, _ = await self._call_once(method, path, options())
        return answer

    async def _call_once(
        self, method: str, path: str, options: RequestOptions
    ) -> tuple[PlatformAnswer, str]:
        token = await self.token()
        config = self._account.config
        headers = {
            "Authorization": f"QQBot {token}",
            "X-Union-Appid": config.app_id,
            **options.get("headers", {}),
        }
        url = config.api_base.rstrip("/") + path
        asked: RequestOptions = {**options, "headers": headers}
        return read(await self._account.http.request(method, url, **asked)), token

    async def _fetch_token(self) -> tuple[str, float]:
        config = self._account.config
        asked = {"appId": config.app_id, "clientSecret": config.client_secret}
        answer = read(await self._account.http.post(config.token_address, json=asked, safe=True))
        token, lives_s = answer.document.get("access_token"), answer.document.get("expires_in")
        if answer.status == 200 and isinstance(token, str) and token:
            return token, token_life_s(lives_s)
        raise _token_error(answer)


def read(answer: HttpAnswer) -> PlatformAnswer:
    """Read an answer of the API, whatever came: not JSON means an empty, unreadable document."""
    try:
        found = answer.json() if answer.body else None
    except ChannelError:
        found = None
    document: dict[str, object] = found if isinstance(found, dict) else {}
    code = _number(document.get("err_code")) or _number(document.get("code"))
    words, trace = document.get("message"), document.get("trace_id")
    header_trace = answer.headers.get("X-Tps-trace-ID", "")
    return PlatformAnswer(
        status=answer.status,
        code=code or None,
        words=words if isinstance(words, str) else "",
        document=document,
        readable=isinstance(found, dict) or answer.status == 204,
        trace_id=(header_trace or (trace if isinstance(trace, str) else ""))[:100],
        retry_after_s=_seconds(answer.headers.get("Retry-After", "")),
    )


def token_life_s(expires_in: object) -> float:
    """Return how long a token lives; QQ writes it as a string in practice ("7200")."""
    return _seconds(str(expires_in)) or _TOKEN_LEAST_LIFE_S


def _token_error(answer: PlatformAnswer) -> ChannelError:
    where = f"the token endpoint (code {answer.code}, HTTP {answer.status})"
    if answer.code == _TOKEN_TOO_OFTEN or answer.status == 429:
        wait_s = answer.retry_after_s or _TOKEN_TOO_OFTEN_WAIT_S
        return RateLimited(f"{where} was asked too often", retry_after=wait_s,
                           provider_code=answer.code, http_status=answer.status)  # fmt: skip
    refused = answer.code in _TOKEN_CREDENTIALS or 400 <= answer.status < 500
    kind = AuthFailed if refused else ProviderUnavailable
    said = " ".join(answer.words.split())[:200] or "no words"
    return kind(f"{where} gave no token: {said}", provider_code=answer.code,
                http_status=answer.status)  # fmt: skip


def _number(value: object) -> int:
    if isinstance(value, int):
        return int(value)
    text = value if isinstance(value, str) else ""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 16 else 0


def _seconds(text: str) -> float | None:
    return float(text) if _SECONDS.match(text) else None
