"""One account of the channel, driven through the SDK in this process."""

import base64
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl

from tests.standins.wechat_mp import calls
from tests.standins.wechat_mp.callbacks import ORIGINAL_ID, Callback, CallbackWriter
from wunder_channels.wechat_mp.channel import MpChannel
from wunder_sdk import (
    Attachment,
    ChannelMessage,
    ImmediateResponse,
    OutboundMessage,
    ParseResult,
    SendResult,
    ValidateResult,
)
from wunder_sdk.testing import ChannelDriver, FakeHost, http_request

APP_ID = "wx1234567890abcdef"
SECRET = "FAKEmpSecretFAKEmpSecretFAKE0001"
TOKEN = "MpT0ken01"
AES_KEY = "FIVnSBaYDdCrxT1nbLHOpoSH/lMfB+BzC655o4Vbzo4"
NOW_MS = 1_767_225_600_000
SECRETS = {"app_secret": SECRET, "token": TOKEN, "encoding_aes_key": AES_KEY}


class Driver:
    """What the gateway does with an account, without a gateway."""

    def __init__(self, now_ms: int = NOW_MS, **config: Any) -> None:
        self.host = FakeHost(now_ms)
        self._driver = ChannelDriver(
            MpChannel,
            {"app_id": APP_ID, "original_id": ORIGINAL_ID, **config},
            dict(SECRETS),
            channel_id="mp",
            host=self.host,
        )

    def configure(self, **config: Any) -> None:
        """Change the account, as an administrator does."""
        account = self._driver.account
        secret_names = set(SECRETS) | {"previous_token", "previous_encoding_aes_key"}
        secrets = {name: value for name, value in config.items() if name in secret_names}
        fields = {name: value for name, value in config.items() if name not in secret_names}
        self._driver.account = replace(
            account,
            rev=account.rev + 1,
            config=account.config | fields,
            secrets=account.secrets | secrets,
        )

    async def parse(self, callback: Callback, received_ms: int | None = None) -> ParseResult:
        """Hand over a callback that arrives now, or at `received_ms`."""
        return await self.parse_raw(callback.query, callback.body, received_ms)

    async def parse_raw(
        self,
        query: dict[str, str] | str,
        body: bytes = b"",
        received_ms: int | None = None,
        method: str = "POST",
    ) -> ParseResult:
        """Hand over any request."""
        if isinstance(query, str):
            pairs = parse_qsl(query, keep_blank_values=True)
        else:
            pairs = list(query.items())
        arrived_ms = self.host.clock_ms if received_ms is None else received_ms
        return await self._driver.parse(body, query=pairs, received_ms=arrived_ms, method=method)

    async def render(self, callback: Callback, message: OutboundMessage) -> bytes:
        """Word a reply into the response of a callback, and return the response's body."""
        request = http_request(
            callback.body, query=list(callback.query.items()), received_ms=self.host.clock_ms
        )
        response = await calls.render(self._driver, request, message)
        assert response.status == 200
        return body_of(response)

    async def send(self, message: OutboundMessage, **how: Any) -> SendResult:
        """Send one part; `how` are further fields of `SendParams`."""
        key = f"delivery-{how.get('reply_ordinal', 1)}#{how.get('part', 0)}"
        given = {"reply_ordinal": 1 if message.reply_to else 0, "idempotency_key": key, **how}
        return await self._driver.send("", message=message, **given)

    async def send_all(self, message: OutboundMessage, **how: Any) -> list[SendResult]:
        """Send every part, as the gateway does."""
        results = [await self.send(message, **how)]
        while (more := results[-1].next) is not None:
            results.append(await self.send(message, **how, part=len(results), state=more.state))
        return results

    async def type(self, openid: str, kind: Any = "typing") -> None:
        """Show activity."""
        await calls.show_activity(self._driver, openid, kind)

    async def fetch(self, attachment: Attachment) -> tuple[bytes, str | None, str | None]:
        """Fetch what a user sent: its bytes, MIME type and name."""
        return await calls.fetch(self._driver, attachment)

    async def validate(self, mode: str) -> ValidateResult:
        """Check the account."""
        return await self._driver.validate(mode)

    async def close(self) -> None:
        """Close the account's connections."""
        await self._driver.close()


def writer(mode: str = "safe", form: str = "xml") -> CallbackWriter:
    """Write callbacks for the account of these tests."""
    return CallbackWriter(APP_ID, TOKEN, AES_KEY, mode, form)


def body_of(response: ImmediateResponse | None) -> bytes:
    """Return the bytes of a response."""
    assert response is not None
    return base64.b64decode(response.body_b64)


def reply(to: ChannelMessage, text: str | None, **fields: Any) -> OutboundMessage:
    """Write what the gateway sends in answer to `to`."""
    return OutboundMessage(
        to.channel,
        to.account_id,
        to.peer,
        text=text,
        reply_to=to.message_id,
        meta=to.meta,
        **fields,
    )
