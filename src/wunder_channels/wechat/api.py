"""Speak to WeCom's API: one token an app, refreshed once when refused, answers read the same way."""

from collections.abc import Callable, Mapping

from wunder_channels.wechat.config import WecomConfig
from wunder_channels.wechat.provider_errors import (
    PlatformAnswer,
    Refusal,
    error_for,
    refusal_of,
)
from wunder_sdk import Account, AuthFailed, ChannelError, HttpAnswer
from wunder_sdk.http_client import RequestOptions

#: How to make a request; asked again for its repeat, since a body is read only once.
Options = Callable[[], RequestOptions]

#: Refresh this long before the end (platform sheet, section 4); the SDK's cache takes 60 s of it.
_EARLY_S = 240.0
_LEAST_LIFE_S = 60.0
#: gettoken says "invalid credential" and means the Secret.
_WRONG_SECRET = 40001
#: Twenty megabytes take a while; the gateway gives a whole send 10 s.
_UPLOAD_S = 9.0


class WecomApi:
    """WeCom's API as one app."""

    def __init__(self, account: Account[WecomConfig]) -> None:
        self._account = account

    async def post(
        self, path: str, body: Mapping[str, object], *, safe: bool = False
    ) -> PlatformAnswer:
        """POST a JSON object; a refused token is dropped and the call made once more.

        Args:
            path: Below the domain, e.g. `/cgi-bin/message/send`.
            body: JSON object.
            safe: Repeating the call does no harm, so no answer means "not sent".

        Raises:
            ChannelError: No token, or no answer. Refusals are returned, see `refusal_of`.
        """
        return await self._call("POST", path, {}, lambda: {"json": body, "safe": safe})

    async def get(self, path: str, query: Mapping[str, str]) -> PlatformAnswer:
        """GET; raises as `post` does."""
        return await self._call("GET", path, query, RequestOptions)

    async def upload(self, kind: str, body: bytes, content_type: str) -> PlatformAnswer:
        """POST a form with a file; raises as `post` does. Source: WeCom docs 90253."""

        def options() -> RequestOptions:
            return {
                "data": body,
                "headers": {"Content-Type": content_type},
                "safe": True,
                "timeout_s": _UPLOAD_S,
            }

        return await self._call("POST", "/cgi-bin/media/upload", {"type": kind}, options)

    async def token(self) -> str:
        """Return an access token, fetched when needed.

        Raises:
            AuthFailed: WeCom does not know this corp id with this secret.
            ChannelError: What WeCom's refusal means; no usable answer.
        """
        return await self._account.tokens.get("access", self._fetch_token)

    def drop_token(self, token: str) -> None:
        """Forget a token that WeCom refused; a newer one stays."""
        self._account.tokens.invalidate("access", token)

    def url(self, path: str) -> str:
        """Return the address of a path."""
        return self._account.config.domain.rstrip("/") + path

    async def _call(
        self, method: str, path: str, query: Mapping[str, str], options: Options
    ) -> PlatformAnswer:
        answer, token = await self._call_once(method, path, query, options)
        if refusal_of(answer) is Refusal.TOKEN:
            self.drop_token(token)
            answer, _ = await self._call_once(method, path, query, options)
        return answer

    async def _call_once(
        self, method: str, path: str, query: Mapping[str, str], options: Options
    ) -> tuple[PlatformAnswer, str]:
        token = await self.token()
        asked: RequestOptions = {**options(), "params": {"access_token": token, **query}}
        answer = await self._account.http.request(method, self.url(path), **asked)
        return read(answer), token

    async def _fetch_token(self) -> tuple[str, float]:
        """Ask for a token. Source: WeCom docs 91039; errors come with HTTP 200."""
        config = self._account.config
        answer = read(
            await self._account.http.get(
                self.url("/cgi-bin/gettoken"),
                params={"corpid": config.corp_id, "corpsecret": config.secret},
            )
        )
        refusal = refusal_of(answer)
        if answer.code == _WRONG_SECRET:
            refusal = Refusal.CREDENTIALS
        if refusal is not None:
            raise error_for(refusal, answer, 1, folds=True)
        token = answer.document.get("access_token")
        if not isinstance(token, str) or not token:
            raise AuthFailed("WeCom answered without a token", http_status=answer.status)
        return token, token_life_s(answer.document.get("expires_in"))


def read(answer: HttpAnswer) -> PlatformAnswer:
    """Read an answer of the API, whatever came: not JSON means an empty document without a code."""
    try:
        found = answer.json() if answer.body else None
    except ChannelError:
        found = None
    document: dict[str, object] = found if isinstance(found, dict) else {}
    words = document.get("errmsg")
    return PlatformAnswer(
        status=answer.status,
        code=_code(document.get("errcode")),
        words=words if isinstance(words, str) else "",
        document=document,
    )


def token_life_s(expires_in: object) -> float:
    """Return how long a token is used: asked anew near its end, WeCom gives the same one again."""
    lives_s = float(expires_in) if isinstance(expires_in, int | float) else 0.0
    return max(lives_s - _EARLY_S, min(max(lives_s, 1.0), _LEAST_LIFE_S))


def _code(value: object) -> int | None:
    if isinstance(value, int):
        return int(value)
    text = value if isinstance(value, str) else ""
    digits = text.removeprefix("-")
    is_number = digits.isascii() and digits.isdecimal() and len(digits) < 12
    return int(text) if is_number else None
