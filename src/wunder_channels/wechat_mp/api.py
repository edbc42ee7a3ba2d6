"""Speak to WeChat's API: the token, answers read the same way, files up."""

import json
import secrets
from collections.abc import Awaitable, Callable, Mapping

from wunder_channels.wechat_mp.config import MpConfig
from wunder_channels.wechat_mp.memory import may_force_token
from wunder_channels.wechat_mp.provider_errors import (
    PlatformAnswer,
    Refusal,
    error_for,
    read,
    refusal_of,
    token_error,
)
from wunder_sdk import Account, AccountConfigInvalid, HttpAnswer, ProviderRejected

_TOKEN = "access"  # noqa: S105 - the name of a slot
#: WeChat gives the same token until its last 5 minutes; the SDK refreshes 60 s before the end.
_END_EARLY_S = 240.0
_LEAST_LIFE_S = 60.0
#: An upload may take longer than a message, within the 10 s of a send.
_UPLOAD_S = 9.0


class MpApi:
    """The API as one account."""

    def __init__(self, account: Account[MpConfig], now_ms: int) -> None:
        self._account = account
        self._now_ms = now_ms

    async def call(
        self, path: str, body: Mapping[str, object], *, safe: bool = False
    ) -> PlatformAnswer:
        """Make one call; a refused token is replaced and the call made once more.

        Args:
            path: Below the domain.
            body: JSON object.
            safe: Repeating the call does no harm, so no answer means "not sent".

        Raises:
            ChannelError: No token, or no answer. Refusals are returned, see `refusal_of`.
        """
        # Raw UTF-8: WeChat shows \uXXXX escapes to the user as they are.
        written = json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")
        headers = {"Content-Type": "application/json; charset=utf-8"}

        async def post(token: str) -> HttpAnswer:
            return await self._account.http.post(
                self.address(path),
                params={"access_token": token},
                headers=headers,
                data=written,
                safe=safe,
            )

        return await self.authorized(post)

    async def upload(self, kind: str, name: str, mime: str, content: bytes) -> str:
        """Upload a file for 3 days and return its media_id.

        Raises:
            ChannelError: What WeChat's refusal means; uploading sends nothing to anybody.
        """
        boundary = secrets.token_hex(16)
        safe_name = "".join(c for c in name if c.isprintable() and c not in '"\\/')[:100] or "file"
        head = (
            f'--{boundary}\r\nContent-Disposition: form-data; name="media"; '
            f'filename="{safe_name}"\r\nContent-Type: {mime}\r\n\r\n'
        )
        form = head.encode() + content + f"\r\n--{boundary}--\r\n".encode()

        async def post(token: str) -> HttpAnswer:
            return await self._account.http.post(
                self.address("/cgi-bin/media/upload"),
                params={"access_token": token, "type": kind},
                headers={"Content-Type": f"multipart/form-data; boundary={boundary}"},
                data=form,
                timeout_s=_UPLOAD_S,
                safe=True,
            )

        answer = await self.authorized(post)
        refusal = refusal_of(answer)
        if refusal is Refusal.NO_ANSWER:
            refusal = Refusal.BUSY
        if refusal is not None:
            raise error_for(refusal, answer, 1, self._now_ms)
        media_id = answer.document.get("media_id") or answer.document.get("thumb_media_id")
        if not isinstance(media_id, str) or not media_id:
            raise ProviderRejected("WeChat took the file but named no media_id")
        return media_id

    async def authorized(self, call: Callable[[str], Awaitable[HttpAnswer]]) -> PlatformAnswer:
        """Make a call that needs a token, at most twice with what WeChat gives for the asking.

        A token that WeChat refuses and gives again was replaced by somebody else: then, and not
        more often than WeChat allows, a new one is forced.
        """
        token = await self.token()
        answer = read(await call(token))
        if refusal_of(answer) is not Refusal.TOKEN:
            return answer
        renewed = await self.renew(token)
        return answer if renewed is None else read(await call(renewed))

    async def renew(self, refused: str) -> str | None:
        """Return a token instead of one that was refused, None if no other can be had now."""
        self._account.tokens.invalidate(_TOKEN, refused)
        renewed = await self.token()
        if renewed != refused:
            return renewed
        if not await may_force_token(self._account, self._now_ms):
            return None
        self._account.tokens.invalidate(_TOKEN, refused)
        return await self._account.tokens.get(_TOKEN, self._force_token)

    async def token(self) -> str:
        """Return an access token, fetched when needed.

        Raises:
            AuthFailed: WeChat does not know this App ID with this secret, or not this server.
            RateLimited: Tokens were asked for too often.
            ProviderUnavailable: No usable answer.
        """
        return await self._account.tokens.get(_TOKEN, self._fetch_token)

    def address(self, path: str) -> str:
        """Return the URL of a path of the API."""
        return self._account.config.domain.rstrip("/") + path

    async def _fetch_token(self) -> tuple[str, float]:
        return await self._ask_token(force=False)

    async def _force_token(self) -> tuple[str, float]:
        return await self._ask_token(force=True)

    async def _ask_token(self, *, force: bool) -> tuple[str, float]:
        """Ask for the stable token, which does not end when another process asks for it too.

        Source: official account docs 2026-07, stable_token.
        """
        config = self._account.config
        if not config.can_call:
            raise AccountConfigInvalid("the App secret is missing")
        asked = {
            "grant_type": "client_credential",
            "appid": config.app_id,
            "secret": config.app_secret,
            "force_refresh": force,
        }
        url = self.address("/cgi-bin/stable_token")
        answer = read(await self._account.http.post(url, json=asked, safe=True))
        token, lives_s = answer.document.get("access_token"), answer.document.get("expires_in")
        if answer.status == 200 and isinstance(token, str) and token:
            life_s = float(lives_s) if type(lives_s) in (int, float) else 0.0  # type: ignore[arg-type]  # checked one line above
            return token, max(life_s - _END_EARLY_S, _LEAST_LIFE_S)
        raise token_error(answer, self._now_ms)
