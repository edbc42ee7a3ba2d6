"""The people on the other side: they write, the bot's account reads."""

from dataclasses import dataclass
from typing import Any, Protocol

from tests.standins.whatsapp.server import WhatsAppStandin
from wunder_sdk import ChannelMessage, ParseResult


class Reader(Protocol):
    """What people need of the bot's account: that it reads callbacks."""

    async def parse(self, callback: Any) -> ParseResult:
        """Read one callback."""
        ...


@dataclass
class People:
    """`await people.write("text", "hello")` is a message as the bot received it."""

    meta: WhatsAppStandin
    bot: Reader

    async def write(self, kind: str = "text", text: str = "hello", **asked: Any) -> ChannelMessage:
        callback = self.meta.webhooks.write({"kind": kind, "text": text, **asked})
        (message,) = (await self.bot.parse(callback)).messages
        return message
