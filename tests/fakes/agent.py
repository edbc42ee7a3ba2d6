"""An agent whose mood a test decides."""

import asyncio
from collections import deque

from wunder.errors import AgentFailed
from wunder.model.turn import AgentTurn, Reply


class FakeAgent:
    """Echoes, unless told to say something else, to fail or to hang."""

    history_lines = 20

    def __init__(self, prefix: str = "") -> None:
        self.prefix = prefix
        self.turns: list[AgentTurn] = []
        self.next_replies: deque[tuple[Reply, ...]] = deque()
        self.failures: deque[AgentFailed] = deque()
        self.hang = asyncio.Event()
        self.hang.set()

    def say(self, *texts: str) -> None:
        self.next_replies.append(tuple(Reply(text) for text in texts))

    def fail(self, detail: str = "broken", *, is_permanent: bool = False) -> None:
        self.failures.append(AgentFailed(detail, is_permanent=is_permanent))

    async def answer(self, turn: AgentTurn) -> tuple[Reply, ...]:
        self.turns.append(turn)
        await self.hang.wait()
        if self.failures:
            raise self.failures.popleft()
        if self.next_replies:
            return self.next_replies.popleft()
        text = turn.message.content.text
        return (Reply(self.prefix + text),) if text else ()
