"""Attachments: what plugins may write and read of them."""

from typing import Protocol

from wunder.model.ids import PluginId


class PluginBlobs(Protocol):
    """The bytes of attachments, as far as the code that serves a channel may touch them."""

    async def write(
        self, plugin_id: PluginId, transfer_id: str, offset: int, chunk: bytes, is_last: bool
    ) -> None:
        """Append to a transfer that was begun for this plugin.

        Raises: NotAllowed for another's, an ended or an out-of-order one; Invalid when it is too large.
        """
        ...

    async def read(
        self, plugin_id: PluginId, blob_id: str, offset: int, limit: int
    ) -> tuple[bytes, bool]:
        """Return a piece, and whether it is the last. Raises: NotAllowed unless a call under way carries it."""
        ...
