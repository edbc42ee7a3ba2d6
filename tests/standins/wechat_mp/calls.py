"""Calls of the gateway that the SDK's test driver has no words for."""

from typing import Any

from wunder_sdk import Attachment, ImmediateResponse, OutboundMessage, Peer
from wunder_sdk.testing import ChannelDriver
from wunder_wire import methods as wire


async def render(
    driver: ChannelDriver, request: wire.HttpRequest, message: OutboundMessage
) -> ImmediateResponse:
    """Have the channel word a reply into the response of a webhook."""
    params = wire.RenderParams(driver.account, request, message)
    result: wire.RenderResult = await driver.dispatcher.call("channel.render_inline_reply", params)
    return result.immediate_response


async def show_activity(driver: ChannelDriver, openid: str, kind: Any) -> None:
    """Have the channel show "typing" or "read"."""
    params = wire.ActivityParams(driver.account, Peer("user", openid), kind)
    await driver.dispatcher.call("channel.send_activity", params)


async def fetch(
    driver: ChannelDriver, attachment: Attachment
) -> tuple[bytes, str | None, str | None]:
    """Have the channel fetch a file: its bytes, MIME type and name."""
    result, content = await driver.fetch_result(attachment)
    return content, result.mime, result.name
