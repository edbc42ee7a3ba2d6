"""BuiltinProviderAdapter: a bundled channel, called in this process through the SDK (row N1b)."""

import asyncio
import importlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import msgspec

from wunder import __version__
from wunder.errors import Conflict, Invalid, NotAllowed, ProviderFault
from wunder.model.fault import Fault, FaultKind, fault_as_told
from wunder.model.ids import ChannelId, PluginId
from wunder.observe.logs import get_logger
from wunder.ports import HttpDoor, PluginHistory
from wunder.providers.adapter import ProviderAdapter, Surroundings
from wunder.providers.facts import facts_of
from wunder_sdk.channel import Channel
from wunder_sdk.dispatch import Dispatcher
from wunder_sdk.errors import ChannelError, Forbidden, Quota, StateConflict, TooLarge
from wunder_wire.codec import decode
from wunder_wire.errors import ErrorObject
from wunder_wire.manifest import Manifest
from wunder_wire.methods import StateValue

if TYPE_CHECKING:
    import aiohttp

log = get_logger(__name__)
R = TypeVar("R")
PACKAGE = "wunder_channels"


class CallLimits(msgspec.Struct, frozen=True):
    """Seconds a call of a built-in may take: the same numbers as for plugins (row N3a)."""

    parse_inbound_s: float = 2.0
    send_outbound_s: float = 10.0
    validate_s: float = 15.0
    fetch_s: float = 60.0
    other_s: float = 3.0

    def of(self, method: str) -> float:
        """The limit of one method."""
        return {
            "channel.parse_inbound": self.parse_inbound_s,
            "channel.send_outbound": self.send_outbound_s,
            "channel.edit_outbound": self.send_outbound_s,
            "channel.validate_account_config": self.validate_s,
            "channel.fetch_attachment": self.fetch_s,
        }.get(method, self.other_s)


class Bundled(msgspec.Struct, frozen=True):
    """A channel that ships with the gateway, as its folder describes it."""

    folder: str
    manifest: Manifest
    account_schema: dict[str, Any] | None


def bundled_channels() -> list[Bundled]:
    """Find the channels that ship with the gateway: folders with a plugin.json, not a list."""
    root = files(PACKAGE)
    return [_read(folder) for folder in root.iterdir() if (folder / "plugin.json").is_file()]


def bundled_ids() -> frozenset[str]:
    """Every provider id that a built-in has or can serve."""
    return frozenset(
        served
        for bundled in bundled_channels()
        for served in (bundled.manifest.plugin_id, *bundled.manifest.serves)
    )


def _read(folder: Traversable) -> Bundled:
    manifest = decode(Manifest, (folder / "plugin.json").read_bytes())
    schema = folder / "account.schema.json"
    return Bundled(
        folder=folder.name,
        manifest=manifest,
        account_schema=json.loads(schema.read_text("utf-8")) if schema.is_file() else None,
    )


class BuiltinProviderAdapter(ProviderAdapter):
    """The ChannelProvider port over a channel class; the class is loaded when first used."""

    is_here = True

    def __init__(
        self,
        bundled: Bundled,
        channel: ChannelId,
        surroundings: Surroundings,
        host: "BuiltinHost",
        limits: CallLimits,
    ) -> None:
        version = f"builtin@{__version__}"
        super().__init__(
            facts_of(bundled.manifest, channel, "builtin", version, bundled.account_schema),
            surroundings,
        )
        self._folder = bundled.folder
        self._host = host
        self._limits = limits
        self._dispatcher: Dispatcher[Any] | None = None

    async def close(self) -> None:
        """Close the channel's connections."""
        if self._dispatcher is not None:
            await self._dispatcher.close()

    async def _call(self, method: str, params: object, result: type[R], account_uid: str) -> R:
        dispatcher = self._loaded()
        limit_s = self._limits.of(method)
        try:
            async with asyncio.timeout(limit_s):
                answer = await dispatcher.call(method, params)
        except TimeoutError as error:
            outcome: Literal["unknown", "not_sent"] = (
                "unknown" if method == "channel.send_outbound" else "not_sent"
            )
            words = f"{method} took longer than {limit_s:g} s"
            raise ProviderFault(Fault(FaultKind.TIMEOUT, words, outcome)) from error
        except ChannelError as error:
            raise ProviderFault(_fault_of(error.to_wire())) from error
        if not isinstance(answer, result):
            raise ProviderFault(Fault(FaultKind.INTERNAL, f"{method} gave another result type"))
        return answer

    def _loaded(self) -> Dispatcher[Any]:
        if self._dispatcher is None:
            channel_class = load_channel(self._folder)
            self._dispatcher = Dispatcher(channel_class(), self._host)
        return self._dispatcher


def load_channel(folder: str) -> type[Channel[Any]]:
    """Import a bundled channel and return its one Channel class.

    Raises:
        Invalid: the module defines none, or several.
    """
    module = importlib.import_module(f"{PACKAGE}.{folder}.channel")
    own = [
        item
        for item in vars(module).values()
        if isinstance(item, type)
        and issubclass(item, Channel)
        and item.__module__ == module.__name__
    ]
    if len(own) != 1:
        raise Invalid(f"{module.__name__} must define exactly one Channel class, not {len(own)}.")
    return own[0]


def _fault_of(error: ErrorObject) -> Fault:
    data = error.data
    if data is None:
        return Fault(FaultKind.INTERNAL, error.message)
    fault = fault_as_told(
        error.kind, error.message, data.outcome, data.retryable, data.retry_after_ms
    )
    return msgspec.structs.replace(
        fault,
        scope=data.scope,
        provider_code=(data.provider_code or "")[:64],
        http_status=data.http_status,
        next_state=data.next.state if data.next else None,
    )


class BuiltinHost:
    """What a built-in channel gets of the gateway: clock, log, state, a guarded HTTP client."""

    def __init__(
        self,
        plugin_id: PluginId,
        surroundings: Surroundings,
        history: PluginHistory,
        http: HttpDoor,
    ) -> None:
        self._plugin_id = plugin_id
        self._surroundings = surroundings
        self._history = history
        self._http = http

    def now_ms(self) -> int:
        """Return Unix milliseconds."""
        return self._surroundings.clock.now()

    def log(
        self,
        level: Literal["debug", "info", "warning", "error"],
        message: str,
        fields: dict[str, Any],
    ) -> None:
        """Write one line of the channel's log."""
        getattr(log, level)(
            "channel_log", plugin_id=self._plugin_id, message=message, fields=fields
        )

    async def state_get(self, key: str, account_id: str | None) -> StateValue:
        """Return a stored value and its revision."""
        value, rev = await self._history.state_get(self._plugin_id, account_id or "", key)
        return StateValue(value, rev)

    async def state_put(self, key: str, value: Any, account_id: str | None, rev: int | None) -> int:
        """Store a value. Raises: StateConflict, Quota."""
        with _in_its_words(Quota):
            return await self._history.state_put(self._plugin_id, account_id or "", key, value, rev)

    async def state_delete(self, key: str, account_id: str | None) -> None:
        """Forget a key."""
        await self._history.state_delete(self._plugin_id, account_id or "", key)

    async def blob_write(self, transfer_id: str, offset: int, chunk: bytes, *, eof: bool) -> None:
        """Append to an attachment that is being fetched. Raises: Forbidden, TooLarge."""
        with _in_its_words(TooLarge):
            blobs, channel = self._surroundings.blobs, ChannelId(self._plugin_id)
            await blobs.write(channel, transfer_id, offset, chunk, eof)

    async def blob_read(self, blob_id: str, offset: int, limit: int) -> tuple[bytes, bool]:
        """Read an attachment of a message that is being sent. Raises: Forbidden."""
        with _in_its_words(TooLarge):
            blobs, channel = self._surroundings.blobs, ChannelId(self._plugin_id)
            return await blobs.read(channel, blob_id, offset, limit)

    def http_session(self, account_id: str) -> "aiohttp.ClientSession":
        """Return a client session that passes through the gateway's guard (security rule 10)."""
        return self._http.session()


@contextmanager
def _in_its_words(too_much: type[ChannelError]) -> Iterator[None]:
    """Say to a channel, by the SDK's errors, what the gateway refuses it."""
    try:
        yield
    except Conflict as error:
        raise StateConflict(error.detail) from error
    except NotAllowed as error:
        raise Forbidden(error.detail) from error
    except Invalid as error:
        raise too_much(error.detail) from error
