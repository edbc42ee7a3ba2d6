"""Try a channel without a gateway: in this process from fixtures, or as a process of its own."""

import base64
import json
from typing import TYPE_CHECKING, Any

from wunder_sdk import lazy
from wunder_sdk.channel import Channel
from wunder_sdk.dispatch import Dispatcher
from wunder_sdk.errors import ChannelError, Forbidden, Quota, StateConflict, TooLarge
from wunder_sdk.host import LogLevel
from wunder_sdk.http_client import CONNECT_S, TOTAL_S
from wunder_wire import codec
from wunder_wire import methods as wire
from wunder_wire.blob import MAX_CHUNK_BYTES
from wunder_wire.message import Attachment, OutboundMessage, Peer

if TYPE_CHECKING:
    import aiohttp

#: host.state: one value, and the number of keys (spec: plugin protocol 1).
VALUE_MAX_BYTES = 65_536
KEYS_MAX = 1_000


class FakeHost:
    """A host in memory: a clock to set, state to look into, logs to read, blobs both ways.

    Attributes:
        blobs: What a channel may read, by blob_id; put there what a message to send carries.
        fetched: What `fetch_attachment` wrote, by transfer_id.
        blob_max_bytes: From where on a transfer is too large.
    """

    def __init__(self, now_ms: int = 1_700_000_000_000) -> None:
        self.clock_ms = now_ms
        self.blobs: dict[str, bytes] = {}
        self.fetched: dict[str, bytes] = {}
        self.blob_max_bytes = 32 * 1_048_576
        self.lines: list[tuple[LogLevel, str, dict[str, Any]]] = []
        self.stored: dict[tuple[str | None, str], wire.StateValue] = {}

    def now_ms(self) -> int:
        """Return `clock_ms`."""
        return self.clock_ms

    def log(self, level: LogLevel, message: str, fields: dict[str, Any]) -> None:
        """Keep the line in `lines`."""
        self.lines.append((level, message, fields))

    async def state_get(self, key: str, account_id: str | None) -> wire.StateValue:
        """Return what is stored."""
        return self.stored.get((account_id, key), wire.StateValue())

    async def state_put(self, key: str, value: Any, account_id: str | None, rev: int | None) -> int:
        """Store under the rules of the real one."""
        found = self.stored.get((account_id, key), wire.StateValue())
        if rev is not None and rev != found.rev:
            raise StateConflict(f"the revision is {found.rev}")
        keys_used = sum(owner == account_id for owner, _ in self.stored)
        if len(codec.dumps(value)) > VALUE_MAX_BYTES or (not found.rev and keys_used >= KEYS_MAX):
            raise Quota
        self.stored[account_id, key] = wire.StateValue(value, found.rev + 1)
        return found.rev + 1

    async def state_delete(self, key: str, account_id: str | None) -> None:
        """Forget it."""
        self.stored.pop((account_id, key), None)

    async def blob_write(self, transfer_id: str, offset: int, chunk: bytes, *, eof: bool) -> None:
        """Keep what was written in `fetched`; a transfer may begin again from 0."""
        held = self.fetched.get(transfer_id, b"") if offset else b""
        if offset != len(held) or len(chunk) > MAX_CHUNK_BYTES:
            raise Forbidden(f"{len(held)} bytes are here, not {offset}")
        if offset + len(chunk) > self.blob_max_bytes:
            raise TooLarge(f"more than {self.blob_max_bytes} bytes")
        self.fetched[transfer_id] = held + chunk

    async def blob_read(self, blob_id: str, offset: int, limit: int) -> tuple[bytes, bool]:
        """Read from `blobs`."""
        if blob_id not in self.blobs:
            raise Forbidden("no message carries this attachment")
        whole = self.blobs[blob_id]
        return whole[offset : offset + limit], offset + limit >= len(whole)

    def http_session(self, account_id: str) -> "aiohttp.ClientSession":
        """Return a real session: point the account's URLs at a stand-in."""
        return lazy.new_http_session(TOTAL_S, CONNECT_S)


class ChannelDriver:
    """One channel and one account in this process.

    Example:
        driver = ChannelDriver(MyChannel, config={"app_id": "1"}, secrets={"token": "t"})
        result = await driver.parse(b'{"text":"hi"}', headers={"X-Signature": "..."})
    """

    def __init__(
        self,
        channel: type[Channel[Any]],
        config: dict[str, Any] | None = None,
        secrets: dict[str, Any] | None = None,
        *,
        channel_id: str = "demo",
        host: FakeHost | None = None,
    ) -> None:
        self.host = host or FakeHost()
        self.channel = channel()
        self.dispatcher = Dispatcher(self.channel, self.host)
        self.account = wire.Account("test", 1, config or {}, secrets or {}, channel_id)

    async def parse(
        self, body: bytes = b"", headers: dict[str, str] | None = None, **more: Any
    ) -> wire.ParseResult:
        """Hand the channel a webhook request; `more` as in `http_request`."""
        more.setdefault("received_ms", self.host.clock_ms)
        request = http_request(body, headers, **more)
        result: wire.ParseResult = await self.dispatcher.call(
            "channel.parse_inbound", wire.ParseParams(self.account, request)
        )
        return result

    async def send(self, text: str, to: str = "user-1", **more: Any) -> wire.SendResult:
        """Send a text to a user; `more` are further fields of `SendParams`."""
        message = OutboundMessage(
            self.account.channel, self.account.account_id, Peer("user", to), text=text
        )
        fields = {"message": message, "idempotency_key": "key-1", **more}
        result: wire.SendResult = await self.dispatcher.call(
            "channel.send_outbound", wire.SendParams(self.account, **fields)
        )
        return result

    async def fetch(self, attachment: Attachment) -> bytes:
        """Let the channel fetch an attachment and return its bytes."""
        return (await self.fetch_result(attachment))[1]

    async def fetch_result(self, attachment: Attachment) -> tuple[wire.FetchResult, bytes]:
        """Let the channel fetch an attachment; return its answer (`.mime`, `.name`) and the bytes."""
        params = wire.FetchParams(self.account, attachment, "transfer-1")
        result: wire.FetchResult = await self.dispatcher.call("channel.fetch_attachment", params)
        return result, self.host.fetched["transfer-1"]

    async def validate(self, mode: str = "static") -> wire.ValidateResult:
        """Validate the account."""
        params = codec.from_json(
            wire.ValidateParams, {"account": codec.to_json(self.account), "mode": mode}
        )
        result: wire.ValidateResult = await self.dispatcher.call(
            "channel.validate_account_config", params
        )
        return result

    async def close(self) -> None:
        """Close the account's connections."""
        await self.dispatcher.close()


def http_request(
    body: bytes = b"", headers: dict[str, str] | None = None, **more: Any
) -> wire.HttpRequest:
    """Return a webhook request.

    Args:
        body: Raw bytes.
        headers: Names and values.
        more: `method`, `path`, `query` (pairs), `remote_addr`, `received_ms`.
    """
    return wire.HttpRequest(
        method=more.get("method", "POST"),
        path=more.get("path", "/"),
        query=tuple(more.get("query", ())),
        headers=tuple((headers or {}).items()),
        body_b64=base64.b64encode(body).decode(),
        remote_addr=more.get("remote_addr", "203.0.113.1"),
        received_ms=more.get("received_ms", 1_700_000_000_000),
    )


async def check_fixture(channel: type[Channel[Any]], fixture: dict[str, Any]) -> None:
    """Parse the webhook of a fixture and compare with what it expects.

    A fixture: `{"account":{"config","secrets"},"now_ms","http":{"method","path","query",
    "headers","body" or "body_b64"},"expect":{..}}`, where `expect` is a part of the
    `parse_inbound` result, or `{"error":"signature_invalid"}`.

    Raises:
        AssertionError: Names the JSON pointer that differs.
    """
    account = fixture.get("account", {})
    host = FakeHost(fixture.get("now_ms", 1_700_000_000_000))
    driver = ChannelDriver(channel, account.get("config"), account.get("secrets"), host=host)
    http = dict(fixture["http"])
    body = http.pop("body", "").encode() or base64.b64decode(http.pop("body_b64", ""))
    headers = dict(http.pop("headers", {}))
    try:
        found = codec.to_json(await driver.parse(body, headers, **http))
    except ChannelError as error:
        found = {"error": error.kind}
    finally:
        await driver.close()
    fault = difference(fixture["expect"], json.loads(codec.dumps(found)))
    if fault:
        raise AssertionError(fault)


def difference(expected: Any, found: Any, pointer: str = "") -> str:
    """Say where `found` lacks something of `expected`, "" if nowhere; more is fine in objects."""
    if isinstance(expected, dict) and isinstance(found, dict):
        for key, value in expected.items():
            if key not in found:
                return f"{pointer}/{key} is missing"
            if fault := difference(value, found[key], f"{pointer}/{key}"):
                return fault
        return ""
    if isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        for index, pair in enumerate(zip(expected, found, strict=True)):
            if fault := difference(*pair, f"{pointer}/{index}"):
                return fault
        return ""
    return "" if expected == found else f"{pointer or '/'}: expected {expected!r}, found {found!r}"
