"""The people on the other side: they write, the bot's account reads."""

from dataclasses import dataclass
from typing import Any

from tests.standins.qq.server import QqStandin
from wunder_channels.qqbot.tests.driver import Driver
from wunder_sdk import ChannelMessage


@dataclass
class People:
    """`await people.write("c2c", "hello")` is a message as the bot received it."""

    qq: QqStandin
    bot: Driver

    async def write(self, kind: str, text: str = "hello", **asked: Any) -> ChannelMessage:
        callback = self.qq.callbacks.write({"kind": kind, "text": text, **asked})
        (message,) = (await self.bot.parse(callback.headers, callback.body)).messages
        return message
