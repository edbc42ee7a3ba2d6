"""Events: what happened beside the messages, for people."""

from typing import Generic, Protocol, TypeVar

import msgspec

from wunder.model.trail import Event

T = TypeVar("T")


class Page(msgspec.Struct, Generic[T], frozen=True):
    """One page of a list; `next_cursor` is "" at the end."""

    items: tuple[T, ...]
    next_cursor: str = ""


class EventLog(Protocol):
    """`channel_events`: written behind message traffic, bounded; newest first."""

    def record(self, event: Event) -> None:
        """Queue an event for the next commit; never blocks, drops the oldest when full, counted."""

    async def events(
        self, plugin_id: str, account_uid: str, limit: int, cursor: str
    ) -> Page[Event]:
        """Events that match, newest first."""
