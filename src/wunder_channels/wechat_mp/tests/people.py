"""The people on the other side: they write, the account reads."""

from dataclasses import dataclass
from typing import Any

from tests.standins.wechat_mp.server import MpStandin
from wunder_channels.wechat_mp.tests.driver import Driver
from wunder_sdk import ChannelMessage


@dataclass
class People:
    """`await people.write("hello")` is a message as the account received it."""

    mp: MpStandin
    bot: Driver

    async def write(self, text: str = "hello", **asked: Any) -> ChannelMessage:
        callback = self.mp.callbacks.write({"text": text, **asked})
        self.mp.platform.acted(callback.openid, is_message=callback.is_message)
        (message,) = (await self.bot.parse(callback)).messages
        return message
