"""One account of the channel, driven through the SDK in this process."""

from dataclasses import replace
from typing import Any

from wunder_channels.qqbot.channel import QqChannel
from wunder_sdk import (
    Attachment,
    ChannelMessage,
    OutboundMessage,
    ParseResult,
    Request,
    SendResult,
    ValidateResult,
)
from wunder_sdk.testing import ChannelDriver, FakeHost, http_request, wire

APP_ID = "102000001"
SECRET = "kX9fQ2mZ7tLwB4nRcV8yHs"
NOW_MS = 1_767_225_605_000


class Driver:
    """What the gateway does with an account, without a gateway."""

    def __init__(self, client_secret: str = SECRET, **config: Any) -> None:
        self.host = FakeHost(NOW_MS)
        given = {"app_id": APP_ID, **config}
        self._driver = ChannelDriver(
            QqChannel, given, {"client_secret": client_secret}, channel_id="qq", host=self.host
        )

    def configure(self, client_secret: str = "", **config: Any) -> None:
        """Change the account, as an administrator does."""
        account = self._driver.account
        self._driver.account = replace(
            account,
            rev=account.rev + 1,
            config=account.config | config,
            secrets={"client_secret": client_secret} if client_secret else account.secrets,
        )

    async def parse(
        self, headers: dict[str, str], body: bytes, received_ms: int | None = None
    ) -> ParseResult:
        """Hand over a callback that arrives now, or at `received_ms`."""
        arrived_ms = self.host.clock_ms if received_ms is None else received_ms
        return await self._driver.parse(body, headers, received_ms=arrived_ms)

    async def send(self, message: OutboundMessage, **how: Any) -> SendResult:
        """Send one part; `how` are further fields of `SendParams`."""
        key = f"delivery-{how.get('reply_ordinal', 1)}#{how.get('part', 0)}"
        given = {"reply_ordinal": 1 if message.reply_to else 0, **how}
        return await self._driver.send("", message=message, idempotency_key=key, **given)

    async def send_all(self, message: OutboundMessage, **how: Any) -> list[SendResult]:
        """Send every part, as the gateway does."""
        results = [await self.send(message, **how)]
        while (more := results[-1].next) is not None:
            results.append(await self.send(message, **how, part=len(results), state=more.state))
        return results

    async def edit(self, shown_as: str, message: OutboundMessage, **how: Any) -> None:
        """Edit what `shown_as` shows; `how`: seq, final."""
        given = {"seq": 1, "final": False, **how}
        params = wire.EditParams(
            self._driver.account, shown_as, message, idempotency_key="delivery-1#0", **given
        )
        await self._driver.dispatcher.call("channel.edit_outbound", params)

    async def type(self, message: ChannelMessage) -> None:
        """Show "typing" to who wrote `message`."""
        params = wire.ActivityParams(
            self._driver.account, message.peer, "typing", reply_to=message.message_id
        )
        await self._driver.dispatcher.call("channel.send_activity", params)

    async def fetch(self, attachment: Attachment) -> tuple[wire.FetchResult, bytes]:
        """Fetch what a message brought."""
        return await self._driver.fetch_result(attachment)

    async def validate(self, mode: str) -> ValidateResult:
        """Check the account."""
        return await self._driver.validate(mode)

    async def close(self) -> None:
        """Close the account's connections."""
        await self._driver.close()


def request(headers: dict[str, str]) -> Request:
    """Write a request without a body, as `identify_account` reads it."""
    return Request(http_request(headers=headers))


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
