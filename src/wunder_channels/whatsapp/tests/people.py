"""The people on the other side: they write, the bot's account reads."""

from dataclasses import dataclass
from typing import Any

from tests.standins.whatsapp.server import WhatsAppStandin
from wunder_channels.whatsapp.tests.driver import Driver
from wunder_sdk import ChannelMessage


@dataclass
class People:
    """`await people.write("text", "hello")` is a message as the bot received it."""

    meta: WhatsAppStandin
    bot: Driver

    async def write(self, kind: str = "text", text: str = "hello", **asked: Any) -> ChannelMessage:
        callback = self.meta.webhooks.write({"kind": kind, "text": text, **asked})
        (message,) = (await self.bot.parse(callback)).messages
        return message
