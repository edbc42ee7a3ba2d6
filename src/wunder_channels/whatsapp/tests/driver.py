"""One account of the channel, driven through the SDK in this process."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

from tests.standins.whatsapp.webhooks import Callback
from wunder_channels.whatsapp.channel import WhatsAppChannel
from wunder_channels.whatsapp.config import WhatsAppConfig
from wunder_sdk import (
    Account,
    Activity,
    Attachment,
    ChannelMessage,
    OutboundMessage,
    ParseResult,
    Peer,
    SendResult,
    ValidateResult,
)
from wunder_sdk.testing import ChannelDriver, FakeHost

if TYPE_CHECKING:
    from wunder_channels.whatsapp.tests.people import People

NUMBER_ID = "106540352242922"
SECRETS = {
    "access_token": "EAAtest",
    "app_secret": "9f3c1b2a4d5e6f708192a3b4c5d6e7f8",
    "verify_token": "verify-me-7Q",
}
NOW_MS = 1_767_225_605_000


class Driver:
    """What the gateway does with an account, without a gateway."""

    def __init__(self, host: FakeHost | None = None, **config: Any) -> None:
        self.host = host or FakeHost(NOW_MS)
        secrets = {**SECRETS, **{key: config.pop(key) for key in SECRETS if key in config}}
        given = {"phone_number_id": NUMBER_ID, "part_pause_s": 0, **config}
        self._driver = ChannelDriver(
            WhatsAppChannel, given, secrets, channel_id="wa", host=self.host
        )

    @property
    def channel(self) -> WhatsAppChannel:
        """The channel itself."""
        channel = self._driver.channel
        assert isinstance(channel, WhatsAppChannel)
        return channel

    @property
    def lines(self) -> list[str]:
        """What the channel logged."""
        return [line[1] for line in self.host.lines]

    def configure(self, **config: Any) -> None:
        """Change the account, as an administrator does."""
        account = self._driver.account
        secrets = {key: config.pop(key) for key in SECRETS if key in config}
        self._driver.account = replace(
            account,
            rev=account.rev + 1,
            config=account.config | config,
            secrets=account.secrets | secrets,
        )

    async def parse(self, callback: Callback, received_ms: int | None = None) -> ParseResult:
        """Hand over a webhook that arrives now, or at `received_ms`."""
        return await self.parse_raw(callback.headers, callback.body, received_ms=received_ms)

    async def parse_raw(
        self, headers: dict[str, str], body: bytes, received_ms: int | None = None, **more: Any
    ) -> ParseResult:
        """Hand over any request; `more` as in `http_request`."""
        arrived_ms = self.host.clock_ms if received_ms is None else received_ms
        return await self._driver.parse(body, headers, received_ms=arrived_ms, **more)

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

    async def send_text_to(self, people: "People") -> str:
        """Answer somebody who wrote, and return the platform's id of the answer."""
        result = await self.send(reply(await people.write(), "hi"))
        assert result.provider_message_id is not None
        return result.provider_message_id

    async def fetch(self, attachment: Attachment) -> tuple[str | None, str | None, bytes]:
        """Fetch what a person sent: its MIME type, its name, its bytes."""
        result, content = await self._driver.fetch_result(attachment)
        return result.mime, result.name, content

    async def act(
        self, kind: Literal["typing", "read"], peer: Peer, reply_to: str | None = None
    ) -> None:
        """Show typing, or mark as read."""
        given = self._driver.account
        config = WhatsAppConfig(**given.config, **given.secrets)
        account = Account(given.account_id, given.channel, given.rev, config, self.host)
        try:
            await self.channel.send_activity(account, Activity(peer, kind, reply_to=reply_to))
        finally:
            await account.close()

    async def validate(self, mode: str) -> ValidateResult:
        """Check the account."""
        return await self._driver.validate(mode)

    async def close(self) -> None:
        """Close the account's connections."""
        await self._driver.close()


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


def to_phone(phone: str, text: str | None, **fields: Any) -> OutboundMessage:
    """Write a message that answers nothing."""
    return OutboundMessage("wa", "test", Peer("user", phone), text=text, **fields)
