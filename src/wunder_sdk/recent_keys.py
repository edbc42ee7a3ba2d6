"""Remember for a while, across restarts, which keys were seen: what may have been sent, and such."""

from wunder_sdk.errors import StateConflict
from wunder_sdk.state import State

_TRIES = 5


class RecentKeys:
    """Keys and when they were noted, in one value of a `State`.

    The usual use: a platform that recognises no repeat. `note` a part's key when its outcome is
    unknown, and ask `holds` before the part is sent again in another form.
    """

    __slots__ = ("_keep_ms", "_most", "_name", "_state")

    def __init__(self, state: State, name: str, *, keep_ms: int, most: int = 200) -> None:
        """Look into `state[name]`.

        Args:
            state: Usually `account.state`.
            name: The key of the value.
            keep_ms: How long a key is remembered, milliseconds.
            most: The oldest go first beyond this many; a value holds 64 KiB.
        """
        self._state = state
        self._name = name
        self._keep_ms = keep_ms
        self._most = most

    async def holds(self, key: str, now_ms: int) -> bool:
        """Was `key` noted within `keep_ms` before `now_ms`?"""
        return key in self._fresh(await self._state.get(self._name), now_ms)

    async def note(self, key: str, now_ms: int) -> None:
        """Remember `key`; if others keep writing at the same moment, it is let go after 5 tries."""
        for _ in range(_TRIES):
            found, rev = await self._state.get_with_rev(self._name)
            fresh = {**self._fresh(found, now_ms), key: now_ms}
            latest = dict(list(fresh.items())[-self._most :])
            try:
                await self._state.put(self._name, latest, rev=rev)
            except StateConflict:
                continue
            return

    def _fresh(self, found: object, now_ms: int) -> dict[str, int]:
        noted = found if isinstance(found, dict) else {}
        return {
            key: at
            for key, at in noted.items()
            if isinstance(at, int) and now_ms - at < self._keep_ms
        }
