"""An interrupter that notes whom it was asked to stop."""

from wunder.model.conversation import Conversation


class FakeInterrupter:
    """`running` conversations have a turn; interrupting ends it."""

    def __init__(self, *running: Conversation) -> None:
        self.running = set(running)
        self.asked: list[Conversation] = []

    def interrupt(self, conversation: Conversation) -> bool:
        self.asked.append(conversation)
        if conversation not in self.running:
            return False
        self.running.remove(conversation)
        return True
