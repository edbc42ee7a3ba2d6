"""What an account remembers between calls, kept by the gateway and not in this process."""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

from wunder_channels.feishu.api import FeishuConfig
from wunder_sdk import Account, ChannelError
from wunder_sdk.recent_keys import RecentKeys

_OWN_ID = "own_id"
_PRIVATE = "private_chats"
_UNSURE = "unsure"
_NOT_GROWING = "cardkit_refused_ms"
#: A permission can be granted any day: asked again after this long (choice).
_GROW_AGAIN_MS = 24 * 3_600_000
#: Private chats that are told from groups when only a chat's id is given; 40 bytes each of 64 KiB.
_PRIVATE_MAX = 1_200
#: As long as Feishu folds repeats of one uuid, which is as long as the gateway repeats one.
_UNSURE_MS = 3_600_000
#: Messages whose kind and last edit this process keeps in mind (choice).
_RECENT_MAX = 2_000


class Memory:
    """Small durable facts of one account."""

    def __init__(self, account: Account[FeishuConfig], now_ms: int) -> None:
        self._state = account.state
        self._now_ms = now_ms
        self._unsure = RecentKeys(account.state, _UNSURE, keep_ms=_UNSURE_MS)

    async def own_id(self) -> str:
        """Return the bot's open_id, empty while it is unknown."""
        found = await self._state.get(_OWN_ID)
        return found if isinstance(found, str) else ""

    async def remember_own_id(self, open_id: str) -> None:
        """Keep the open_id that `GET /bot/v3/info` gave."""
        await self._state.put(_OWN_ID, open_id)

    async def is_private(self, chat_id: str) -> bool:
        """Was this chat ever seen to be a private one?"""
        return chat_id in _texts(await self._state.get(_PRIVATE))

    async def remember_private(self, chat_id: str) -> None:
        """Keep that a chat is private: pressed buttons and recalls name the chat alone.

        Raises:
            StateConflict: Others wrote at the same moment; the chat's next message tells again.
        """
        found, rev = await self._state.get_with_rev(_PRIVATE)
        known = _texts(found)
        if chat_id not in known:
            await self._state.put(_PRIVATE, [*known, chat_id][-_PRIVATE_MAX:], rev=rev)

    async def may_grow(self) -> bool:
        """May cards grow as if typed? Not for a day after Feishu said that this app may not."""
        at = await self._state.get(_NOT_GROWING)
        return not isinstance(at, int) or self._now_ms - at >= _GROW_AGAIN_MS

    async def remember_not_growing(self) -> None:
        """Let answers grow by edits of whole cards for a day."""
        await self._state.put(_NOT_GROWING, self._now_ms)

    async def may_have_arrived(self, key: str) -> bool:
        """May an earlier attempt under this key have arrived as a reply?"""
        return await self._unsure.holds(key, self._now_ms)

    async def remember_unsure(self, key: str) -> None:
        """Note that a reply may have arrived: it must not be sent again in another form."""
        await self._unsure.note(key, self._now_ms)


@dataclass(slots=True)
class Shown:
    """A message of ours: what it is, and how edits went.

    `card_id` is what CardKit calls it, `sequence` the number of its last change there; `is_closed`:
    it does not grow any more, whatever is written.
    """

    msg_type: str
    edits: int = 0
    edited_at_ms: int = 0
    card_id: str = ""
    sequence: int = 0
    is_closed: bool = False


class Recent:
    """Messages sent and chats seen by this process lately: a cache, everything can be asked again."""

    def __init__(self) -> None:
        self._shown: OrderedDict[tuple[str, str], Shown] = OrderedDict()
        self._private: OrderedDict[tuple[str, str], None] = OrderedDict()

    def shown(self, account_id: str, message_id: str) -> Shown | None:
        """Return what is known of a message of ours."""
        return self._shown.get((account_id, message_id))

    def keep_shown(self, account_id: str, message_id: str, msg_type: str) -> Shown:
        """Keep that a message was sent as `msg_type`."""
        found = self._shown.setdefault((account_id, message_id), Shown(msg_type))
        _bound(self._shown)
        return found

    def knows_private(self, account_id: str, chat_id: str) -> bool:
        """Is it already remembered that this chat is private?"""
        return (account_id, chat_id) in self._private

    async def keep_private(self, memory: Memory, account_id: str, chat_id: str) -> None:
        """Remember that a chat is private; a failure leaves it to the next message."""
        try:
            await memory.remember_private(chat_id)
        except ChannelError:
            return
        self._private[account_id, chat_id] = None
        _bound(self._private)


def _texts(found: object) -> list[str]:
    return [one for one in found if isinstance(one, str)] if isinstance(found, list) else []


def _bound(kept: "OrderedDict[tuple[str, str], Any]") -> None:
    while len(kept) > _RECENT_MAX:
        kept.popitem(last=False)
