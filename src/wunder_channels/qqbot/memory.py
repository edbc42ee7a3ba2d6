"""What an account remembers between calls, kept by the gateway and not in this process."""

from wunder_channels.qqbot.api import QqConfig
from wunder_sdk import Account
from wunder_sdk.recent_keys import RecentKeys

_MARKDOWN = "markdown_refused_ms"
_OWN_ID = "own_id"
_UNSURE = "unsure"
#: Permission for markdown can be granted any day: ask again after this long (choice).
_MARKDOWN_AGAIN_MS = 24 * 3_600_000
#: The gateway repeats a reply on its own for as long as the manifest's idempotency window.
_UNSURE_MS = 300_000


class Memory:
    """Small durable facts of one account."""

    def __init__(self, account: Account[QqConfig], now_ms: int) -> None:
        self._state = account.state
        self._now_ms = now_ms
        self._unsure = RecentKeys(account.state, _UNSURE, keep_ms=_UNSURE_MS)

    async def markdown_is_refused(self) -> bool:
        """Did QQ lately say that this bot may not send markdown?"""
        at = await self._state.get(_MARKDOWN)
        return isinstance(at, int) and self._now_ms - at < _MARKDOWN_AGAIN_MS

    async def remember_markdown_refused(self) -> None:
        """Send plain text for a day."""
        await self._state.put(_MARKDOWN, self._now_ms)

    async def own_id(self) -> str:
        """Return the bot's own user id in guilds, empty while it is unknown."""
        found = await self._state.get(_OWN_ID)
        return found if isinstance(found, str) else ""

    async def remember_own_id(self, own_id: str) -> None:
        """Keep the id that `GET /users/@me` gave."""
        await self._state.put(_OWN_ID, own_id)

    async def may_have_arrived(self, key: str) -> bool:
        """May an earlier attempt under this key have arrived where QQ folds no duplicates?"""
        return await self._unsure.holds(key, self._now_ms)

    async def remember_unsure(self, key: str) -> None:
        """Note that a message QQ would not recognise again may have arrived."""
        await self._unsure.note(key, self._now_ms)
