"""One account of the channel, driven through the SDK in this process."""

from dataclasses import replace
from typing import Any

from tests.standins.wecom.callbacks import Callback
from wunder_channels.wechat.channel import WecomChannel
from wunder_sdk import (
    Attachment,
    ChannelMessage,
    Edit,
    OutboundMessage,
    ParseResult,
    Peer,
    SendResult,
    ValidateResult,
)
from wunder_sdk.testing import ChannelDriver, FakeHost

CORP_ID = "ww1234567890abcdef"
AGENT_ID = 1000002
SECRET = "FAKEcorpSecretFAKEcorpSecretFAKEcorpSecret0"
TOKEN = "CpT0ken01"
AES_KEY = "IWh9k9QI91Lh1lHRTV8iDqqmPvwYAwrmdx/wWvDTLHQ"
NOW_MS = 1_767_225_600_000
SECRETS = {"secret": SECRET, "token": TOKEN, "encoding_aes_key": AES_KEY}


class Driver:
    """What the gateway does with an account, without a gateway."""

    def __init__(self, secrets: dict[str, str] | None = None, **config: Any) -> None:
        self.host = FakeHost(NOW_MS)
        given = {"corp_id": CORP_ID, "agent_id": AGENT_ID, **config}
        self.inner = ChannelDriver(
            WecomChannel, given, secrets or SECRETS, channel_id="here", host=self.host
        )

    @staticmethod
    def bot(**config: Any) -> "Driver":
        """An AI bot's account."""
        return Driver(corp_id="", agent_id=0, mode="webhook", **config)

    def configure(self, secrets: dict[str, str] | None = None, **config: Any) -> None:
        """Change the account, as an administrator does."""
        account = self.inner.account
        self.inner.account = replace(
            account,
            rev=account.rev + 1,
            config=account.config | config,
            secrets=account.secrets | (secrets or {}),
        )

    async def parse(self, callback: Callback, received_ms: int | None = None) -> ParseResult:
        """Hand over a callback that arrives now, or at `received_ms`."""
        arrived_ms = self.host.clock_ms if received_ms is None else received_ms
        return await self.inner.parse(
            callback.body,
            dict(callback.headers),
            method=callback.method,
            query=list(callback.query.items()),
            received_ms=arrived_ms,
        )

    async def read(self, callback: Callback) -> ChannelMessage:
        """Hand over a callback that holds one message."""
        (message,) = (await self.parse(callback)).messages
        return message

    async def send(self, message: OutboundMessage, **how: Any) -> SendResult:
        """Send one part; `how` are further fields of `SendParams`."""
        delivery = how.pop("delivery", "delivery-1")
        key = f"{delivery}#{how.get('part', 0)}"
        given = {"reply_ordinal": 1 if message.reply_to else 0, **how}
        return await self.inner.send("", message=message, idempotency_key=key, **given)

    async def send_all(self, message: OutboundMessage, **how: Any) -> list[SendResult]:
        """Send every part, as the gateway does."""
        results = [await self.send(message, **how)]
        while (more := results[-1].next) is not None:
            results.append(await self.send(message, **how, part=len(results), state=more.state))
        return results

    async def edit(self, message: OutboundMessage, of: SendResult, **how: Any) -> None:
        """Replace what a sent message shows."""
        fields = {"final": False, "seq": 1, **how}
        edit = Edit(of.provider_message_id or "", message, idempotency_key="edit", **fields)
        channel = self.inner.channel
        # The SDK of this test speaks Edit directly: the wire adds nothing to it.
        await channel.edit_outbound(await self.account(), edit)

    async def account(self) -> Any:
        """The account as the channel sees it."""
        return await self.inner.dispatcher._account(self.inner.account)

    async def fetch(self, attachment: Attachment) -> bytes:
        """Fetch what somebody sent."""
        return await self.inner.fetch(attachment)

    async def validate(self, mode: str) -> ValidateResult:
        """Check the account."""
        return await self.inner.validate(mode)

    async def close(self) -> None:
        """Close the account's connections."""
        await self.inner.close()


def to_user(text: str | None, user: str = "zhangsan", **fields: Any) -> OutboundMessage:
    """Write what the gateway sends first to a member."""
    return OutboundMessage("here", "test", Peer("user", user), text=text, **fields)


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
