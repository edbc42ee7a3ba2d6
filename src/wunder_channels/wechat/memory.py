"""What may have arrived in a group: kept by the gateway, since WeCom recognises no repeat there."""

from wunder_channels.wechat.config import WecomConfig
from wunder_sdk import Account, StateConflict

_UNSURE = "unsure"
#: The gateway repeats on its own for as long as the manifest's idempotency window.
_UNSURE_MS = 4 * 3_600_000
_UNSURE_MAX = 200
_TRIES = 5


class Memory:
    """Small durable facts of one account."""

    def __init__(self, account: Account[WecomConfig], now_ms: int) -> None:
        self._state = account.state
        self._now_ms = now_ms

    async def may_have_arrived(self, key: str) -> bool:
        """May an earlier attempt under this key have arrived?"""
        return key in self._fresh(await self._state.get(_UNSURE))

    async def remember_unsure(self, key: str) -> None:
        """Note that a message WeCom would not recognise again may have arrived."""
        for _ in range(_TRIES):
            found, rev = await self._state.get_with_rev(_UNSURE)
            fresh = {**self._fresh(found), key: self._now_ms}
            latest = dict(list(fresh.items())[-_UNSURE_MAX:])
            try:
                await self._state.put(_UNSURE, latest, rev=rev)
            except StateConflict:
                continue
            return

    def _fresh(self, found: object) -> dict[str, int]:
        noted = found if isinstance(found, dict) else {}
        return {
            key: at
            for key, at in noted.items()
            if isinstance(at, int) and self._now_ms - at < _UNSURE_MS
        }
