"""Speak to the open platform: the token, one form of call, and answers read the same way."""

import io
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field

from wunder_channels.feishu.provider_errors import (
    PlatformAnswer,
    Refusal,
    error_for,
    refusal_of,
)
from wunder_sdk import (
    Account,
    AuthFailed,
    ChannelError,
    HttpAnswer,
    ProviderUnavailable,
)

_TOKEN_PATH = "/open-apis/auth/v3/tenant_access_token/internal"  # noqa: S105 - a path
#: Refresh a token this long before its end (lark-oapi does): from 30 min on Feishu hands out a
#: new one, and both are valid. The SDK's cache refreshes 60 s early by itself.
_TOKEN_EARLY_S = 600.0
_CACHE_EARLY_S = 60.0
#: How long a token is used whose `expire` cannot be read (choice).
_TOKEN_LEAST_LIFE_S = 120.0
#: An upload may take longer than a call, but must end before the gateway's 10 s (choice).
_UPLOAD_S = 9.0
_RESET_S = re.compile(r"[0-9]{1,5}(?:\.[0-9]{1,6})?\Z")
_UNQUOTABLE = re.compile(r'[\x00-\x1f\x7f"\\]')


@dataclass(frozen=True, slots=True)
class FeishuConfig:
    """An account's fields; what each means is in account.schema.json."""

    app_id: str
    app_secret: str
    verification_token: str = ""
    encrypt_key: str = ""
    domain: str = "https://open.feishu.cn"
    receive_id_type: str = "chat_id"
    long_connection_enabled: bool = False
    bot_open_id: str = ""
    max_clock_skew_s: int = 0
    reply_style: str = "auto"
    quote: str = "groups"
    allow_at_all: bool = False
    typewriter: bool = True

    @property
    def base(self) -> str:
        """The API's address without a slash at its end."""
        return self.domain.rstrip("/")


@dataclass(frozen=True, slots=True)
class Upload:
    """A file to upload: fields of the form, then the file itself."""

    field_name: str
    file_name: str
    content: bytes
    fields: Mapping[str, str] = field(default_factory=dict)


class FeishuApi:
    """The open platform as one app."""

    def __init__(self, account: Account[FeishuConfig]) -> None:
        self._account = account

    async def call(
        self,
        method: str,
        path: str,
        body: Mapping[str, object] | None = None,
        *,
        params: Mapping[str, str] | None = None,
        safe: bool = False,
    ) -> PlatformAnswer:
        """Make one call; a refused token is dropped and the call made once more with a new one.

        Args:
            method: HTTP method.
            path: Below the API's address, its parts already quoted.
            body: JSON object.
            params: Query.
            safe: Repeating the call does no harm, so no answer means "not sent".

        Raises:
            ChannelError: No token, or no answer. Refusals are returned, see `refusal_of`.
        """
        options: dict[str, object] = {"safe": safe or method == "GET"}
        if body is not None:
            options["json"] = body
        if params:
            options["params"] = params
        return await self._with_token(method, path, options)

    async def upload(self, path: str, upload: Upload) -> PlatformAnswer:
        """Upload a file; nothing is shown to anybody by that, so it may be repeated."""
        boundary = f"wunder-{secrets.token_hex(16)}"
        options: dict[str, object] = {
            "safe": True,
            "data": _form(boundary, upload),
            "headers": {"Content-Type": f"multipart/form-data; boundary={boundary}"},
            "timeout_s": _UPLOAD_S,
        }
        return await self._with_token("POST", path, options)

    async def ask(self, path: str) -> dict[str, object]:
        """Return the JSON object that a GET answers.

        Raises:
            ChannelError: What the refusal means.
        """
        answer = await self.call("GET", path)
        refusal = refusal_of(answer)
        if refusal is Refusal.NO_ANSWER:
            refusal = Refusal.SYSTEM
        if refusal is not None:
            raise error_for(refusal, answer, 1)
        return answer.document

    async def token(self) -> str:
        """Return a tenant_access_token, fetched when needed.

        Raises:
            AuthFailed: Feishu does not know this App ID with this App Secret.
            RateLimited: Tokens were asked for too often.
            ProviderUnavailable: No usable answer.
        """
        return await self._account.tokens.get("tenant", self._fetch_token)

    def drop_token(self, token: str) -> None:
        """Forget a token that Feishu refused."""
        self._account.tokens.invalidate("tenant", token)

    async def _with_token(
        self, method: str, path: str, options: dict[str, object]
    ) -> PlatformAnswer:
        token = await self.token()
        answer = await self._once(method, path, options, token)
        if refusal_of(answer) is Refusal.TOKEN:
            self.drop_token(token)
            answer = await self._once(method, path, options, await self.token())
        return answer

    async def _once(
        self, method: str, path: str, options: dict[str, object], token: str
    ) -> PlatformAnswer:
        given = options.get("headers")
        headers = {**(given if isinstance(given, dict) else {}), "Authorization": f"Bearer {token}"}
        url = self._account.config.base + path
        asked = {**options, "headers": headers}
        if isinstance(data := options.get("data"), bytes):
            # As a file it is written in pieces; in one piece it would hold up the loop.
            asked["data"] = io.BytesIO(data)
        return read(await self._account.http.request(method, url, **asked))  # type: ignore[arg-type]  # built above

    async def _fetch_token(self) -> tuple[str, float]:
        config = self._account.config
        asked = {"app_id": config.app_id, "app_secret": config.app_secret}
        url = config.base + _TOKEN_PATH
        answer = read(await self._account.http.post(url, json=asked, safe=True))
        token = answer.document.get("tenant_access_token")
        if refusal_of(answer) is None and isinstance(token, str) and token:
            return token, cached_life_s(answer.document.get("expire"))
        raise _token_error(answer)


def read(answer: HttpAnswer) -> PlatformAnswer:
    """Read an answer of the API, whatever came: not JSON means an empty document without a code."""
    try:
        found = answer.json() if answer.body else None
    except ChannelError:
        found = None
    document: dict[str, object] = found if isinstance(found, dict) else {}
    code, words = document.get("code"), document.get("msg")
    error = document.get("error")
    log_id = error.get("log_id") if isinstance(error, dict) else None
    reset = answer.headers.get("x-ogw-ratelimit-reset", "")
    return PlatformAnswer(
        status=answer.status,
        code=code if type(code) is int else None,
        words=words if isinstance(words, str) else "",
        document=document,
        log_id=(answer.headers.get("X-Tt-Logid") or (log_id if isinstance(log_id, str) else ""))[
            :80
        ],
        reset_s=float(reset) if _RESET_S.match(reset) else None,
    )


def cached_life_s(expire: object) -> float:
    """Return how long to cache a token of `expire` seconds: its last ten minutes are not used."""
    if type(expire) is not int or expire <= 0:
        return _TOKEN_LEAST_LIFE_S
    return max(float(expire) - _TOKEN_EARLY_S + _CACHE_EARLY_S, expire / 2)


def _token_error(answer: PlatformAnswer) -> ChannelError:
    refusal = refusal_of(answer)
    if refusal is Refusal.RATE:
        return error_for(refusal, answer, 1)
    refused = refusal not in (None, Refusal.SYSTEM, Refusal.NO_ANSWER)
    said = " ".join(answer.words.split())[:200] or "no words"
    kind = AuthFailed if refused else ProviderUnavailable
    return kind(
        f"no tenant_access_token: {said} (code {answer.code}, HTTP {answer.status})",
        provider_code=answer.code,
        http_status=answer.status,
    )


def _form(boundary: str, upload: Upload) -> bytes:
    """Write a multipart form; the file's name is the only part of it that a stranger chose."""
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in upload.fields.items()
    ]
    file_name = _UNQUOTABLE.sub("_", upload.file_name)
    head = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="{upload.field_name}"; '
        f'filename="{file_name}"\r\nContent-Type: application/octet-stream\r\n\r\n'
    )
    return b"".join([*parts, head.encode(), upload.content, f"\r\n--{boundary}--\r\n".encode()])
