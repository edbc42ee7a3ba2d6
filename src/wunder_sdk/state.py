"""Small durable values of a plugin or of one account, kept by the gateway."""

from typing import Any

from wunder_sdk.host import Host


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
