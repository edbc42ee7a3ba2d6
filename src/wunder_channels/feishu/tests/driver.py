"""One account of the channel, driven through the SDK in this process."""

from dataclasses import replace
from typing import Any

from wunder_channels.feishu.channel import FeishuChannel
from wunder_sdk import (
    Attachment,
    ChannelMessage,
    OutboundMessage,
    ParseResult,
    Request,
    SendResult,
    ValidateResult,
    testing,
)
from wunder_sdk.testing import ChannelDriver, FakeHost, http_request

APP_ID = "cli_a1b2c3d4e5f60001"
APP_SECRET = "FAKEsecretFAKEsecretFAKEsecret01"
TOKEN = "vT0kenFAKE0123456789abcdefABCDEF"
ENCRYPT_KEY = "enc-key-示例-01"
BOT_OPEN_ID = "ou_b0t0000000000000000000000000001"
NOW_MS = 1_767_225_600_000
SECRETS = ("app_secret", "verification_token", "encrypt_key")


class Driver:
    """What the gateway does with an account, without a gateway."""

    def __init__(self, **config: Any) -> None:
        self.host = FakeHost(NOW_MS)
        given = {
            "app_id": APP_ID,
            "app_secret": APP_SECRET,
            "verification_token": TOKEN,
            "encrypt_key": ENCRYPT_KEY,
            **config,
        }
        secrets = {key: value for key, value in given.items() if key in SECRETS}
        plain = {key: value for key, value in given.items() if key not in SECRETS}
        self._driver = ChannelDriver(
            FeishuChannel, plain, secrets, channel_id="feishu", host=self.host
        )

    def configure(self, **config: Any) -> None:
        """Change the account, as an administrator does."""
        account = self._driver.account
        secrets = {key: value for key, value in config.items() if key in SECRETS}
        plain = {key: value for key, value in config.items() if key not in SECRETS}
        self._driver.account = replace(
            account,
            rev=account.rev + 1,
            config=account.config | plain,
            secrets=account.secrets | secrets,
        )

    async def parse(
        self, headers: dict[str, str], body: bytes, received_ms: int | None = None
    ) -> ParseResult:
        """Hand over a request that arrives now, or at `received_ms`."""
        arrived_ms = self.host.clock_ms if received_ms is None else received_ms
        return await self._driver.parse(body, headers, received_ms=arrived_ms)

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

    async def edit(
        self, message_id: str, message: OutboundMessage, *, seq: int, final: bool = False
    ) -> None:
        """Show a newer text."""
        params = testing.wire.EditParams(
            self._driver.account, message_id, message, final, seq, f"delivery-1@{seq}"
        )
        await self._driver.dispatcher.call("channel.edit_outbound", params)

    async def fetch(self, attachment: Attachment) -> tuple[Any, bytes]:
        """Fetch what somebody sent; return the channel's answer and the bytes."""
        return await self._driver.fetch_result(attachment)

    async def validate(self, mode: str) -> ValidateResult:
        """Check the account."""
        return await self._driver.validate(mode)

    async def restart(self) -> None:
        """Forget everything but what the gateway keeps."""
        account = self._driver.account
        await self._driver.close()
        self._driver = ChannelDriver(FeishuChannel, host=self.host, channel_id="feishu")
        self._driver.account = account

    async def close(self) -> None:
        """Close the account's connections."""
        await self._driver.close()


def request(headers: dict[str, str], body: bytes = b"") -> Request:
    """Write a request as `identify_account` reads it."""
    return Request(http_request(body, headers))


def reply(to: ChannelMessage, text: str | None, **fields: Any) -> OutboundMessage:
    """Write what the gateway sends in answer to `to`."""
    given = {"thread": to.thread, "reply_to": to.message_id, "meta": to.meta, **fields}
    return OutboundMessage(to.channel, to.account_id, to.peer, text=text, **given)
