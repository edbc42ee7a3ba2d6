"""A channel that ships with the gateway, called in this process through the SDK."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Literal

from wunder.cli.call.memory import MemoryBlobs, MemoryHistory
from wunder.cli.call.target import CallFailed
from wunder.cli.failure import bad_usage
from wunder.cli.plain_text import plain
from wunder.errors import Conflict, Invalid, NotAllowed
from wunder.model.ids import ChannelId, PluginId
from wunder.observe.clock import wall_ms
from wunder.providers.builtin import Bundled, CallLimits, bundled_channels, load_channel
from wunder_sdk.dispatch import Dispatcher
from wunder_sdk.errors import (
    BadParams,
    ChannelError,
    Forbidden,
    MethodNotFound,
    Quota,
    StateConflict,
    TooLarge,
)
from wunder_sdk.http_client import CONNECT_S, TOTAL_S, Writes
from wunder_sdk.lazy import new_http_session
from wunder_wire.errors import CODE_OF_KIND, ErrorData, ErrorObject
from wunder_wire.json_text import DecodeError
from wunder_wire.methods import HOST_TO_PLUGIN, StateValue
from wunder_wire.shapes import from_json, to_json

if TYPE_CHECKING:
    import aiohttp

PREFIX = "builtin:"


def bundled_named(name: str) -> Bundled:
    """Return the bundled channel with this id. Raises: CommandFailed, listing those there are."""
    found = bundled_channels()
    for bundled in found:
        if bundled.manifest.plugin_id == name:
            return bundled
    known = ", ".join(sorted(one.manifest.plugin_id for one in found)) or "none"
    raise bad_usage(f"there is no built-in channel {plain(name)}", f"there are: {known}")


class BuiltinTarget:
    """A Target in this process; deadlines are those of the gateway."""

    def __init__(self, bundled: Bundled, fixed_ms: int | None) -> None:
        self.channel = bundled.manifest.plugin_id
        self.account_schema = bundled.account_schema
        self._limits = CallLimits()
        host = TerminalHost(self.channel, fixed_ms)
        self._dispatcher: Dispatcher[Any] = Dispatcher(load_channel(bundled.folder)(), host)

    async def call(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        """Call a method of the channel. Raises: CallFailed."""
        limit_s = self._limits.of(method)
        writes = Writes()
        try:
            async with asyncio.timeout(limit_s):
                result = await self._dispatcher.call(method, self._decoded(method, params), writes)
        except ChannelError as error:
            raise CallFailed(error.to_wire()) from error
        except TimeoutError as error:
            data = ErrorData("deadline", outcome=self._dispatcher.outcome_of(method, writes))
            words = f"{method} took longer than {limit_s:g} s"
            raise CallFailed(ErrorObject(CODE_OF_KIND["deadline"], words, data)) from error
        answer: dict[str, Any] = to_json(result)
        return answer

    async def close(self) -> None:
        """Close the connections of its accounts."""
        await self._dispatcher.close()

    def _decoded(self, method: str, params: dict[str, Any]) -> Any:
        if not self._dispatcher.knows(method):
            raise MethodNotFound("no such method here")
        try:
            return from_json(HOST_TO_PLUGIN[method][0], params)
        except DecodeError as error:
            raise BadParams(str(error)) from None


@asynccontextmanager
async def open_builtin(name: str, fixed_ms: int | None) -> AsyncIterator[BuiltinTarget]:
    """Load a bundled channel for as long as the block runs. Raises: CommandFailed."""
    target = BuiltinTarget(bundled_named(name), fixed_ms)
    try:
        yield target
    finally:
        await target.close()


class TerminalHost:
    """`wunder_sdk.host.Host` for the command line: state in memory, the log on stderr."""

    def __init__(self, plugin_id: str, fixed_ms: int | None) -> None:
        self._plugin_id = PluginId(plugin_id)
        self._fixed_ms = fixed_ms
        self._history = MemoryHistory()
        self._blobs = MemoryBlobs()

    def now_ms(self) -> int:
        """Return Unix milliseconds; stands still under `--now`."""
        return wall_ms() if self._fixed_ms is None else self._fixed_ms

    def log(
        self,
        level: Literal["debug", "info", "warning", "error"],
        message: str,
        fields: dict[str, Any],
    ) -> None:
        """Write a line of the channel's log to stderr, control characters escaped."""
        extra = "".join(f" {name}={value}" for name, value in fields.items())
        sys.stderr.write(f"{level}: {plain(message + extra)}\n")

    async def state_get(self, key: str, account_id: str | None) -> StateValue:
        """Return a kept value and its revision."""
        return StateValue(*await self._history.state_get(self._plugin_id, account_id or "", key))

    async def state_put(self, key: str, value: Any, account_id: str | None, rev: int | None) -> int:
        """Keep a value. Raises: StateConflict, Quota."""
        try:
            return await self._history.state_put(self._plugin_id, account_id or "", key, value, rev)
        except Conflict as error:
            raise StateConflict(error.detail) from error
        except Invalid as error:
            raise Quota(error.detail) from error

    async def state_delete(self, key: str, account_id: str | None) -> None:
        """Forget a key."""
        await self._history.state_delete(self._plugin_id, account_id or "", key)

    async def blob_write(self, transfer_id: str, offset: int, chunk: bytes, *, eof: bool) -> None:
        """Keep a piece of what is fetched. Raises: Forbidden, TooLarge."""
        try:
            await self._blobs.write(ChannelId(self._plugin_id), transfer_id, offset, chunk, eof)
        except NotAllowed as error:
            raise Forbidden(error.detail) from error
        except Invalid as error:
            raise TooLarge(error.detail) from error

    async def blob_read(self, blob_id: str, offset: int, limit: int) -> tuple[bytes, bool]:
        """Return a piece of what was fetched before, or of a `data:` name. Raises: Forbidden."""
        try:
            return await self._blobs.read(ChannelId(self._plugin_id), blob_id, offset, limit)
        except NotAllowed as error:
            raise Forbidden(error.detail) from error

    def http_session(self, account_id: str) -> "aiohttp.ClientSession":
        """Return a session without the gateway's guard: an author's platform may stand on localhost."""
        return new_http_session(TOTAL_S, CONNECT_S)
