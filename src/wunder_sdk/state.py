"""Small durable values of a plugin or of one account, kept by the gateway."""

import os
from contextlib import suppress
from typing import Any

from wunder_sdk.errors import StateConflict
from wunder_sdk.host import Host

#: Tells this process from every other one, on any machine.
_ME = os.urandom(8).hex()
#: A holder that died keeps the others waiting no longer than this.
LEASE_MAX_S = 600.0


class State:
    """Keys of one scope: the plugin's (`channel.state`) or one account's (`account.state`)."""

    __slots__ = ("_account_id", "_host")

    def __init__(self, host: Host, account_id: str | None = None) -> None:
        self._host = host
        self._account_id = account_id

    async def get(self, key: str) -> Any:
        """Return the stored JSON value, None where nothing is stored."""
        return (await self._host.state_get(key, self._account_id)).value

    async def get_with_rev(self, key: str) -> tuple[Any, int]:
        """Return the value and its revision (None, 0 where nothing is stored)."""
        found = await self._host.state_get(key, self._account_id)
        return found.value, found.rev

    async def put(self, key: str, value: Any, *, rev: int | None = None) -> int:
        """Store a JSON value (<= 64 KiB) and return its new revision.

        Args:
            key: At most 1,000 of them in a scope.
            value: Anything JSON can say.
            rev: The revision last read, 0 to create only, None to overwrite whatever is there.

        Raises:
            StateConflict: Somebody else wrote first; read again and decide.
            Quota: The scope is full.
        """
        return await self._host.state_put(key, value, self._account_id, rev)

    async def delete(self, key: str) -> None:
        """Forget `key`."""
        await self._host.state_delete(key, self._account_id)

    async def lease(self, name: str, seconds: float = 30.0) -> bool:
        """Try to be the only process, on any node of the gateway, that does something; True if so.

        For what must not be done twice at once, such as a token whose refresh ends the one before.
        Who asks again while it holds the lease prolongs it. `give_back` it; a holder that died loses it
        when `seconds` have passed, by the clocks of the machines: take many times their difference.

        Args:
            name: What is done; at most 200 characters.
            seconds: How long at most, <= 600.
        """
        now = self._host.now_ms()
        held, rev = await self.get_with_rev(_key(name))
        if isinstance(held, dict) and held.get("by") != _ME and held.get("until_ms", 0) > now:
            return False
        until_ms = now + int(min(seconds, LEASE_MAX_S) * 1000)
        try:
            await self.put(_key(name), {"by": _ME, "until_ms": until_ms}, rev=rev)
        except StateConflict:
            return False  # another one was first
        return True

    async def give_back(self, name: str) -> None:
        """Let others have a lease of this process at once; what is another's stays."""
        held, rev = await self.get_with_rev(_key(name))
        if isinstance(held, dict) and held.get("by") == _ME:
            with suppress(StateConflict):  # it had run out, and another one has it
                await self.put(_key(name), {"by": "", "until_ms": 0}, rev=rev)


def _key(name: str) -> str:
    return f"lease/{name}"
