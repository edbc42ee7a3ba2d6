"""The people on the other side: they write, the bot's account reads."""

import base64
from dataclasses import dataclass
from typing import Any

from tests.standins.feishu.server import FeishuStandin
from wunder_channels.feishu.tests.driver import Driver
from wunder_sdk import ChannelMessage


@dataclass
class People:
    """`await people.write("p2p", "hello")` is a message as the bot received it."""

    feishu: FeishuStandin
    bot: Driver

    async def write(self, kind: str, text: str = "hello", **asked: Any) -> ChannelMessage:
        callback = self.feishu.callbacks.write({"kind": kind, "text": text, **asked})
        (message,) = (await self.bot.parse(callback.headers, callback.body)).messages
        return message

    async def send_file(self, message_type: str, content: dict[str, Any], body: bytes, **more: Any):
        """Write a message with a file that the platform then serves."""
        asked = {"kind": "p2p", "message_type": message_type, "content": content}
        callback = self.feishu.callbacks.write(asked)
        key = content.get("file_key") or content["image_key"]
        served = (more.get("mime", "application/octet-stream"), more.get("name", ""), body)
        self.feishu.platform.resources[callback.message_id, key] = served
        (message,) = (await self.bot.parse(callback.headers, callback.body)).messages
        return message


def body_of(response: Any) -> bytes:
    """The bytes of an immediate response."""
    return base64.b64decode(response.body_b64)
