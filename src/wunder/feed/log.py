"""The doors that open pages look through: the event log read forwards, and what an account did."""

from typing import Protocol

from wunder.model.ids import AccountUid, At
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


class ActivityLog(Protocol):
    """Whether anything ever came in for an account, and when its conversations last grew."""

    async def has_received(self, account_uid: AccountUid) -> bool:
        """True as soon as one message was taken in, answered or not."""

    async def last_grown_at(self, account_uid: AccountUid) -> At | None:
        """When a conversation of the account last grew, among some thousands; None: never."""
