"""What a channel needs from whoever runs it: a plugin process, the gateway itself, or a test."""

from typing import TYPE_CHECKING, Any, Literal, Protocol

from wunder_wire.methods import StateValue

if TYPE_CHECKING:
    import aiohttp

LogLevel = Literal["debug", "info", "warning", "error"]


class BlobHost(Protocol):
    """Bytes of attachments, both ways."""

    async def blob_write(self, transfer_id: str, offset: int, chunk: bytes, *, eof: bool) -> None:
        """Append `chunk` (<= 256 KiB) to a transfer that the host began.

        Raises:
            TooLarge: The host takes no more of this one.
            Forbidden: No such transfer, or it has ended.
        """
        ...

    async def blob_read(self, blob_id: str, offset: int, limit: int) -> tuple[bytes, bool]:
        """Return up to `limit` bytes (<= 256 KiB) from `offset`, and whether that is the end.

        Raises:
            Forbidden: No message that is being sent carries this attachment.
        """
        ...


class Host(BlobHost, Protocol):
    """The door between a channel and its surroundings."""

    def now_ms(self) -> int:
        """Return Unix milliseconds; stands still when the handshake fixed the clock."""
        ...

    def log(self, level: LogLevel, message: str, fields: dict[str, Any]) -> None:
        """Write one line of the plugin's log; never raises, never waits."""
        ...

    async def state_get(self, key: str, account_id: str | None) -> StateValue:
        """Return the stored value and its revision; `StateValue(None, 0)` where nothing is."""
        ...

    async def state_put(self, key: str, value: Any, account_id: str | None, rev: int | None) -> int:
        """Store `value` and return its new revision.

        Raises:
            StateConflict: `rev` is given and is not the stored revision (0: must not exist).
            Quota: 64 KiB a value, 1,000 keys, 1 MiB an account.
        """
        ...

    async def state_delete(self, key: str, account_id: str | None) -> None:
        """Forget `key`; deleting what is not there is fine."""
        ...

    def http_session(self, account_id: str) -> "aiohttp.ClientSession":
        """Return a new client session; the caller closes it."""
        ...
