"""The tables as this room reads them: nobody else asks, so it is not on the page of doors."""

from collections.abc import Sequence
from typing import Protocol

from wunder.model.conversation import Conversation
from wunder.model.delivery import StoredDelivery
from wunder.model.ids import AccountUid
from wunder.model.message import StoredMessage

#: Changes whenever a message of a conversation enters, is taken up, or is done with.
Stamp = tuple[int, ...]
#: One committed message; an outbound one with its delivery.
ChatLine = tuple[StoredMessage, StoredDelivery | None]


class ChatLog(Protocol):
    """What was committed of conversations with one user."""

    async def stamps(self, account_uid: AccountUid, peer_ids: Sequence[str]) -> dict[str, Stamp]:
        """The stamps of these peers' conversations; one never spoken in has none."""
        ...

    async def lines(self, conversation: Conversation, limit: int) -> list[ChatLine]:
        """The last `limit` messages, oldest first."""
        ...
