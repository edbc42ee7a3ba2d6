"""Speak to the Graph API as one account: headers, addresses, and answers read the same way."""

import hashlib
import hmac
import json
import re
from collections.abc import Mapping

from wunder_channels.whatsapp.config import WhatsAppConfig
from wunder_channels.whatsapp.provider_errors import PlatformAnswer
from wunder_sdk import Account, ChannelError, HttpAnswer
from wunder_sdk.loose_json import JsonObject, nested, number, string

#: Meta's media servers answer some requests without one with 401 or HTML (seen 2026, trackers).
USER_AGENT = "wunder-whatsapp/1"
_SECONDS = re.compile(r"[0-9]{1,7}(?:\.[0-9]{1,6})?\Z")
_USAGE_HEADER = "X-Business-Use-Case-Usage"
_USAGE_MAX = 16_384


class GraphApi:
    """The Graph API as one account."""

    def __init__(self, account: Account[WhatsAppConfig]) -> None:
        self._account = account

    @property
    def headers(self) -> dict[str, str]:
        """What every call carries; the token goes to Meta's hosts and nowhere else."""
        token = self._account.config.access_token
        return {"Authorization": f"Bearer {token}", "User-Agent": USER_AGENT}

    def proof(self) -> dict[str, str]:
        """Return the query that an app with "Require App Secret" needs.

        Source: Meta, Graph API, Secure Graph API calls (read 2026-07).
        """
        config = self._account.config
        if not config.appsecret_proof:
            return {}
        digest = hmac.new(
            config.app_secret.encode(), config.access_token.encode(), hashlib.sha256
        ).hexdigest()
        return {"appsecret_proof": digest}

    async def get(self, path: str, query: Mapping[str, str] | None = None) -> PlatformAnswer:
        """Read from the Graph API.

        Raises:
            ChannelError: No answer. Refusals are returned, see `refusal_of`.
        """
        url = self._account.config.url(path)
        params = {**(query or {}), **self.proof()}
        answer = await self._account.http.get(url, params=params, headers=self.headers)
        return read(answer)

    async def post(self, path: str, body: JsonObject, *, safe: bool = False) -> PlatformAnswer:
        """Make something happen.

        Args:
            path: Below the version, e.g. "1065/messages".
            body: JSON object.
            safe: Repeating the call does no harm, so no answer means "not sent".

        Raises:
            ChannelError: No answer. Refusals are returned, see `refusal_of`.
        """
        url = self._account.config.url(path)
        answer = await self._account.http.post(
            url, params=self.proof(), headers=self.headers, json=body, safe=safe
        )
        return read(answer)


def read(answer: HttpAnswer) -> PlatformAnswer:
    """Read an answer of the API, whatever came: not JSON means an empty, unreadable document."""
    try:
        found = answer.json() if answer.body else None
    except ChannelError:
        found = None
    document: JsonObject = found if isinstance(found, dict) else {}
    error = nested(document, "error")
    code = error.get("code")
    known_code = int(string(error, "code") or -1) if string(error, "code").isdecimal() else -1
    return PlatformAnswer(
        status=answer.status,
        code=known_code if error and code is not None and known_code >= 0 else None,
        words=string(error, "message"),
        details=string(nested(error, "error_data"), "details"),
        is_transient=error.get("is_transient") is True,
        document=document,
        readable=isinstance(found, dict) and not (error and known_code < 0),
        trace_id=string(error, "fbtrace_id")[:100],
        retry_after_s=_regain_s(answer.headers.get(_USAGE_HEADER, ""))
        or _seconds(answer.headers.get("Retry-After", "")),
    )


def _regain_s(usage: str) -> float | None:
    """Return in how many seconds calls are taken again; the header says it in minutes.

    Source: Meta, Graph API, Rate limiting, Business use case headers (read 2026-07).
    """
    if not usage or len(usage) > _USAGE_MAX:
        return None
    try:
        told = json.loads(usage)
    except (ValueError, RecursionError):
        return None
    lists = told.values() if isinstance(told, dict) else ()
    minutes = [
        number(one, "estimated_time_to_regain_access") or 0.0
        for some in lists
        if isinstance(some, list)
        for one in some
        if isinstance(one, dict)
    ]
    longest = max(minutes, default=0.0)
    return longest * 60.0 if longest > 0 else None


def _seconds(text: str) -> float | None:
    return float(text) if _SECONDS.match(text) else None
