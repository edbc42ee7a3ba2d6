"""Two bots must not talk for ever: at most 10 turns a minute with a bot in one conversation (pure)."""

from collections import deque

from wunder.model.conversation import Conversation

MAX_TURNS = 10
WINDOW_S = 60.0
MAX_TRACKED = 10_000


class BotLoop:
    """Remembers recent turns with bot peers; bounded, the oldest conversation is forgotten first."""

    def __init__(self) -> None:
        self._turns: dict[Conversation, deque[float]] = {}

    def is_looping(self, conversation: Conversation, now_s: float) -> bool:
        """Count one more turn with a bot at `now_s` (monotonic seconds); True when it is too many."""
        recent = self._turns.pop(conversation, None) or deque(maxlen=MAX_TURNS + 1)
        recent.append(now_s)
        while recent and recent[0] <= now_s - WINDOW_S:
            recent.popleft()
        self._turns[conversation] = recent
        if len(self._turns) > MAX_TRACKED:
            del self._turns[next(iter(self._turns))]
        return len(recent) > MAX_TURNS
