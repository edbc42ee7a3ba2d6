"""What a channel keeps while it is called from the command line: in memory, gone at the end."""

import base64
import binascii
import json
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from wunder.errors import Conflict, Invalid, NotAllowed
from wunder.model.ids import AccountUid, ChannelId, PluginId
from wunder.model.message import Attachment
from wunder.model.plugin import PluginCounters
from wunder.model.trail import Event
from wunder.ports import Page
from wunder_wire.blob import MAX_CHUNK_BYTES

#: Plugin protocol 1: the quota of `host.state`.
MAX_VALUE_BYTES = 65_536
MAX_KEYS = 1_000
MAX_SCOPE_BYTES = 1_048_576
#: What one attachment may have here: the gateway's default.
MAX_BLOB_BYTES = 32 * 1_048_576


class MemoryHistory:
    """The port PluginHistory without a store: state with revisions and quotas, no memory of crashes."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], dict[str, tuple[str, int]]] = {}

    async def counters(self) -> list[PluginCounters]:
        """There was no earlier life."""
        return []

    async def put_counters(self, row: PluginCounters) -> None:
        """Forget it: the next call starts afresh."""

    async def state_get(self, plugin_id: PluginId, account_uid: str, key: str) -> tuple[Any, int]:
        """Return the value and its revision; (None, 0) where nothing is kept."""
        found = self._scope(plugin_id, account_uid).get(key)
        return (None, 0) if found is None else (json.loads(found[0]), found[1])

    async def state_put(
        self, plugin_id: PluginId, account_uid: str, key: str, value: Any, rev: int | None
    ) -> int:
        """Keep a value. Raises: Conflict `rev`; Invalid `quota`."""
        scope = self._scope(plugin_id, account_uid)
        current = scope.get(key, ("", 0))[1]
        if rev is not None and rev != current:
            raise Conflict("somebody else wrote this value first", reason="rev")
        text = json.dumps(value, ensure_ascii=False)
        others = {name: kept for name, kept in scope.items() if name != key}
        size_bytes = sum(len(kept.encode()) for kept, _ in others.values()) + len(text.encode())
        if (
            len(text.encode()) > MAX_VALUE_BYTES
            or len(others) >= MAX_KEYS
            or size_bytes > MAX_SCOPE_BYTES
        ):
            raise Invalid("the quota of host.state is used up")
        scope[key] = (text, current + 1)
        return current + 1

    async def state_delete(self, plugin_id: PluginId, account_uid: str, key: str) -> None:
        """Forget a key."""
        self._scope(plugin_id, account_uid).pop(key, None)

    def _scope(self, plugin_id: str, account_uid: str) -> dict[str, tuple[str, int]]:
        return self._kept.setdefault((plugin_id, account_uid), {})


class MemoryBlobs:
    """The port PluginBlobs for one command: what was fetched as a transfer can be sent as a blob.

    A blob_id `data:;base64,..` carries its own bytes, for whoever tries sending a file.
    """

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}

    async def write(
        self, channel: ChannelId, transfer_id: str, offset: int, chunk: bytes, is_last: bool
    ) -> None:
        """Append; offset 0 begins again. Raises: NotAllowed out of order, Invalid too large."""
        held = self._kept.get(transfer_id, b"") if offset else b""
        if offset != len(held) or len(chunk) > MAX_CHUNK_BYTES:
            raise NotAllowed(f"{len(held)} bytes are here; a piece has at most {MAX_CHUNK_BYTES}")
        if offset + len(chunk) > MAX_BLOB_BYTES:
            raise Invalid(f"an attachment has at most {MAX_BLOB_BYTES} bytes")
        self._kept[transfer_id] = held + chunk

    async def read(
        self, channel: ChannelId, blob_id: str, offset: int, limit: int
    ) -> tuple[bytes, bool]:
        """Return a piece. Raises: NotAllowed."""
        whole = self._kept.get(blob_id)
        if whole is None:
            whole = self._kept[blob_id] = _in_name(blob_id)
        return whole[offset : offset + limit], offset + limit >= len(whole)

    def lend(
        self, channel: ChannelId, account_uid: AccountUid, attachments: Sequence[Attachment]
    ) -> AbstractContextManager[None]:
        """Everything here is the caller's own."""
        return nullcontext()


def _in_name(blob_id: str) -> bytes:
    head, comma, text = blob_id.partition(",")
    if not (comma and head.startswith("data:") and head.endswith(";base64")):
        raise NotAllowed("no transfer of this name; data:;base64,.. carries bytes")
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        raise NotAllowed("the blob_id is not base64") from None


class NoEvents:
    """The port EventLog for somebody who watches the terminal instead."""

    def record(self, event: Event) -> None:
        """Forget it."""

    async def events(
        self, plugin_id: str, account_uid: str, limit: int, cursor: str
    ) -> Page[Event]:
        """There are none."""
        return Page(())
