"""The host as a plugin process sees it: state and logs go over the wire."""

import asyncio
import base64
import logging
import sys
import threading
import time
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from wunder_sdk import lazy
from wunder_sdk.host import LogLevel
from wunder_sdk.http_client import CONNECT_S, TOTAL_S
from wunder_wire import methods as wire

if TYPE_CHECKING:
    import aiohttp

T = TypeVar("T")


class Caller(Protocol):
    """Where requests and notifications to the host go (the session)."""

    async def request(self, method: str, params: Any) -> Any:
        """Ask the host and return the wire result."""
        ...

    def notify(self, method: str, params: Any, *, may_drop: bool) -> bool:
        """Tell the host something; False if there is no wire to say it on."""
        ...


class ProcessHost:
    """`wunder_sdk.host.Host` for a plugin process."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller
        self._thread = threading.get_ident()
        self.fixed_ms: int | None = None
        self._connections: aiohttp.TCPConnector | None = None

    def now_ms(self) -> int:
        """Return Unix milliseconds, or the handshake's fixed clock."""
        if self.fixed_ms is not None:
            return self.fixed_ms
        return time.time_ns() // 1_000_000  # noqa: TID251 - this is a process' own Clock

    def log(self, level: LogLevel, message: str, fields: dict[str, Any]) -> None:
        """Send a `log` notification; errors, and lines without a wire, go to stderr too."""
        sent = False
        if threading.get_ident() == self._thread:
            params = wire.LogParams(level, message, fields)
            sent = self._caller.notify("log", params, may_drop=True)
        if not sent or level == "error":
            extra = "".join(f" {key}={value}" for key, value in fields.items())
            sys.stderr.write(f"{level}: {message}{extra}\n")

    async def state_get(self, key: str, account_id: str | None) -> wire.StateValue:
        """Ask for a stored value."""
        result: wire.StateValue = await self._caller.request(
            "host.state.get", wire.StateKey(key, account_id)
        )
        return result

    async def state_put(self, key: str, value: Any, account_id: str | None, rev: int | None) -> int:
        """Store a value, return its revision."""
        result: wire.StateRev = await self._caller.request(
            "host.state.put", wire.StatePut(key, value, account_id, rev)
        )
        return result.rev

    async def state_delete(self, key: str, account_id: str | None) -> None:
        """Forget a value."""
        await self._caller.request("host.state.delete", wire.StateKey(key, account_id))

    async def blob_write(self, transfer_id: str, offset: int, chunk: bytes, *, eof: bool) -> None:
        """Send a piece of an attachment."""
        text = base64.b64encode(chunk).decode()
        await self._caller.request(
            "host.blob.write", wire.BlobWrite(transfer_id, offset, text, eof)
        )

    async def blob_read(self, blob_id: str, offset: int, limit: int) -> tuple[bytes, bool]:
        """Ask for a piece of an attachment."""
        result: wire.BlobChunk = await self._caller.request(
            "host.blob.read", wire.BlobRead(blob_id, offset, limit)
        )
        return base64.b64decode(result.data_b64), result.eof

    def http_session(self, account_id: str) -> "aiohttp.ClientSession":
        """Return an account's session; the sandbox's proxy variables hold for it.

        All share the connections of this process: most accounts of a channel talk to one host, and
        a pool each would keep more of them open than the sandbox lets a process open.
        """
        if self._connections is None:
            self._connections = lazy.new_connections()
        return lazy.new_http_session(TOTAL_S, CONNECT_S, self._connections)

    async def close(self) -> None:
        """Close the connections."""
        if self._connections is not None:
            await self._connections.close()
            self._connections = None


class HostLogHandler(logging.Handler):
    """Standard library logging becomes lines of the plugin's log."""

    def __init__(self, host: ProcessHost, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(logging.INFO)
        self._host = host
        self._loop = loop

    def emit(self, record: logging.LogRecord) -> None:
        """Pass one record on, from whatever thread it comes."""
        level: LogLevel = "info"
        if record.levelno >= logging.ERROR:
            level = "error"
        elif record.levelno >= logging.WARNING:
            level = "warning"
        message = self.format(record)
        try:
            self._loop.call_soon_threadsafe(self._host.log, level, message, {"logger": record.name})
        except RuntimeError:  # the loop is closed
            self._host.log(level, message, {"logger": record.name})
