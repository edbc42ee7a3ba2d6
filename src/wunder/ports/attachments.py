"""Attachments: what plugins may touch of them, and what the rooms ask about them."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from wunder.model.ids import AccountUid, ChannelId
from wunder.model.message import Attachment, InboundMessage
from wunder.model.turn import Reply


class PluginBlobs(Protocol):
    """The bytes of attachments, as far as the code that serves a channel may touch them."""

    async def write(
        self, channel: ChannelId, transfer_id: str, offset: int, chunk: bytes, is_last: bool
    ) -> None:
        """Append to a transfer that was begun for this channel.

        Raises: NotAllowed for another's, an ended or an out-of-order one; Invalid when it is too large.
        """

    async def read(
        self, channel: ChannelId, blob_id: str, offset: int, limit: int
    ) -> tuple[bytes, bool]:
        """Return a piece, and whether it is the last. Raises: NotAllowed for what was not lent."""

    def lend(
        self, channel: ChannelId, account_uid: AccountUid, attachments: Sequence[Attachment]
    ) -> AbstractContextManager[None]:
        """Let a channel read what a message of this account carries, while the block runs."""


class Media(Protocol):
    """The stored attachments of messages, as the rooms need them."""

    async def gathered(self, message: InboundMessage, wait_s: float) -> InboundMessage:
        """The message with its attachments as an agent may use them; waits for those under way."""

    async def sendable(
        self, account_uid: AccountUid, replies: tuple[Reply, ...]
    ) -> tuple[Reply, ...]:
        """The replies without what this account may not send: an agent knows others' ids too."""

    async def cleared(
        self, account_uid: AccountUid, attachments: tuple[Attachment, ...]
    ) -> tuple[Attachment, ...]:
        """What this account may send. Raises: Invalid naming what is not stored, or not its own."""

    async def content(self, blob_id: str, limit_bytes: int) -> bytes | None:
        """The bytes for an agent of this gateway; None where they are gone or too many."""
