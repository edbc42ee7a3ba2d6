"""Notices what the desks tell while one request is served, so that the audit can say what it changed."""

from contextvars import ContextVar

from wunder.model.trail import Event
from wunder.ports import EventLog, Page

#: What was told during the request that is being served; None outside one that is audited.
_told: ContextVar[list[Event] | None] = ContextVar("wunder_told", default=None)


def begin() -> list[Event]:
    """Begin to notice in this task and what it starts; returns the list that will be filled."""
    told: list[Event] = []
    _told.set(told)
    return told


class NoticedEvents:
    """Port EventLog: passes everything on, and notes what says `by` whom it was done."""

    def __init__(self, events: EventLog) -> None:
        self._events = events

    def record(self, event: Event) -> None:
        """Pass an event on."""
        told = _told.get()
        if told is not None and "by" in event.fields:
            told.append(event)
        self._events.record(event)

    async def events(
        self, plugin_id: str, account_uid: str, limit: int, cursor: str
    ) -> Page[Event]:
        """Events that match, newest first."""
        return await self._events.events(plugin_id, account_uid, limit, cursor)
