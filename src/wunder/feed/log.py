"""The event log read forwards: what open pages are told as it happens."""

from typing import Protocol

from wunder.model.trail import Event


class EventFeed(Protocol):
    """`channel_events` in the order of writing."""

    async def newest_id(self) -> int:
        """The id of the newest event; 0 where there is none."""

    async def oldest_id(self) -> int:
        """The id of the oldest event that is kept; 0 where there is none."""

    async def after(self, event_id: int, limit: int) -> list[Event]:
        """Events with a larger id, oldest first.

        Where many nodes write, an event with a smaller id may appear a moment after one with a larger.
        """

    async def flush(self) -> None:
        """Commit what was recorded and waits for the next commit."""
