"""Drive the QQ channel through the SDK, in this process: what the gateway does, without one."""

import base64
from typing import Any

import aiohttp

from wunder_channels.qqbot.channel import QqChannel
from wunder_sdk import (
    ChannelMessage,
    OutboundMessage,
    ParseResult,
    Request,
    SendResult,
    ValidateResult,
)
from wunder_sdk.dispatch import Dispatcher
from wunder_sdk.errors import StateConflict
from wunder_wire import methods as wire

APP_ID = "102000001"
SECRET = "kX9fQ2mZ7tLwB4nRcV8yHs"
NOW_MS = 1_767_225_605_000


class MemoryHost:
    """A host that keeps state in a dict; its clock stands where the test puts it."""

    def __init__(self) -> None:
        self.clock_ms = NOW_MS
        self.kept: dict[tuple[str | None, str], tuple[Any, int]] = {}
        self.lines: list[tuple[str, str, dict[str, Any]]] = []

    def now_ms(self) -> int:
        return self.clock_ms

    def log(self, level: Any, message: str, fields: dict[str, Any]) -> None:
        self.lines.append((level, message, fields))

    async def state_get(self, key: str, account_id: str | None) -> wire.StateValue:
        return wire.StateValue(*self.kept.get((account_id, key), (None, 0)))

    async def state_put(self, key: str, value: Any, account_id: str | None, rev: int | None) -> int:
        _, stored = self.kept.get((account_id, key), (None, 0))
        if rev is not None and rev != stored:
            raise StateConflict
        self.kept[account_id, key] = (value, stored + 1)
        return stored + 1

    async def state_delete(self, key: str, account_id: str | None) -> None:
        self.kept.pop((account_id, key), None)

    def http_session(self, account_id: str) -> aiohttp.ClientSession:
        return aiohttp.ClientSession()


class Driver:
    """One account of the channel."""

    def __init__(self, **config: Any) -> None:
        self.host = MemoryHost()
        self.config = {"app_id": APP_ID, **config}
        self.secret = str(self.config.pop("client_secret", SECRET))
        self._dispatcher = Dispatcher(QqChannel(), self.host)
        self._rev = 1

    @property
    def account(self) -> wire.Account:
        return wire.Account("main", self._rev, self.config, {"client_secret": self.secret}, "qq")

    def configure(self, **config: Any) -> None:
        """Change the account, as an administrator does."""
        self.config |= config
        self._rev += 1

    async def parse(
        self, headers: dict[str, str], body: bytes, received_ms: int | None = None
    ) -> ParseResult:
        http = wire.HttpRequest(
            "POST", "/wunder/channel/qq/webhook", (), tuple(headers.items()),
            base64.b64encode(body).decode(), "203.0.113.7",
            self.host.clock_ms if received_ms is None else received_ms,
        )  # fmt: skip
        result = await self._dispatcher.call(
            "channel.parse_inbound", wire.ParseParams(self.account, http)
        )
        assert isinstance(result, ParseResult)
        return result

    async def send(self, message: OutboundMessage, **how: Any) -> SendResult:
        """Send one part."""
        key = f"delivery-{how.get('reply_ordinal', 1)}#{how.get('part', 0)}"
        given: dict[str, Any] = {"reply_ordinal": 1 if message.reply_to else 0, **how}
        params = wire.SendParams(self.account, message, key, **given)
        result = await self._dispatcher.call("channel.send_outbound", params)
        assert isinstance(result, SendResult)
        return result

    async def send_all(self, message: OutboundMessage, **how: Any) -> list[SendResult]:
        """Send every part, as the gateway does."""
        results = [await self.send(message, **how)]
        while (more := results[-1].next) is not None:
            results.append(await self.send(message, **how, part=len(results), state=more.state))
        return results

    async def validate(self, mode: str) -> ValidateResult:
        result = await self._dispatcher.call(
            "channel.validate_account_config",
            wire.ValidateParams(self.account, mode),  # type: ignore[arg-type]  # a test may lie
        )
        assert isinstance(result, ValidateResult)
        return result

    async def close(self) -> None:
        await self._dispatcher.close()


def request(headers: dict[str, str]) -> Request:
    """Write a request without a body, as `identify_account` reads it."""
    return Request(wire.HttpRequest("POST", "/", (), tuple(headers.items()), "", "", 0))


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
