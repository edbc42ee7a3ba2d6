"""Waiters that note whose turns ended."""

from wunder.model.ids import MessageId


class FakeWaiters:
    """`woken` holds the messages whose turns were committed, in order."""

    def __init__(self) -> None:
        self.woken: list[MessageId] = []

    def ended(self, message_id: MessageId) -> None:
        self.woken.append(message_id)
